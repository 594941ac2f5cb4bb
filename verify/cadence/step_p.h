// SPDX-License-Identifier: Apache-2.0
// One steady step of a loop as a line of items: its body from the first barrier on, then what the
// next step does before its own first barrier.
#pragma once

#include <optional>
#include <vector>

#include "ir/effects.h"

namespace barline::verify::cadence {

struct Item {
  enum Kind : std::uint8_t { Access, Barrier, Commit, Product } kind{};
  const ir::Operation* op = nullptr;
  bool next = false;        ///< it belongs to the body of the next step
  bool inner = false;       ///< within a loop of the body
  ir::SlotAccess access{};  ///< of an Access
};

/// The items of a step; no Barrier is among them if the loop has none of its own.
std::vector<Item> step_of(const ir::Operation& loop, const ir::SlotEffects& effects);

/// A use count in step i of a loop: factor * i + offset, from `base` on (none: from zero on).
struct StepUse {
  ir::ValueId base = ir::no_value;
  std::int64_t factor = 0, offset = 0;
};

/// How the use counts of a `for` step on: its index and what it carries. Nothing where a use is not
/// known, or counted by what changes from step to step in another way.
std::optional<StepUse> step_use(const ir::Operation& loop, const ir::SlotEffects& effects,
                                const ir::Use& use);

}  // namespace barline::verify::cadence
