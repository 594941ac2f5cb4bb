// SPDX-License-Identifier: Apache-2.0
// Kernels beside the next grid on a GPU: what they read is what the grid before them wrote, however
// late, and the grid after them overwrites it no sooner than they have read it. The grid before is
// a copy in PTX that lets its next start at once, sleeps, and writes last. Skipped without a GPU.
#include <catch2/catch.hpp>
#include <cstring>

#include "on_device.h"
#include "runtime/driver/buffer.h"
#include "tests/support/ptxas.h"

using namespace barline;
using test::Problem;

namespace {

/// Copies `count` words of 16 bytes from `from` to `to`, `wait` nanoseconds after the grids before
/// have ended; its own next may start at once.
constexpr std::string_view late_copy = R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry late_copy(.param .u64 to, .param .u64 from, .param .u32 count, .param .u32 wait)
.maxntid 256, 1, 1
{
  .reg .pred %p<3>;
  .reg .b32 %r<12>;
  .reg .b64 %rd<10>;
  griddepcontrol.launch_dependents;
  griddepcontrol.wait;
  mov.u64 %rd0, %globaltimer;
  ld.param.u32 %r0, [wait];
  cvt.u64.u32 %rd1, %r0;
  add.u64 %rd1, %rd0, %rd1;
SPIN:
  mov.u64 %rd2, %globaltimer;
  setp.lt.u64 %p0, %rd2, %rd1;
  @%p0 bra SPIN;
  ld.param.u64 %rd3, [to];
  ld.param.u64 %rd4, [from];
  ld.param.u32 %r1, [count];
  mov.u32 %r2, %tid.x;
  mov.u32 %r3, %ntid.x;
  mov.u32 %r4, %ctaid.x;
  mov.u32 %r5, %nctaid.x;
  mad.lo.u32 %r2, %r4, %r3, %r2;
  mul.lo.u32 %r5, %r5, %r3;
COPY:
  setp.ge.u32 %p1, %r2, %r1;
  @%p1 bra DONE;
  mul.wide.u32 %rd5, %r2, 16;
  add.u64 %rd6, %rd4, %rd5;
  add.u64 %rd7, %rd3, %rd5;
  ld.global.v4.u32 {%r6, %r7, %r8, %r9}, [%rd6];
  st.global.v4.u32 [%rd7], {%r6, %r7, %r8, %r9};
  add.u32 %r2, %r2, %r5;
  bra COPY;
DONE:
  ret;
}
)";

constexpr std::uint32_t late = 200'000, at_once = 0;  // ns
constexpr int rounds = 50;

driver::Buffer on_device(const driver::Device& device, std::span<const std::byte> data) {
  driver::Buffer b(device, data.size());
  b.copy_from_host(data);
  return b;
}

/// The producer: few blocks, so that the next grid's find room beside them.
class LateCopy {
 public:
  explicit LateCopy(const driver::Device& device)
      : library_(driver::Library::from_ptx(device, late_copy, "late_copy")),
        kernel_(library_.kernel("late_copy")) {}

  void launch(const driver::Stream& stream, const driver::Buffer& to, const driver::Buffer& from,
              std::uint32_t wait) const {
    std::uint64_t t = to.pointer(), f = from.pointer();
    auto count = static_cast<std::uint32_t>(to.bytes() / 16);
    void* arguments[] = {&t, &f, &count, &wait};
    driver::launch(kernel_, {.grid = {8}, .block = {256}, .programmatic = true}, stream.handle(),
                   arguments);
  }

 private:
  driver::Library library_;
  driver::Kernel kernel_;
};

