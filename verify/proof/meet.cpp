// SPDX-License-Identifier: Apache-2.0
// The replay's accesses of counters by which blocks meet: by one thread, at a known element, with
// known values.
#include "verify/proof/machine.h"
#include "verify/proof/meetings.h"

namespace barline::verify::proof {

using ir::CounterKind;
using ir::Key;
using ir::Op;

void Machine::counter(const Step& s, const Mask& mask, const Value& index) {
  Meetings& m = *state_.meetings;
  const bool elected = s.op->attr_as<CounterKind>(Key::Counter) == CounterKind::Elected;
  if (elected && s.op->is(Op::Load)) {
    if (wants(s.op->out[0])) values_[s.op->out[0]].set_uniform(m.elected());
    return;
  }
  int thread = 0;
  while (thread < ids_.threads && mask.on[thread] == No) ++thread;
  if (mask.count != 1 || mask.on[thread] != Yes || !index.is_known())
    return m.doubt(s, "a counter is for one thread of a block, at a known place");
  std::uint64_t operand = 0;
  if (!s.op->is(Op::Load)) {
    const Value& v = values_[s.op->in[2]];
    if (!v.is_known()) return m.doubt(s, "what goes to a counter follows from data");
    operand = static_cast<std::uint64_t>(v.at(thread));
  }
  const Moment at{epoch_, number_, thread};
  if (elected) return m.elect(s, static_cast<std::int64_t>(operand));
  const CounterAt where{s.param, index.at(thread) + s.offset};
  if (s.op->is(Op::Store)) return m.store(s, where, at, operand);
  const std::uint64_t read =
      s.op->is(Op::Load) ? m.load(s, where, at) : m.update(s, where, at, operand);
  if (!s.op->out.empty() && wants(s.op->out[0]))
    values_[s.op->out[0]].set_uniform(static_cast<std::int64_t>(read));
}

}  // namespace barline::verify::proof
