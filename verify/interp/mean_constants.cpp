// SPDX-License-Identifier: Apache-2.0
// Constants and ids: registers that are filled before a block runs; no instruction is left of them.
#include "verify/interp/meanings.h"

namespace barline::verify::sim {

using Source = Preset::Source;

void mean(Tag<Op::Const>, Compiler& c, const Operation& op) {
  c.preset(op.out[0],
           {.source = Source::Bits, .bits = static_cast<std::uint64_t>(op.attr(ir::Key::Value))});
}
void mean(Tag<Op::ThreadId>, Compiler& c, const Operation& op) {
  c.preset(op.out[0], {.source = Source::ThreadId, .dim = static_cast<int>(op.attr(ir::Key::Dim))});
}
void mean(Tag<Op::BlockId>, Compiler& c, const Operation& op) {
  c.preset(op.out[0], {.source = Source::BlockId, .dim = static_cast<int>(op.attr(ir::Key::Dim))});
}
void mean(Tag<Op::GridDim>, Compiler& c, const Operation& op) {
  std::int64_t blocks = c.geometry().grid[op.attr(ir::Key::Dim)];
  c.preset(op.out[0], {.source = Source::Bits, .bits = static_cast<std::uint64_t>(blocks)});
}
void mean(Tag<Op::ThreadRank>, Compiler& c, const Operation& op) {
  c.preset(op.out[0], {.source = Source::Rank});
}
void mean(Tag<Op::LaneId>, Compiler& c, const Operation& op) {
  c.preset(op.out[0], {.source = Source::Lane});
}
void mean(Tag<Op::WarpId>, Compiler& c, const Operation& op) {
  c.preset(op.out[0], {.source = Source::WarpIndex});
}

}  // namespace barline::verify::sim
