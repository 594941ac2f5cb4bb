// SPDX-License-Identifier: Apache-2.0
#include "on_device.h"

#include <cstdio>

#include "runtime/driver/buffer.h"

namespace barline::test {

std::optional<driver::Device> gpu() {
  try {
    return driver::Driver::load()->device(0);
  } catch (const driver::Error& e) {
    if (!e.means_no_device()) throw;
    std::printf("SKIP: no GPU (%s)\n", e.what());
    return std::nullopt;
  }
}

Tensors on_device(const Problem& p, ir::Elem type, jit::Runtime& runtime,
                  const driver::Device& device) {
  jit::Prepared kernel = runtime.prepare(device, *p.kernel, type, p.config);
  Tensors result = p.tensors;
  std::map<std::string, driver::Buffer> buffers;
  std::vector<jit::Argument> arguments;
  for (const jit::SignatureParam& param : kernel.signature().params) {
    if (!param.tensor) {
      arguments.emplace_back(static_cast<float>(p.scalars.at(param.name)));
      continue;
    }
    ir::Tensor& t = result.at(param.name);
    if (param.access == ir::Access::Out) std::fill(t.data.begin(), t.data.end(), std::byte{0xa5});
    driver::Buffer& b =
        buffers.emplace(param.name, driver::Buffer(device, t.data.size())).first->second;
    b.copy_from_host(t.data);
    arguments.push_back(jit::Argument::pointer(b.pointer()));
  }
  std::vector<std::int64_t> sizes;
  for (const jit::SignatureAxis& axis : kernel.signature().axes)
    sizes.push_back(p.sizes.at(axis.name));
  driver::Stream stream(device);
  kernel.launch(stream.handle(), arguments, sizes);
  stream.synchronize();
  for (auto& [name, buffer] : buffers) buffer.copy_to_host(result.at(name).data);
  return result;
}

}  // namespace barline::test
