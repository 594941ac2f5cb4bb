// SPDX-License-Identifier: Apache-2.0
// Code that is loaded on devices, each once: kernels that are prepared again, by whomever, share
// it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "runtime/cache/disk_cache.h"
#include "runtime/driver/library.h"

namespace barline::runtime {

/// Which of an entry's two codes is loaded: what an assembler made, or text that the driver
/// compiles now.
enum class Code { Cubin, Ptx };

/// All members may be called from any thread.
class Libraries {
 public:
  /// The entry's code on the device: the library that a kernel of it still holds, or a new one,
  /// loaded beside captures of other threads. Throws driver::Error.
  std::shared_ptr<const driver::Library> get(const driver::Device& device, const Entry& entry,
                                             Code code);

 private:
  /// Loading of one library, which others wait for.
  struct Slot {
    std::mutex loading;
    std::weak_ptr<const driver::Library> library;
  };
  /// A device has one primary context in a process. The hash is of the code.
  using Key = std::tuple<driver::abi::Context, Hash256, Code>;

  std::shared_ptr<Slot> slot(const Key& key);

  std::mutex mutex_;
  std::map<Key, std::shared_ptr<Slot>> slots_;
};

}  // namespace barline::runtime
