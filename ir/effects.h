// SPDX-License-Identifier: Apache-2.0
// Effects: which slot an op touches, which copy of it, at which elements, and how. The unit that
// place_syncs orders; global memory has no entry here.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "ir/affine.h"
#include "ir/kernel.h"

namespace barline::ir {

/// A running use count of a rotating slot: base + offset; no base: a constant.
struct Use {
  ValueId base = no_value;
  std::int64_t offset = 0;
  bool known = true;  ///< false: any copy, perhaps another one in each thread
  bool operator==(const Use&) const = default;
};

struct SlotAccess {
  int slot = -1;
  Use use;
  bool write = false;
  bool atomic = false;
  int lanes = 1;                    ///< elements a thread touches
  std::optional<ThreadForm> index;  ///< offset attribute included; none: anywhere in the slot
  bool warp_synced = false;         ///< a warp_sync has happened since
  Loc loc;
};

/// The slot accesses of a kernel by the values that name them, so that ops may move meanwhile.
class SlotEffects {
 public:
  explicit SlotEffects(const Kernel& k);
  /// The access that a memory op makes, or nothing if it touches no slot.
  std::optional<SlotAccess> access(const Operation& op) const;
  /// A use count as base + offset.
  Use use_form(ValueId v) const;

 private:
  struct At {
    int slot;
    ValueId use;
  };
  const Kernel& k_;
  std::map<ValueId, At> roots_;
  std::map<ValueId, Use> uses_;
  std::map<ValueId, ThreadForm> forms_;
};

/// May a thread's access `b` touch what another thread's earlier access `a` touched, so that their
/// order matters? Conservative where an index or a use is not known.
bool may_conflict(const Kernel& k, const SlotAccess& a, const SlotAccess& b);

}  // namespace barline::ir
