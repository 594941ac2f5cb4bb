// SPDX-License-Identifier: Apache-2.0
#include "verify/proof/plan_async.h"

namespace barline::verify::proof {

using ir::Op;
using ir::Operation;

bool is_wgmma(const Operation& op) { return op.is(Op::Wgmma) || op.is(Op::WgmmaSlots); }

bool is_copy(const Operation& op) {
  return op.is(Op::CopyAsync) || op.is(Op::CopyBulk) || op.is(Op::CopyTensor);
}

bool is_async(const Operation& op) {
  bool of_lanes = op.is(Op::CopyAsync) || op.is(Op::CommitCopies);
  return (op.has(ir::Async) && !of_lanes) || op.is(Op::StoreRemote);
}

/// The dependency wait and its release change no warp's path.
bool sets_warps_apart(const Operation& op) {
  if (op.is(Op::Barrier)) return op.find(ir::Key::Warps) != nullptr;
  bool neutral = op.is(Op::AwaitPrevious) || op.is(Op::ReleaseNext) || op.is(Op::ProxyFence);
  return is_async(op) && !neutral;
}

void note_async(const ir::Kernel& k, const std::vector<const Operation*>& defs, const Operation& op,
                Step& s) {
  s.facts.async = true;
  auto place = [&](ir::ValueId pointer, ir::ValueId at) {
    ir::Root root = ir::root_of(k, defs, pointer);
    return Place{root.slot, root.use, at};
  };
  switch (op.op) {
    case Op::Arrive:
    case Op::Await: s.gate = place(op.in[0], ir::no_value); break;
    case Op::CopyBulk: s.gate = place(op.in[4], ir::no_value); break;
    case Op::CopyTensor: s.gate = place(op.in[5], ir::no_value); break;
    case Op::Wgmma: s.matrices = {place(op.in[1], op.in[2])}; break;
    case Op::WgmmaSlots: s.matrices = {place(op.in[0], op.in[1]), place(op.in[2], op.in[3])}; break;
    default: break;
  }
  if (op.is(Op::CopyBulk) || op.is(Op::CopyTensor))
    s.copied = ir::root_of(k, defs, op.in[2]).params;
  s.facts.shared |= !s.matrices.empty();
}

}  // namespace barline::verify::proof
