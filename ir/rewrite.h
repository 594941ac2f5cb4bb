// SPDX-License-Identifier: Apache-2.0
// Rewriting: renaming values and copying ops, as passes and the DSL need it.
#pragma once

#include <functional>
#include <map>

#include "ir/builder.h"
#include "ir/kernel.h"

namespace barline::ir {

using ValueMap = std::map<ValueId, ValueId>;

/// Replaces every use in the region, its sub-regions included.
void replace_uses(Region& region, const ValueMap& map);
void replace_uses(Operation& op, const ValueMap& map);

/// A copy of op with its operands renamed by `map` and fresh results and region arguments, which
/// are entered into `map`.
Operation clone(Kernel& k, const Operation& op, ValueMap& map);

/// Appends copies of the region's ops, all but the terminator, and returns the terminator's
/// operands as renamed.
std::vector<ValueId> inline_region(Builder& b, const Region& region, ValueMap& map);

/// Appends the combine of a reduce on the values x and y (one a result each); gives its results.
std::vector<ValueId> inline_combine(Builder& b, const Operation& reduce,
                                    const std::vector<ValueId>& x, const std::vector<ValueId>& y);

/// Appends an `if` without results; then() and otherwise() append to its arms.
void append_if(Builder& b, ValueId condition, const std::function<void()>& then,
               const std::function<void()>& otherwise = {});

/// The value as an integer constant, if it is one.
std::optional<std::int64_t> constant_of(const Kernel& k, const std::vector<const Operation*>& defs,
                                        ValueId v);
/// The integer that a constant op holds, sign-extended where its type is signed.
std::int64_t constant_value(const Kernel& k, const Operation& constant);

}  // namespace barline::ir
