// SPDX-License-Identifier: Apache-2.0
// Matrix instructions on a GPU: a million random fragments have the bits of ir/tensor_core.h.
#include <algorithm>
#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstring>
#include <optional>
#include <random>

#include "codegen/ptx.h"
#include "ir/builder.h"
#include "ir/check.h"
#include "ir/target.h"
#include "ir/tensor_core.h"
#include "runtime/driver/buffer.h"
#include "runtime/driver/launch.h"
#include "runtime/jit/runtime.h"
#include "tests/support/run_random.h"

using namespace barline;
using ir::Elem;
using ir::Key;
using ir::Op;

namespace {

constexpr int lanes = 32, rows = 16, columns = 8, sums = 4;  // f32 or s32 of C a lane
constexpr int warps = 4, blocks = 2048, fragments = warps * blocks;

std::optional<driver::Device> first_device() {
  try {
    return driver::Driver::load()->device(0);
  } catch (const driver::Error& error) {
    if (!error.means_no_device()) throw;
    std::printf("SKIP: no GPU (%s)\n", error.what());
    return std::nullopt;
  }
}

/// A shape of mma.sync: operands of `type`, k of them in a row of A.
struct Form {
  Elem type;
  int k;
  int a() const { return k / 2; }  ///< operands of A that a lane has
  int b() const { return k / 4; }  ///< of B
  bool bytes() const { return type == Elem::S8; }
  int width() const { return bytes() ? 4 : 2; }  ///< operands in a register
};

/// Every lane loads its operands, multiplies and stores its sums: fragments of 32 lanes in a row.
ir::Kernel multiply(const Form& f) {
  ir::Kernel k;
  k.name = "multiply";
  k.launch.threads[0] = warps * lanes;
  k.launch.grid[0].count = blocks;
  ir::Builder b(k);
  const int per_value = f.bytes() ? 4 : 1;
  const Elem sum = f.bytes() ? Elem::S32 : Elem::F32, held = f.bytes() ? Elem::U32 : f.type;
  const ir::ValueId block = b.emit(Op::BlockId, {}, {{Key::Dim, 0, {}}});
  const ir::ValueId thread =
      b.binary(Op::Add, b.binary(Op::Mul, block, b.constant(Elem::S32, warps * lanes)),
               b.emit(Op::ThreadId, {}, {{Key::Dim, 0, {}}}));
  auto tensor = [&](std::string name, Elem e, int each, ir::Access access) {
    const int axis = static_cast<int>(k.axes.size());
    k.axes.push_back(
        {.name = "n_" + name, .bound = std::int64_t{fragments} * lanes * each, .multiple = 1});
    k.axis_sizes.push_back(ir::no_value);
    const ir::ValueId v = k.new_value(ir::pointer(e, ir::Space::Global));
    k.params.push_back({.name = std::move(name),
                        .type = k.type(v),
                        .access = access,
                        .axes = {axis},
                        .value = v,
                        .loc = {}});
    return v;
  };
  auto start = [&](int each) { return b.binary(Op::Mul, thread, b.constant(Elem::S32, each)); };
  auto load = [&](const char* name, Elem e, int each) {
    return b.emit(Op::Load, ir::vector(e, each),
                  {tensor(name, e, each, ir::Access::In), start(each)});
  };
  const ir::ValueId x = load("a", held, f.a() / per_value), y = load("b", held, f.b() / per_value);
  const ir::ValueId d = b.emit(Op::MmaSync, {x, y, load("c", sum, sums)});
  b.emit(Op::Store, {tensor("d", sum, sums, ir::Access::Out), start(sums), d});
  b.emit(Op::Yield, {});
  ir::check(k);
  return k;
}

/// Fragments as lanes hold them; elements of A and B in the low bytes of 16 bits.
struct Batch {
  std::vector<std::uint16_t> a, b;
  std::vector<std::uint32_t> c, d;
};

/// Of every class: any bits, exponents that let many terms meet, zeros, subnormals, infinities.
class RandomFragments {
 public:
  RandomFragments(const Form& f, std::uint64_t seed) : f_(f), engine_(seed) {}

