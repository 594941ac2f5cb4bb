// SPDX-License-Identifier: Apache-2.0
// Rings whose slots gates hand over. The boxes that one product takes together share a use count
// and two gates a slot:
//
//   full[u mod slots]    phase u / slots completes when use u's copies have landed
//   empty[u mod slots]   phase u / slots completes when every computing warp has read use u
//
// so the filler of use u waits for phase u / slots - 1 of `empty` (phase -1 is complete from the
// start), and its readers for phase u / slots of `full`.
#pragma once

#include <vector>

#include "ir/passes/rings_p.h"

namespace barline::ir {

/// One operand's boxes in a group's slots.
struct GatedBox {
  Operation load;  ///< the staged load, as it was
  StagedBox box;
  int slot = -1;
  std::int64_t panel = 0;  ///< columns of a copy; fewer than the box': panels of 128 bytes
  bool swizzled = false;
};

/// What one product takes: boxes that are filled, awaited and released together.
struct GateGroup {
  int slots = 1;
  int full = -1, empty = -1;  ///< slots of the kernel; boxes that are filled once have no `empty`
  std::vector<GatedBox> boxes;
  std::int64_t bytes() const;
};

/// Does a ring by tensor copies stage the load?
bool is_gated(const Kernel& k, const Operation& op);
/// Moves gated loads that no trip of a loop changes in front of it, where one box serves all trips.
void lift_fixed_boxes(Kernel& k, Region& r);

/// Declares the slots and gates of a group of loads that a ring stages each. `loads`: staged loads
/// that one product takes; `in_place`: those that the product reads in the slot (wgmma); `readers`:
/// warps, or 0 where the boxes are filled once.
GateGroup declare_group(Kernel& k, const RingFacts& facts, const std::vector<Operation>& loads,
                        const std::vector<bool>& in_place, int readers);

/// The filler's side of use `use`: waits until the slots are free and announces the bytes of all
/// boxes; the gate that they report to.
ValueId emit_announce(Builder& b, const GateGroup& g, ValueId use);
/// Then copies those boxes that `brings` has true, where their loads say; `full`: the gate, if it
/// is at hand. The loads' coordinates are values where `b` appends; in place of a load's offset in
/// its tensor stands the number of the matrix there, `plane_of`.
void emit_copies(Builder& b, const GateGroup& g, ValueId use, const std::vector<Operation>& loads,
                 const std::vector<bool>& brings, ValueId full = no_value);
/// The number of the tensor's matrix that the offset is the start of; no value where it has one.
ValueId plane_of(Builder& b, const GatedBox& box, ValueId offset);
/// The readers' side: waits until use `use` has landed; the load from the slot; the release of it
/// by one lane of each warp, after all lanes' reads.
void emit_take(Builder& b, const GateGroup& g, ValueId use);
Operation load_from(Builder& b, const GatedBox& box, ValueId use, const Operation& load);
void emit_release(Builder& b, const GateGroup& g, ValueId use);

}  // namespace barline::ir
