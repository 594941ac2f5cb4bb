// SPDX-License-Identifier: Apache-2.0
// The ops of sm_90a on a real GPU, each in a small kernel against a sum or a copy on the host. The
// driver assembles the PTX, so no assembler is needed there.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstring>
#include <numeric>

#include "codegen/ptx.h"
#include "ir/half.h"
#include "ir/parse.h"
#include "ir/target.h"
#include "runtime/driver/buffer.h"
#include "runtime/driver/launch.h"
#include "runtime/jit/signature.h"
#include "runtime/launch/maps.h"

using namespace barline;
using namespace barline::driver;

namespace {

std::optional<Device> hopper() {
  try {
    Device device = Driver::load()->device(0);
    if (device.info().sm() == 90) return device;
    std::printf("SKIP: %s is no sm_90\n", device.info().name.c_str());
  } catch (const Error& error) {
    if (!error.means_no_device()) throw;
    std::printf("SKIP: no GPU (%s)\n", error.what());
  }
  return std::nullopt;
}

/// A kernel from text, loaded.
struct Loaded {
  ir::Kernel ir;
  Library library;
  Kernel kernel;
  Stream stream;

  Loaded(const Device& device, const std::string& text)
      : ir(ir::parse("bir 1\nkernel @k\n" + text)),
        library(Library::from_ptx(device, codegen::emit_ptx(ir, *ir::find_target("sm_90a")), "k")),
        kernel(library.kernel("k")),
        stream(device) {
    kernel.set_max_dynamic_shared(static_cast<std::size_t>(ir::shared_bytes(ir)));
  }

  LaunchShape shape() const {
    LaunchShape s;
    s.grid.x = static_cast<unsigned>(ir.launch.grid[0].count);
    s.block.x = static_cast<unsigned>(ir.launch.threads[0]);
    s.dynamic_shared_bytes = static_cast<std::uint32_t>(ir::shared_bytes(ir));
    s.cluster.x = static_cast<unsigned>(ir.launch.cluster);
    return s;
  }

  /// Launches with a buffer for each parameter, and the tensor maps of the kernel.
  void run(const std::vector<Buffer*>& buffers, bool programmatic = false) {
    barline::runtime::Maps maps;
    std::vector<std::uint64_t> addresses;
    std::vector<void*> arguments;
    for (Buffer* b : buffers) addresses.push_back(b->pointer());
    for (std::uint64_t& a : addresses) arguments.push_back(&a);
    const barline::runtime::Signature signature = jit::signature_of(ir);
    barline::runtime::encode_maps(kernel.device(), "k", signature, addresses, {}, maps);
    for (std::size_t i = 0; i < signature.maps.size(); ++i) arguments.push_back(&maps[i]);
    LaunchShape with = shape();
    with.programmatic = programmatic;
    launch(kernel, with, stream.handle(), arguments.data());
  }
};

template <class T>
Buffer on_device(const Device& device, const std::vector<T>& values) {
  Buffer b(device, values.size() * sizeof(T));
  b.upload(std::span<const T>(values));
  return b;
}

/// Small whole numbers, whose sums are exact in every type.
int number(int i) { return (i * 7 + i / 13) % 9 - 4; }

std::vector<std::byte> encoded(const std::string& elem, const std::vector<int>& values) {
  const std::size_t each = elem == "s8" ? 1 : 2;
  std::vector<std::byte> out(values.size() * each);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint16_t bits = static_cast<std::uint8_t>(values[i]);
    if (elem == "f16") bits = std::bit_cast<std::uint16_t>(ir::num::to_f16(double(values[i])));
    if (elem == "bf16") bits = std::bit_cast<std::uint16_t>(ir::num::to_bf16(double(values[i])));
    std::memcpy(out.data() + i * each, &bits, each);
  }
  return out;
}

std::string repeated(int n, const std::string& each, const std::string& between = ", ") {
  std::string text;
  for (int i = 0; i < n; ++i) {
    std::string one = each;
    for (std::size_t at; (at = one.find('#')) != one.npos;) one.replace(at, 1, std::to_string(i));
    text += (i ? between : "") + one;
  }
  return text;
}