  Batch operator()() {
    Batch batch;
    for (int i = 0; i < fragments; ++i) {
      middle_ = engine_() % 4 ? static_cast<int>(engine_() % fields()) : fields() / 2;
      spread_ = 1 + static_cast<int>(engine_() % 24);
      zeros_ = engine_() % 3 ? 0 : engine_() % 16;
      rare_ = engine_() % 8 == 0;
      for (int n = 0; n < f_.a() * lanes; ++n) batch.a.push_back(operand(middle_));
      const int lowest = f_.type == Elem::F16 ? -24 : -140,
                highest = f_.type == Elem::F16 ? 28 : 126;
      level_ = std::array{0, 0, lowest, highest}[engine_() % 4];
      for (int n = 0; n < f_.b() * lanes; ++n)
        batch.b.push_back(operand(fields() - middle_ + level_));
      for (int n = 0; n < sums * lanes; ++n) batch.c.push_back(start());
    }
    return batch;
  }

 private:
  int mantissa() const { return f_.type == Elem::F16 ? 10 : 7; }
  int fields() const { return f_.type == Elem::F16 ? 31 : 255; }

  std::uint16_t operand(int middle) {
    const std::uint64_t r = engine_();
    if (f_.bytes()) return r & 0xff;
    const auto sign = static_cast<std::uint16_t>(r >> 63 << 15);
    if (r % 16 < zeros_) return sign;
    if (rare_ && (r >> 4) % 64 == 0) return static_cast<std::uint16_t>(r >> 16);
    if (rare_ && (r >> 4) % 64 == 1)
      return sign | static_cast<std::uint16_t>(fields() << mantissa());
    const int offset = static_cast<int>((r >> 16) % static_cast<unsigned>(2 * spread_)) - spread_;
    const int field = std::clamp(middle + offset, 0, fields() - 1);
    const auto fraction = (r >> 32) & ((1U << mantissa()) - 1);
    return static_cast<std::uint16_t>(sign | field << mantissa() | static_cast<int>(fraction));
  }
  std::uint32_t start() {
    const std::uint64_t r = engine_();
    const auto bits = static_cast<std::uint32_t>(r >> 32);
    if (f_.bytes() || r % 16 == 0) return bits;
    if (r % 16 < 4) return bits & 0x80000000;
    const int near = 127 + level_ + static_cast<int>((r >> 4) % 64) - 32;
    return (bits & 0x807fffff) | static_cast<std::uint32_t>(std::clamp(near, 0, 254)) << 23;
  }

