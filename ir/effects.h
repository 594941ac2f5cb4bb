// SPDX-License-Identifier: Apache-2.0
// Effects: which slot an op touches, which copy of it, at which elements, and how. The unit that
// place_syncs orders; global memory has no entry here.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ir/affine.h"
#include "ir/kernel.h"

namespace barline::ir {

/// A running use count of a rotating slot: base * factor + offset; no base: a constant.
struct Use {
  ValueId base = no_value;
  std::int64_t offset = 0;
  bool known = true;  ///< false: any copy, perhaps another one in each thread
  std::int64_t factor = 1;
  bool operator==(const Use&) const = default;
};

struct SlotAccess {
  int slot = -1;
  Use use;
  bool write = false;
  bool atomic = false;
  int lanes = 1;  ///< elements a thread touches
  /// What the threads' indices have besides `offset`: one object for all equal ones; null: anywhere
  /// in the slot.
  std::shared_ptr<const ThreadForm> index;
  std::int64_t offset = 0;   ///< of thread 0, the attribute included
  bool warp_synced = false;  ///< a warp_sync has happened since
  bool warp_wide = false;    ///< which lane of its warp touches which elements is open
  bool async = false;  ///< a copy that nobody may touch, its own thread neither, until it landed
  int groups = 0;      ///< async: commit_copies since it was issued; 0: not committed yet
  Loc loc;
};

/// Groups are counted up to here; a copy of so many stands for all older ones.
inline constexpr int most_groups = 16;

/// The slot accesses of a kernel by the values that name them, so that ops may move meanwhile. Gates,
/// and slots that bulk or tensor copies fill, are not among them: what orders those are the gates.
class SlotEffects {
 public:
  explicit SlotEffects(const Kernel& k);
  /// The access that a memory op makes, or nothing if it touches no slot.
  std::optional<SlotAccess> access(const Operation& op) const;
  /// A use count as base * factor + offset.
  Use use_form(ValueId v) const;

 private:
  struct At {
    int slot;
    ValueId use;
  };
  struct Index {
    std::shared_ptr<const ThreadForm> form;  ///< 0 at thread 0
    std::int64_t offset = 0;
  };
  Index intern(ThreadForm form);

  const Kernel& k_;
  std::map<ValueId, At> roots_;
  std::map<ValueId, Use> uses_;
  std::map<std::pair<ValueId, int>, Index> indices_;  ///< by value and rows (load_matrix; else 0)
  std::unordered_multimap<std::size_t, std::shared_ptr<const ThreadForm>> forms_;
};

/// May a thread's access `b` touch what another thread's earlier access `a` touched (or the same
/// thread's copy that has not landed), so that their order matters? Conservative where an index or
/// a use is not known. Remembers what it compared: kernels have few different index forms.
class Conflicts {
 public:
  explicit Conflicts(const Kernel& k) : k_(k) {}
  bool operator()(const SlotAccess& a, const SlotAccess& b);

 private:
  using Pair = std::tuple<const ThreadForm*, const ThreadForm*, std::int64_t, int, int, int>;
  const Kernel& k_;
  std::map<Pair, bool> known_;
};

/// The same, for once.
bool may_conflict(const Kernel& k, const SlotAccess& a, const SlotAccess& b);

}  // namespace barline::ir
