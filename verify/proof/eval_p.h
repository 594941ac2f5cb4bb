// SPDX-License-Identifier: Apache-2.0
// One evaluation of an op, shared by the part that knows all operands and the part that does not.
#pragma once

#include "verify/proof/eval.h"

namespace barline::verify::proof {

using Int = std::int64_t;
using Bits = std::uint64_t;

inline int width(ir::Elem e) { return ir::bits(e); }

struct Evaluation {
  const ir::Kernel& k;
  const ir::Operation& op;
  std::vector<Value>& values;
  const Ids& ids;
  std::span<const std::uint8_t> active;
  bool& zero_divisor;

  const Value& in(int i) const { return values[op.in[i]]; }
  Value& out() const { return values[op.out[0]]; }
  ir::Elem elem(int i = 0) const { return k.type(op.in[i]).elem; }
};

/// The result where an operand is not known, or where the op is not followed: what team it is one
/// value over, its range, and which threads' truth is known all the same.
void evaluate_partly(const Evaluation& e);

}  // namespace barline::verify::proof