  Form f_;
  std::mt19937_64 engine_;
  int middle_ = 0, spread_ = 1;  ///< exponent fields of A
  int level_ = 0;                ///< exponent of products; at the ends they are tiny or overflow
  std::uint64_t zeros_ = 0;
  bool rare_ = false;
};

/// A fragment's matrices: A by rows, B by columns.
struct Matrices {
  std::array<std::uint16_t, rows * 32> a{};
  std::array<std::uint16_t, columns * 32> b{};
  std::array<std::uint32_t, rows * columns> c{}, d{};
};

/// "Matrix Fragments for mma" of the PTX ISA: a register of A holds w neighbours of row g or g + 8.
Matrices spread_out(const Form& f, const Batch& batch, int fragment) {
  Matrices m;
  const int w = f.width();
  for (int lane = 0; lane < lanes; ++lane) {
    const int g = lane / 4, t = lane % 4, place = fragment * lanes + lane;
    for (int i = 0; i < f.a(); ++i) {
      const int row = g + i / w % 2 * 8, column = i / (2 * w) * 4 * w + t * w + i % w;
      m.a[row * f.k + column] = batch.a[place * f.a() + i];
    }
    for (int i = 0; i < f.b(); ++i)
      m.b[g * f.k + i / w * 4 * w + t * w + i % w] = batch.b[place * f.b() + i];
    for (int i = 0; i < sums; ++i) {
      const int at = (g + i / 2 * 8) * columns + 2 * t + i % 2;
      m.c[at] = batch.c[place * sums + i];
      m.d[at] = batch.d[place * sums + i];
    }
  }
  return m;
}

std::array<std::uint32_t, rows * columns> modelled(const Form& f, const Matrices& m) {
  std::array<std::uint32_t, rows * columns> out;
  if (!f.bytes()) {
    const auto c = std::bit_cast<std::array<float, rows * columns>>(m.c);
    std::array<float, rows * columns> d;
    ir::mma_tile(f.type, m.a.data(), m.b.data(), f.k, c.data(), d.data());
    return std::bit_cast<std::array<std::uint32_t, rows * columns>>(d);
  }
  std::array<std::int8_t, rows * 32> a;
  std::array<std::int8_t, columns * 32> b;
  std::copy(m.a.begin(), m.a.end(), a.begin());
  std::copy(m.b.begin(), m.b.end(), b.begin());
  for (int i = 0; i < rows * columns; ++i)
    out[i] = static_cast<std::uint32_t>(
        ir::mma_dot_s8(&a[i / columns * 32], &b[i % columns * 32], 32, static_cast<int>(m.c[i])));
  return out;
}

/// The device's side of a form: its kernel and buffers.
class Multiplier {
 public:
  Multiplier(const driver::Device& device, const Form& f)
      : device_(device),
        library_(driver::Library::from_ptx(
            device, codegen::emit_ptx(multiply(f), jit::target_for(device.info())), "multiply")),
        kernel_(library_.kernel("multiply")),
        bytes_(f.bytes()) {
    for (int each : {f.a() * (bytes_ ? 1 : 2), f.b() * (bytes_ ? 1 : 2), sums * 4, sums * 4})
      buffers_.emplace_back(device, std::size_t{fragments} * lanes * static_cast<unsigned>(each));
  }

  void run(Batch& batch) {
    put(buffers_[0], batch.a);
    put(buffers_[1], batch.b);
    buffers_[2].copy_from_host(std::as_bytes(std::span(batch.c)));
    std::array<std::uint64_t, 4> values;
    std::array<void*, 4> arguments;
    for (std::size_t i = 0; i < 4; ++i) {
      values[i] = buffers_[i].pointer();
      arguments[i] = &values[i];
    }
    driver::launch(kernel_, {.grid = {blocks}, .block = {warps * lanes}}, nullptr,
                   arguments.data());
    device_.synchronize();
    batch.d.resize(batch.c.size());
    buffers_[3].copy_to_host(std::as_writable_bytes(std::span(batch.d)));
  }

 private:
  void put(driver::Buffer& to, const std::vector<std::uint16_t>& from) {
    if (!bytes_) return to.copy_from_host(std::as_bytes(std::span(from)));
    const std::vector<std::uint8_t> narrow(from.begin(), from.end());
    to.copy_from_host(std::as_bytes(std::span(narrow)));
  }

  driver::Device device_;
  driver::Library library_;
  driver::Kernel kernel_;
  bool bytes_;
  std::vector<driver::Buffer> buffers_;
};

}  // namespace

TEST_CASE("matrix instructions on a GPU have the bits of the model", "[gpu]") {
  auto device = first_device();
  if (!device) return;
  for (const Form& f : {Form{Elem::F16, 16}, Form{Elem::BF16, 16}, Form{Elem::F16, 8},
                        Form{Elem::BF16, 8}, Form{Elem::S8, 32}}) {
    INFO(ir::name(f.type) << " k " << f.k);
    Multiplier multiplier(*device, f);
    RandomFragments next(f, 20261121);
    long wrong = 0;
    for (int round = 0; round < test::fuzz_count(26); ++round) {
      Batch batch = next();
      multiplier.run(batch);
      for (int i = 0; i < fragments; ++i) {
        const Matrices m = spread_out(f, batch, i);
        const auto want = modelled(f, m);
        for (std::size_t at = 0; at < want.size(); ++at) wrong += m.d[at] != want[at];
      }
    }
    CHECK(wrong == 0);
  }
}
