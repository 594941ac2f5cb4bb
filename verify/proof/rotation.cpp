// SPDX-License-Identifier: Apache-2.0
// A slot of n copies whose use count grows by s a trip is back after n / gcd(n, s) trips. The
// stride is read off the plain forms, the loop's index or a carried count, times and plus
// constants; of others it is taken as 1. The replay compares its trips (Machine::note_period), so a
// stride that is taken wrong only costs the claim that longer loops are like shorter ones.
#include "verify/proof/rotation.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

namespace barline::verify::proof {
namespace {

using ir::Key;
using ir::Op;
using ir::Operation;
using ir::ValueId;

constexpr int longest = 64;

class Strides {
 public:
  explicit Strides(const ir::Kernel& k) : k_(k), defs_(ir::definitions(k)) {
    ir::walk(k.body, [&](const Operation& op) {
      if (!op.is(Op::For)) return;
      const ir::Region& body = op.regions[0];
      steps_[body.args[0]] = constant(op.in[2]).value_or(1);
      const std::vector<ValueId>& next = body.ops.back().in;
      for (std::size_t i = 0; i < next.size(); ++i) {
        const Operation* add = defs_[next[i]];
        bool counts = add && add->is(Op::Add) && add->in[0] == body.args[i + 1];
        if (counts) steps_[body.args[i + 1]] = constant(add->in[1]).value_or(1);
      }
    });
  }

  /// 0: the use is the same in every trip.
  std::int64_t of(ValueId use) const {
    std::int64_t factor = 1;
    while (const Operation* op = defs_[use]) {
      if (op->is(Op::Const)) return 0;
      auto c = op->in.size() == 2 ? constant(op->in[1]) : std::nullopt;
      if (!c || !(op->is(Op::Add) || op->is(Op::Sub) || op->is(Op::Mul))) return 1;
      if (op->is(Op::Mul)) factor *= *c;
      use = op->in[0];
    }
    auto it = steps_.find(use);
    return it == steps_.end() ? 1 : it->second * factor;
  }

 private:
  std::optional<std::int64_t> constant(ValueId v) const {
    const Operation* op = defs_[v];
    if (!op || !op->is(Op::Const)) return std::nullopt;
    return static_cast<std::int32_t>(op->attr(Key::Value));
  }

  const ir::Kernel& k_;
  std::vector<const Operation*> defs_;
  std::map<ValueId, std::int64_t> steps_;
};

}  // namespace

Rotation rotation_of(const ir::Kernel& k) {
  Strides strides(k);
  std::int64_t period = 1, most = 1;
  int groups = 0;
  ir::walk(k.body, [&](const Operation& op) {
    if (op.is(Op::Barrier) && op.find(Key::Pending))
      groups = std::max(groups, static_cast<int>(op.attr(Key::Pending)) + 1);
    if (!op.is(Op::SlotAt)) return;
    int slot = k.slot_of(op.in[0]);
    if (slot < 0) return;
    std::int64_t copies = k.slots[slot].copies;
    std::int64_t trips = copies / std::gcd(copies, strides.of(op.in[1]));
    period = std::lcm(period, trips);
    most = std::max(most, trips);
    if (period > longest) period = longest;
  });
  Rotation r;
  r.period = static_cast<int>(period);
  r.ragged = static_cast<int>(groups ? std::max<std::int64_t>(most, groups) : 1);
  return r;
}

}  // namespace barline::verify::proof
