// SPDX-License-Identifier: Apache-2.0
// A C++ host that runs a kernel of the library on GPU 0: rms_norm over rows of 8192 in bf16,
// compiled once, then taken from the disk cache, and compared with the kernel's own reference.
#include <cstdio>
#include <random>

#include "ir/numerics.h"
#include "kernels/kernels.h"
#include "runtime/driver/buffer.h"
#include "runtime/jit/runtime.h"

using namespace barline;

namespace {

constexpr std::int64_t rows = 64, d = 8192;

ir::Tensor random_bf16(std::vector<std::int64_t> shape, unsigned seed) {
  ir::Tensor t(ir::Elem::BF16, std::move(shape));
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  for (std::int64_t i = 0; i < t.count(); ++i)
    t.as<ir::bf16_t>()[i] = ir::num::to_bf16(normal(engine));
  return t;
}

int run() {
  auto device = driver::Driver::load()->device(0);
  dsl::Registry library;
  kernels::register_all(library);
  const dsl::KernelEntry& rms_norm = *library.find("rms_norm");

  // Which kernel: an element type, a schedule and the sizes that are bound at compile time.
  dsl::Config config{.dims = {{"d", d}}, .label = "rms_norm.bf16@row256_d8192"};
  for (const ir::Schedule& s : rms_norm.schedules)
    if (s.name == "row256_d8192") config.schedule = s;

  // prepare() may compile, load and wait; launch() is one driver call.
  jit::Runtime runtime(runtime::options_from_environment());
  jit::Prepared kernel = runtime.prepare(device, rms_norm, ir::Elem::BF16, config);

  std::map<std::string, ir::Tensor> tensors{{"x", random_bf16({rows, d}, 1)},
                                            {"w", random_bf16({d}, 2)},
                                            {"y", ir::Tensor(ir::Elem::BF16, {rows, d})}};
  driver::Buffer x(device, tensors["x"].data.size()), w(device, tensors["w"].data.size());
  driver::Buffer y(device, tensors["y"].data.size());
  x.copy_from_host(tensors["x"].data);
  w.copy_from_host(tensors["w"].data);

  driver::Stream stream(device);
  const jit::Argument arguments[] = {jit::Argument::pointer(x.pointer()),
                                     jit::Argument::pointer(w.pointer()),
                                     jit::Argument::pointer(y.pointer()), 1e-6f};
  const std::int64_t sizes[] = {rows};  // of the axes that are not bound, in order
  kernel.launch(stream.handle(), arguments, sizes);
  stream.synchronize();

  ir::Tensor got(ir::Elem::BF16, {rows, d});
  y.copy_to_host(got.data);
  rms_norm.reference({tensors, {{"eps", 1e-6}}, {{"rows", rows}, {"d", d}}, config});
  bool same = got.data == tensors["y"].data;
  std::printf("rms_norm of %lld x %lld on %s: %s\n", static_cast<long long>(rows),
              static_cast<long long>(d), device.info().name.c_str(),
              same ? "PASS, the reference's bits" : "FAIL");
  return same ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const driver::Error& e) {
    std::printf("%s: %s\n", e.means_no_device() ? "SKIP" : "FAIL", e.what());
    return e.means_no_device() ? 0 : 1;
  } catch (const std::exception& e) {
    std::printf("FAIL: %s\n", e.what());
    return 1;
  }
}