/// A kernel with its inputs on the device, x in a buffer of its own, and outputs for each round.
class Consumer {
 public:
  Consumer(const Problem& p, jit::Runtime& runtime, const driver::Device& device)
      : device_(device),
        kernel_(runtime.prepare(device, *p.kernel, ir::Elem::F16, p.config)),
        x_(device, p.tensors.at("x").data.size()) {
    for (const runtime::SignatureAxis& axis : kernel_.signature().axes)
      sizes_.push_back(p.sizes.at(axis.name));
    for (const runtime::SignatureParam& param : kernel_.signature().params) {
      const bool fixed = param.tensor && param.read && param.name != "x";
      if (fixed) inputs_.emplace(param.name, on_device(device, p.tensors.at(param.name).data));
      if (!param.tensor) scalars_[param.name] = static_cast<float>(p.scalars.at(param.name));
      if (param.read || !param.tensor) continue;
      outputs_.emplace(param.name, p.tensors.at(param.name));
      for (int i = 0; i < rounds; ++i)
        results_[param.name].push_back(poisoned(p.tensors.at(param.name).data.size()));
    }
    device.synchronize();
  }

  const driver::Buffer& x() const { return x_; }
  const jit::Prepared& kernel() const { return kernel_; }

  /// Beside the grid before it.
  void launch(const driver::Stream& stream, int round) const {
    kernel_.launch(stream.handle(), arguments(round), sizes_, {.programmatic = true});
  }
  /// The same for a kernel that never waits for the grid before it.
  void launch_blindly(const driver::Stream& stream, int round) const {
    driver::LaunchShape shape = kernel_.shape(sizes_);
    shape.programmatic = true;
    const std::vector<jit::Argument> args = arguments(round);
    std::vector<std::int32_t> extents(sizes_.begin(), sizes_.end());
    std::vector<void*> pointers;
    for (const jit::Argument& a : args) pointers.push_back(const_cast<std::uint64_t*>(&a.value()));
    for (std::int32_t& e : extents) pointers.push_back(&e);
    driver::launch(kernel_.kernel(), shape, stream.handle(), pointers.data());
  }

  /// Only what the kernel wrote in the round.
  test::Tensors result(int round) const {
    test::Tensors out = outputs_;
    for (auto& [name, tensor] : out) results_.at(name)[round].copy_to_host(tensor.data);
    return out;
  }

 private:
  driver::Buffer poisoned(std::size_t bytes) const {
    driver::Buffer b(device_, bytes);
    b.fill(0xa5);
    return b;
  }

  std::vector<jit::Argument> arguments(int round) const {
    std::vector<jit::Argument> out;
    for (const runtime::SignatureParam& param : kernel_.signature().params) {
      if (!param.tensor)
        out.emplace_back(scalars_.at(param.name));
      else if (param.name == "x")
        out.push_back(jit::Argument::pointer(x_.pointer()));
      else if (!param.read)
        out.push_back(jit::Argument::pointer(results_.at(param.name)[round].pointer()));
      else
        out.push_back(jit::Argument::pointer(inputs_.at(param.name).pointer()));
    }
    return out;
  }

  driver::Device device_;
  jit::Prepared kernel_;
  driver::Buffer x_;
  std::vector<std::int64_t> sizes_;
  std::map<std::string, driver::Buffer> inputs_;
  std::map<std::string, float> scalars_;
  test::Tensors outputs_;
  std::map<std::string, std::vector<driver::Buffer>> results_;
};

/// Two problems that differ in x alone, the references run.
struct Pair {
  Problem even, odd;

  Pair(const char* kernel, const ir::Schedule& s) : even(make(kernel, s)), odd(even) {
    // Backwards it has other sums, and nothing in it is new.
    ir::Tensor& x = odd.tensors.at("x");
    for (std::size_t i = 0, n = x.data.size() / 2; i < n; ++i)
      std::memcpy(&x.data[2 * i], &even.tensors.at("x").data[2 * (n - 1 - i)], 2);
    even.refer();
    odd.refer();
  }
  const Problem& of(int round) const { return round % 2 ? odd : even; }

 private:
  static Problem make(const char* kernel, const ir::Schedule& s) {
    Problem p(
        kernel, ir::Elem::F16, s,
        test::rounded_up(kernel, ir::Elem::F16, s,
                         {{"M", s.tile.m}, {"K", 2304}, {"N_q", 384}, {"N_k", 192}, {"N_v", 192}}));
    double scale = 0.01;
    for (auto& [name, value] : p.scalars) value = scale += 0.003;
    return p;
  }
};

