// SPDX-License-Identifier: Apache-2.0
#include "on_device.h"

#include <cstdio>

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

DeviceRun::DeviceRun(const Problem& p, ir::Elem type, jit::Runtime& runtime,
                     const driver::Device& device)
    : device_(device), kernel_(runtime.prepare(device, *p.kernel, type, p.config)) {
  for (const runtime::SignatureParam& param : kernel_.signature().params) {
    if (!param.tensor) {
      arguments_.emplace_back(static_cast<float>(p.scalars.at(param.name)));
      continue;
    }
    ir::Tensor t = p.tensors.at(param.name);
    driver::Buffer& b =
        buffers_.emplace(param.name, driver::Buffer(device, t.data.size())).first->second;
    arguments_.push_back(jit::Argument::pointer(b.pointer()));
    if (!param.read) std::fill(t.data.begin(), t.data.end(), std::byte{0xa5});
    if (!param.written)
      b.copy_from_host(t.data);
    else
      written_.emplace(param.name, std::move(t));
  }
  for (const runtime::SignatureAxis& axis : kernel_.signature().axes)
    sizes_.push_back(p.sizes.at(axis.name));
}

Tensors DeviceRun::run() {
  reset();
  return again();
}

Tensors DeviceRun::again() {
  driver::Stream stream(device_);
  kernel_.launch(stream.handle(), arguments_, sizes_);
  stream.synchronize();
  return written();
}

driver::Graph DeviceRun::capture(const driver::Stream& stream,
                                 const std::function<void()>& meanwhile) {
  return driver::Graph::capture(stream, [&](const driver::Stream& on) {
    kernel_.launch(on.handle(), arguments_, sizes_);
    meanwhile();
  });
}

void DeviceRun::reset() {
  for (auto& [name, t] : written_) buffers_.at(name).copy_from_host(t.data);
}

Tensors DeviceRun::written() const {
  Tensors result = written_;
  for (auto& [name, t] : result) buffers_.at(name).copy_to_host(t.data);
  return result;
}

Tensors on_device(const Problem& p, ir::Elem type, jit::Runtime& runtime,
                  const driver::Device& device) {
  Tensors result = p.tensors;
  for (auto& [name, t] : DeviceRun(p, type, runtime, device).run()) result[name] = std::move(t);
  return result;
}

}  // namespace barline::test
