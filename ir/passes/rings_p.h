// SPDX-License-Identifier: Apache-2.0
// The boxes that rings carry: what a load's tile covers of its tensor, the slot for it, the fill of
// a copy and the load from there. Shared by the parts of lower_rings.
#pragma once

#include "ir/builder.h"
#include "ir/rewrite.h"

namespace barline::ir {

/// A tile's extent in its tensor: rows x columns of the tensor's last two axes (one axis: one row).
struct StagedBox {
  int param = -1;
  Elem elem{};
  std::int64_t rows = 1, columns = 1;
};

/// The ring that a load names, or null.
const Ring* ring_of(const Kernel& k, const Operation& op);

/// What the pass asks of values while it moves the ops that define them.
struct RingFacts {
  explicit RingFacts(const Kernel& k);
  std::map<ValueId, Root> roots;              ///< of staged loads' pointers
  std::map<ValueId, std::int64_t> constants;  ///< integers
};

/// Precondition: a fragment_load of a parameter (or of a choice among such).
StagedBox staged_box(const Kernel& k, const RingFacts& facts, const Operation& load);
/// Boxes of one ring have one shape; throws BadSchedule.
void check_same_box(const StagedBox& a, const StagedBox& b, const Ring& ring,
                    const Operation& load);

/// A slot for boxes of a ring, `ring.slots` copies; its index.
int add_slot(Kernel& k, const Ring& ring, const StagedBox& box, const Loc& loc);
/// A name for a slot or gate that the kernel does not have yet: `name`, or with underscores behind.
std::string fresh_name(const Kernel& k, std::string name);
/// Where the box that the load reads begins, in elements of the tensor's last two axes.
struct BoxOrigin {
  ValueId row, col;
};
BoxOrigin origin_of(Builder& b, const StagedBox& box, const Operation& load);
/// Fills copy `use` of the slot (no_value: it has one) with the box that the load reads.
void emit_fill(Builder& b, const Ring& ring, const StagedBox& box, ValueId slot, ValueId use,
               const Operation& load);
/// The load as one from the slot, with the same result.
Operation load_from(Builder& b, const Operation& load, ValueId slot, const StagedBox& box);

/// The value as computed with the region's values renamed by `map`: copies of the pure ops of the
/// region that it is made of. What stands outside is itself.
ValueId clone_slice(Builder& b, const Region& region, ValueId v, ValueMap& map);

}  // namespace barline::ir