/// c[64, n] = a[64, 128] * b, of one warpgroup: boxes by tensor copies, products by wgmma.
struct Product {
  std::string elem;
  int n;            ///< columns computed
  int width;        ///< columns of b: those after them are zeros
  bool transposed;  ///< b is [k, n], not [n, k]
  bool in_slots;    ///< a, too

  static constexpr int k = 128;
  bool whole() const { return elem == "s8"; }
  int columns() const { return whole() ? 128 : 64; }  ///< of a swizzled row
  int step() const { return whole() ? 32 : 16; }
  int a_panels() const { return in_slots ? k / columns() : 0; }
  int b_rows() const { return transposed ? k : n; }
  int b_panels() const { return (transposed ? n : k) / columns(); }

  std::string header() const {
    const int bytes = (a_panels() * 64 + b_panels() * b_rows()) * 128;
    std::string text = fmt::format(
        "axis m = 64\naxis k = {}\naxis w = {}\naxis n = {}\nparam %a: in ptr<{},global> [m, k]\n"
        "param %b: in ptr<{},global> [{}]\nparam %c: out ptr<{},global> [m, n]\n"
        "slot %as: {}[{}] x 1 align 1024\nslot %bs: {}[{}] x 1 align 1024\n"
        "gate %g arrivals 1 x 1\nthreads 128 1 1\ngrid 1 1 1\n{{\n"
        "%t = thread_id {{dim = 0}} : s32\n%warp = warp_id : s32\n%lane = lane_id : s32\n",
        k, width, n, elem, elem, transposed ? "k, w" : "w, k", whole() ? "s32" : "f32", elem,
        64 * k, elem, n * k);
    for (int i : {0, 1, 2, 4, 8, 16, 64, 128})
      text += fmt::format("%c{0} = const {{value = {0}}} : s32\n", i);
    return text + fmt::format(
                      "%first = cmp %t, %c0 {{pred = eq}} : i1\nif %first () {{\n"
                      "arrive %g {{bytes = {}}}\n{}yield\n}} () {{\nyield\n}}\nawait %g, %c0\n",
                      bytes, copies());
  }

  std::string copies() const {
    std::string text;
    auto copy = [&](const char* to, const char* from, int rows, int panel, bool along_k) {
      const int col = panel * columns();
      text += fmt::format("%at{0}{1} = const {{value = {2}}} : s32\n", from, panel, col);
      text += fmt::format(
          "copy_tensor %{}, %c0, %{}, %c0, %at{}{}, %g {{offset = {}, rows = {}, columns = {}, "
          "swizzled = 1}}\n",
          to, from, from, panel, panel * rows * columns(), rows, columns());
      static_cast<void>(along_k);
    };
    for (int p = 0; p < a_panels(); ++p) copy("as", "a", 64, p, true);
    for (int p = 0; p < b_panels(); ++p) copy("bs", "b", b_rows(), p, !transposed);
    return text;
  }

  /// Rows 16 warp + lane / 4 and 8 below, columns 2 (lane % 4) and the next, of 16 columns of a.
  std::string load_a(int s) const {
    std::string text;
    for (int r = 0; r < 4; ++r)
      text += fmt::format("%a{0}{1} = load %a, %ai {{offset = {2}}} : vec<{3} x 2>\n", s, r,
                          s * 16 + (r % 2) * 8 * k + (r / 2) * 8, elem);
    return text +
           fmt::format("%av{0} = pack %a{0}0, %a{0}1, %a{0}2, %a{0}3 : vec<{1} x 8>\n", s, elem);
  }

