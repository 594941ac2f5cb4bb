// SPDX-License-Identifier: Apache-2.0
// Units that this process has already found, by their structure: the one lookup that a host may
// make before every launch, so no text is made and no hash of a cache key computed.
#pragma once

#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/jit/unit.h"

namespace barline::jit {

/// All members may be called from any thread.
class Memory {
 public:
  /// The entry that was kept for an equal unit, or null. Equal in all that its warm key is made of.
  std::shared_ptr<const runtime::Entry> find(const Unit& unit) const;
  /// Units of a library without a build id are not kept: nothing tells their code from later code.
  void keep(const Unit& unit, std::shared_ptr<const runtime::Entry> entry);

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const runtime::Entry>, Hash, std::equal_to<>>
      entries_;  // by the unit's bytes
};

}  // namespace barline::jit