test::Tensors outputs_of(const Problem& p) {
  test::Tensors out;
  for (const auto& [name, tensor] : p.tensors)
    if (name.starts_with("y")) out.emplace(name, tensor);
  return out;
}

/// poison x -> write x late -> multiply -> poison x at once -> .., each beside the one before.
void run_rounds(const Pair& pair, const Consumer& consumer, const driver::Device& device,
                bool blindly) {
  const LateCopy producer(device);
  const std::vector<std::byte> nans(consumer.x().bytes(), std::byte{0xff});
  const driver::Buffer poison = on_device(device, nans),
                       even = on_device(device, pair.even.tensors.at("x").data),
                       odd = on_device(device, pair.odd.tensors.at("x").data);
  const driver::Stream stream(device);
  producer.launch(stream, consumer.x(), poison, at_once);
  for (int round = 0; round < rounds; ++round) {
    producer.launch(stream, consumer.x(), round % 2 ? odd : even, late);
    blindly ? consumer.launch_blindly(stream, round) : consumer.launch(stream, round);
    producer.launch(stream, consumer.x(), poison, at_once);
  }
  stream.synchronize();
}

const ir::Schedule& schedule_of(const char* kernel, const char* name) {
  for (const ir::Schedule& s : test::entry(kernel).schedules)
    if (s.name == name) return s;
  throw std::out_of_range(name);
}

}  // namespace

TEST_CASE("kernels beside the next grid read what the grid before wrote", "[kernels][gpu]") {
  const auto device = test::gpu();
  if (!device) return;
  jit::Runtime runtime(runtime::options_from_environment());
  for (const char* kernel : {"qkv_w4a16", "qkv_w8a16"})
    for (const char* schedule :
         {"next8x48", "next16x48", "next8x48_K4096", "next16x48_K4096", "next192x64"}) {
      const Pair pair(kernel, schedule_of(kernel, schedule));
      INFO(pair.even.config.label);
      REQUIRE(test::first_difference(outputs_of(pair.even), outputs_of(pair.odd)) != "");
      const Consumer consumer(pair.even, runtime, *device);
      REQUIRE(consumer.kernel().metadata().awaits_previous);
      run_rounds(pair, consumer, *device, false);
      for (int round = 0; round < rounds; ++round) {
        INFO("round " << round);
        CHECK(test::first_difference(consumer.result(round), outputs_of(pair.of(round))) == "");
      }
    }
}

/// That the test above sees what it is there for: the same schedule without the wait, started as
/// early, reads the poison.
TEST_CASE("a kernel that does not wait, beside the grid before it, reads poison",
          "[kernels][gpu]") {
  const auto device = test::gpu();
  if (!device) return;
  jit::Runtime runtime(runtime::options_from_environment());
  const Pair pair("qkv_w4a16", schedule_of("qkv_w4a16", "stream8x48"));
  const Consumer consumer(pair.even, runtime, *device);
  REQUIRE(!consumer.kernel().metadata().awaits_previous);
  run_rounds(pair, consumer, *device, true);
  int wrong = 0;
  for (int round = 0; round < rounds; ++round)
    wrong += test::first_difference(consumer.result(round), outputs_of(pair.of(round))) != "";
  CHECK(wrong > 0);
}

TEST_CASE("the late copy is what the assembler takes", "[kernels][ptxas]") {
  const codegen::Assembled done = test::find_ptxas().assemble(late_copy, {.sm = "sm_90"});
  CHECK(!done.cubin.empty());
}

TEST_CASE("the references of both x of a pair differ", "[kernels]") {
  const Pair pair("qkv_w4a16", schedule_of("qkv_w4a16", "next8x48"));
  const std::string difference =
      test::first_difference(outputs_of(pair.even), outputs_of(pair.odd));
  CHECK(difference.starts_with("y"));
}