  std::string text() const {
    const int j = n / 8, steps = k / step(), per_row = columns() / step();
    const std::string sum = whole() ? "s32" : "f32",
                      flights = repeated(j, "flight<" + sum + " x 4>");
    std::string text =
        header() +
        "%r16 = mul %warp, %c16 : s32\n%g4 = shr %lane, %c2 : s32\n%row = add %r16, %g4 : s32\n"
        "%c3 = const {value = 3} : s32\n%t4 = and %lane, %c3 : s32\n%col = mul %t4, %c2 : s32\n" +
        fmt::format(
            "%cn = const {{value = {}}} : s32\n%rk = mul %row, %c128 : s32\n"
            "%ai = add %rk, %col : s32\n%rn = mul %row, %cn : s32\n%ci = add %rn, %col : s32\n",
            n);
    for (int s = 0; s < steps && !in_slots; ++s) text += load_a(s);
    for (int s = 0; s < steps && in_slots; ++s)
      text += fmt::format("%as{} = const {{value = {}}} : s32\n", s,
                          s / per_row * 64 * columns() + s % per_row * step());
    text += fmt::format(
        "%zero = const {{value = {}}} : {}\n%z = pack %zero, %zero, %zero, %zero : "
        "vec<{} x 4>\n",
        whole() ? "0" : "0.0", sum, sum);
    text +=
        fmt::format("{} = wgmma_fence {} : {}\n", repeated(j, "%p0_#"), repeated(j, "%z"), flights);
    for (int s = 0; s < steps; ++s) {
      const int offset =
          transposed ? s * 16 * 64 : s / per_row * n * columns() + s % per_row * step();
      text += fmt::format(
          "{} = {}, %bs, %c0, {} {{offset = {}, transpose = {}, pitch = {}}} : {}\n",
          repeated(j, fmt::format("%p{}_#", s + 1)),
          in_slots ? fmt::format("wgmma_slots %as, %as{}", s) : fmt::format("wgmma %av{}", s),
          repeated(j, fmt::format("%p{}_#", s)), offset, int(transposed), k * 64, flights);
    }
    text +=
        fmt::format("wgmma_commit\n{} = wgmma_wait {} : {}\n", repeated(j, "%v#"),
                    repeated(j, fmt::format("%p{}_#", steps)), repeated(j, "vec<" + sum + " x 4>"));
    for (int i = 0; i < j; ++i)
      for (int half = 0; half < 2; ++half)
        text += fmt::format(
            "%o{0}{1} = extract %v{0} {{index = {2}}} : vec<{3} x 2>\n"
            "store %c, %ci, %o{0}{1} {{offset = {4}}}\n",
            i, half ? "b" : "a", half * 2, sum, i * 8 + half * 8 * n);
    return text + "yield\n}\n";
  }

  std::vector<double> on_host(const std::vector<int>& a, const std::vector<int>& b) const {
    std::vector<double> c(static_cast<std::size_t>(64 * n));
    for (int i = 0; i < 64; ++i)
      for (int col = 0; col < width; ++col)
        for (int l = 0; l < k; ++l)
          c[i * n + col] += a[i * k + l] * b[transposed ? l * width + col : col * k + l];
    return c;
  }

  void check(const Device& device) const {
    std::vector<int> a(64 * k), b(static_cast<std::size_t>(k * width));
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = number(static_cast<int>(i));
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = number(static_cast<int>(i) * 3 + 1);
    Loaded l(device, text());
    Buffer da = on_device(device, encoded(elem, a)), db = on_device(device, encoded(elem, b)),
           dc(device, 64 * n * 4);
    dc.fill(0xff);
    l.run({&da, &db, &dc});
    l.stream.synchronize();
    std::vector<double> got;
    if (whole())
      for (std::int32_t v : dc.download<std::int32_t>(64 * n)) got.push_back(v);
    else
      for (float v : dc.download<float>(64 * n)) got.push_back(v);
    int wrong = 0;
    const std::vector<double> want = on_host(a, b);
    for (std::size_t i = 0; i < want.size(); ++i) wrong += got[i] != want[i];
    INFO(fmt::format("{} n={} width={} transposed={} in_slots={}: first {} for {}", elem, n, width,
                     transposed, in_slots, got[0], want[0]));
    CHECK(wrong == 0);
  }
};

}  // namespace

TEST_CASE("products of a warpgroup on boxes that tensor copies brought", "[gpu]") {
  const auto device = hopper();
  if (!device) return;
  for (const char* elem : {"f16", "bf16"})
    for (bool in_slots : {false, true}) {
      Product{elem, 64, 64, false, in_slots}.check(*device);
      Product{elem, 128, 125, false, in_slots}.check(*device);  // zeros past the tensor's rows
      Product{elem, 64, 64, true, in_slots}.check(*device);
      Product{elem, 128, 120, true, in_slots}.check(*device);  // and past its columns
    }
  Product{"s8", 64, 64, false, true}.check(*device);
  Product{"s8", 128, 99, false, true}.check(*device);
}

