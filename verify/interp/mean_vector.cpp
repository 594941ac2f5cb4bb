// SPDX-License-Identifier: Apache-2.0
// Vectors stand in registers element after element, so packing and extracting are copies.
#include "verify/interp/meanings.h"

namespace barline::verify::sim {

void mean(Tag<Op::Pack>, Compiler& c, const Operation& op) {
  Operand out = c.define(op.out[0]);
  ir::Elem e = c.elem(op.out[0]);
  for (ir::ValueId v : op.in) {
    c.copy(c.in(v), out, e, 1, false);
    out.at += lanes * ir::bytes(e);
  }
}

void mean(Tag<Op::Extract>, Compiler& c, const Operation& op) {
  Operand from = c.in(op.in[0]);
  ir::Elem e = c.elem(op.out[0]);
  from.at += static_cast<std::uint32_t>(op.attr(ir::Key::Index)) * from.step * lanes * ir::bytes(e);
  c.copy(from, c.define(op.out[0]), e, 1, false);
}

}  // namespace barline::verify::sim
