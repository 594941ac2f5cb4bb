// SPDX-License-Identifier: Apache-2.0
// Slots stay when their library goes: there are as many as kernels, and each is a few words.
#include "runtime/launch/libraries.h"

#include "runtime/driver/stream.h"

namespace barline::runtime {
namespace {

driver::Library load(const driver::Device& device, const Entry& entry, Code code) {
  // Loading would end another thread's capture otherwise.
  const driver::RelaxedCapture beside_captures(device);
  if (code == Code::Ptx) return driver::Library::from_ptx(device, entry.ptx, entry.metadata.entry);
  return driver::Library::from_image(device, entry.cubin, entry.metadata.entry);
}

}  // namespace

std::shared_ptr<Libraries::Slot> Libraries::slot(const Key& key) {
  const std::lock_guard guard(mutex_);
  std::shared_ptr<Slot>& slot = slots_[key];
  if (!slot) slot = std::make_shared<Slot>();
  return slot;
}

std::shared_ptr<const driver::Library> Libraries::get(const driver::Device& device,
                                                      const Entry& entry, Code code) {
  const Hash256 bytes = code == Code::Ptx ? blake3(entry.ptx) : blake3(entry.cubin);
  const std::shared_ptr<Slot> slot = this->slot({device.context(), bytes, code});
  const std::lock_guard loading(slot->loading);
  std::shared_ptr<const driver::Library> library = slot->library.lock();
  if (!library) {
    library = std::make_shared<const driver::Library>(load(device, entry, code));
    slot->library = library;
  }
  return library;
}

}  // namespace barline::runtime