TEST_CASE("bulk copies through a ring of gates keep their phases", "[gpu]") {
  const auto device = hopper();
  if (!device) return;
  std::string text =
      "axis n = 4096\nparam %x: in ptr<u32,global> [n]\nparam %y: out ptr<u32,global> [n]\n"
      "param %e: out ptr<s32,global> [n]\n"
      "slot %s: u32[512] x 2\ngate %full arrivals 1 x 2\ngate %empty arrivals 4 x 2\n"
      "threads 128 1 1\ngrid 1 1 1\n{\n%t = thread_id {dim = 0} : s32\n"
      "%w = warp_id : s32\n%c0 = const {value = 0} : s32\n%c1 = const {value = 1} : s32\n"
      "%c4 = const {value = 4} : s32\n%c8 = const {value = 8} : s32\n%c512 = const {value = 512} : "
      "s32\n"
      "%first = cmp %t, %c0 {pred = eq} : i1\n%i = mul %t, %c4 : s32\n"
      "%r = for %c0, %c8, %c1, %c0 : s32 (%k: s32, %was: s32) {\n"
      "%f = slot_at %full, %k : ptr<u64,shared>\n%v = slot_at %empty, %k : ptr<u64,shared>\n"
      "%b = slot_at %s, %k : ptr<u32,shared>\n%round = shr %k, %c1 : s32\n"
      "if %first () {\n%before = sub %round, %c1 : s32\nawait %v, %before\n"
      "%at = mul %k, %c512 : s32\narrive %f {bytes = 2048}\n"
      "copy_bulk %b, %c0, %x, %at, %f {lanes = 256}\n"
      "%half = const {value = 256} : s32\n%next = add %at, %half : s32\n"
      "copy_bulk %b, %c0, %x, %next, %f {lanes = 256, offset = 256, cache = evict_first}\n"
      "yield\n} () {\nyield\n}\n"
      "await %f, %round\n%got = load %b, %i : vec<u32 x 4>\n"
      "%base = mul %k, %c512 : s32\n%to = add %base, %i : s32\nstore %y, %to, %got\n"
      "%el = elect : i1\nif %el () {\narrive %v\n%lane = lane_id : s32\nstore %e, %w, "
      "%lane\nyield\n} () "
      "{\nyield\n}\nyield %was\n}\nyield\n}\n";
  Loaded l(*device, text);
  std::vector<std::uint32_t> x(4096);
  std::iota(x.begin(), x.end(), 77u);
  Buffer dx = on_device(*device, x), dy(*device, 4096 * 4), de(*device, 4096 * 4);
  dy.fill(0xff);
  de.fill(0xff);
  l.run({&dx, &dy, &de});
  l.stream.synchronize();
  CHECK(dy.download<std::uint32_t>(4096) == x);
  CHECK(de.download<std::int32_t>(4) == std::vector<std::int32_t>(4));  // lane 0 of each warp
}

TEST_CASE("blocks of a cluster store to each other", "[gpu]") {
  const auto device = hopper();
  if (!device) return;
  Loaded l(*device,
           "axis n = 4096\nparam %y: out ptr<s32,global> [n]\nslot %s: s32[544] x 1\ncluster 2\n"
           "threads 128 1 1\ngrid 4 1 1\n{\n%t = thread_id {dim = 0} : s32\ncluster_arrive\n"
           "%c1 = const {value = 1} : s32\n%c4 = const {value = 4} : s32\n"
           "%c512 = const {value = 512} : s32\n%c1000 = const {value = 1000} : s32\n"
           "%block = block_id {dim = 0} : s32\n%rank = cluster_rank : s32\n"
           "%other = xor %rank, %c1 : s32\n%b = mul %block, %c1000 : s32\n%v0 = add %b, %t : s32\n"
           "%v = pack %v0, %t, %block, %rank : vec<s32 x 4>\n%i = mul %t, %c4 : s32\ncluster_wait\n"
           "store_remote %s, %i, %other, %v {offset = 32}\ncluster_arrive\ncluster_wait\n"
           "%got = load %s, %i {offset = 32} : vec<s32 x 4>\n%at = mul %block, %c512 : s32\n"
           "%to = add %at, %i : s32\nstore %y, %to, %got\nyield\n}\n");
  Buffer dy(*device, 4096 * 4);
  dy.fill(0xff);
  l.run({&dy});
  l.stream.synchronize();
  const auto y = dy.download<std::int32_t>(2048);
  int wrong = 0;
  for (int block = 0; block < 4; ++block)
    for (int t = 0; t < 128; ++t) {
      const std::int32_t *got = &y[block * 512 + t * 4], from = block ^ 1;
      wrong += got[0] != from * 1000 + t || got[1] != t || got[2] != from || got[3] != from % 2;
    }
  CHECK(wrong == 0);
}

TEST_CASE("stmatrix, barriers of some warps, and registers that move", "[gpu]") {
  const auto device = hopper();
  if (!device) return;
  // Lane l holds 8 l .. 8 l + 7; lanes give rows of 8 elements one after the other.
  Loaded l(*device,
           "axis n = 4096\nparam %x: in ptr<f16,global> [n]\nparam %y: out ptr<f16,global> [n]\n"
           "slot %s: f16[4096] x 1 align 1024\nmax_registers 128\nthreads 256 1 1\ngrid 1 1 1\n{\n"
           "%t = thread_id {dim = 0} : s32\n%c4 = const {value = 4} : s32\n"
           "%c8 = const {value = 8} : s32\n%i = mul %t, %c8 : s32\n%w = warp_id : s32\n"
           "%low = cmp %w, %c4 {pred = lt} : i1\n%v = load %x, %i : vec<f16 x 8>\n"
           "if %low () {\nset_registers {registers = 64}\n"
           "store_matrix %s, %i, %v\nproxy_fence\nbarrier {id = 1, warps = 4}\nyield\n} () {\n"
           "set_registers {registers = 184}\n"
           "store_matrix %s, %i, %v {transpose = 1}\nbarrier {id = 2, warps = 4}\nyield\n}\n"
           "%u = load %s, %i : vec<f16 x 8>\nstore %y, %i, %u\nyield\n}\n");
  std::vector<std::uint16_t> x(2048), want(2048);
  std::iota(x.begin(), x.end(), std::uint16_t{1});
  for (int warp = 0; warp < 8; ++warp)
    for (int lane = 0; lane < 32; ++lane)
      for (int e = 0; e < 8; ++e) {
        int row = lane / 4, col = 2 * (lane % 4) + e % 2;
        if (warp >= 4) std::swap(row, col);
        want[warp * 256 + (e / 2) * 64 + row * 8 + col] = x[warp * 256 + lane * 8 + e];
      }
  Buffer dx = on_device(*device, x), dy(*device, 4096);
  dy.fill(0xff);
  l.run({&dx, &dy});
  l.stream.synchronize();
  CHECK(dy.download<std::uint16_t>(2048) == want);
}

TEST_CASE("grids that wait for the one before them may start early", "[gpu]") {
  const auto device = hopper();
  if (!device) return;
  Loaded l(*device,
           "axis n = 33792\nparam %y: inout ptr<u32,global> [n]\nthreads 256 1 1\ngrid 132 1 1\n{\n"
           "%t = thread_id {dim = 0} : s32\n%b = block_id {dim = 0} : s32\n"
           "%c = const {value = 256} : s32\n%at = mul %b, %c : s32\n%i = add %at, %t : s32\n"
           "%one = const {value = 1} : u32\nrelease_next\nawait_previous\n"
           "%v = load %y, %i : u32\n%n = add %v, %one : u32\nstore %y, %i, %n\nyield\n}\n");
  Buffer dy(*device, 33792 * 4);
  dy.fill(0);
  device->synchronize();
  for (int i = 0; i < 200; ++i) l.run({&dy}, true);
  l.stream.synchronize();
  CHECK(dy.download<std::uint32_t>(33792) == std::vector<std::uint32_t>(33792, 200));
}
