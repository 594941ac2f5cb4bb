// SPDX-License-Identifier: Apache-2.0
// L1 is asked first, since it is the cheaper. What it does not refute is run under several
// schedules; outputs are compared with the case's reference, or with the whole kernel's own.
#include "verify/mutate.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/rewrite.h"
#include "verify/proof/recorder.h"

namespace barline::verify {
namespace {

using ir::Key;
using ir::MemOrder;
using ir::Op;
using ir::Operation;

/// May the kernel do without it?
bool may_be_needless(MutationKind kind) { return kind <= MutationKind::DropHoist; }

/// Calls visit(region, index) where op number `number` stands; true once found.
template <class Visit>
bool at_op(ir::Region& region, std::size_t& number, Visit&& visit) {
  for (std::size_t i = 0; i < region.ops.size(); ++i) {
    if (number-- == 0) {
      visit(region, i);
      return true;
    }
    for (ir::Region& inner : region.ops[i].regions)
      if (at_op(inner, number, visit)) return true;
  }
  return false;
}

/// The slot_at that a memory op goes through, if its slot rotates; else null.
const Operation* rotating_root(const ir::Kernel& k, const std::vector<const Operation*>& defs,
                               const Operation& op) {
  const Operation* at = defs[op.in[0]];
  if (!at || !at->is(Op::SlotAt)) return nullptr;
  int slot = k.slot_of(at->in[0]);
  return slot >= 0 && k.slots[slot].copies > 1 ? at : nullptr;
}

/// The access goes through a slot_at of its own, some uses later than the one it had.
void shift_slot(ir::Kernel& k, ir::Region& region, std::size_t i, std::int64_t uses) {
  const Operation* root = rotating_root(k, ir::definitions(k), region.ops[i]);
  ir::ValueId slot = root->in[0], use = root->in[1];
  ir::Type type = k.type(use), pointer = k.type(slot);
  ir::ValueId one = k.new_value(type), next = k.new_value(type), copy = k.new_value(pointer);
  region.ops[i].in[0] = copy;
  ir::Loc loc = region.ops[i].loc;
  Operation constant{Op::Const, {}, {one}, {{Key::Value, uses, {}}}, {}, loc};
  Operation add{Op::Add, {use, one}, {next}, {}, {}, loc};
  Operation at{Op::SlotAt, {slot, next}, {copy}, {}, {}, loc};
  region.ops.insert(region.ops.begin() + static_cast<std::ptrdiff_t>(i), {constant, add, at});
}

/// Copies of the slot that an access goes through.
std::int64_t copies_of(const ir::Kernel& k, const Operation& op) {
  ir::Root root = ir::root_of(k, ir::definitions(k), op.in[0]);
  return k.slots[root.slot].copies;
}

/// Where a value is used last: a region and the op there that uses it, or holds one that does.
struct LastUse {
  const ir::Region* region = nullptr;
  std::size_t op = 0;
};

void find_last_use(const ir::Region& r, ir::ValueId v, LastUse& last) {
  for (std::size_t i = 0; i < r.ops.size(); ++i) {
    if (std::find(r.ops[i].in.begin(), r.ops[i].in.end(), v) != r.ops[i].in.end()) last = {&r, i};
    for (const ir::Region& inner : r.ops[i].regions) find_last_use(inner, v, last);
  }
}

/// Position behind the last barrier that stands between op `number` and the last use of its result,
/// in that use's region; no region if there is none.
LastUse kept_over_barrier(const ir::Kernel& k, const Operation& op) {
  LastUse at;
  find_last_use(k.body, op.out[0], at);
  while (at.region && at.op > 0) {
    const Operation& before = at.region->ops[at.op - 1];
    if (&before == &op) break;
    if (before.is(Op::Barrier)) return at;
    --at.op;
  }
  return {};
}

/// Reads the value anew there, for that use. `load`: an op of `k`.
void read_again(ir::Kernel& k, const Operation& load) {
  LastUse at = kept_over_barrier(k, load);
  auto& ops = const_cast<ir::Region*>(at.region)->ops;
  ir::ValueMap map;
  Operation again = ir::clone(k, load, map);
  for (std::size_t i = at.op; i < ops.size(); ++i) ir::replace_uses(ops[i], map);
  ops.insert(ops.begin() + static_cast<std::ptrdiff_t>(at.op), std::move(again));
}

struct Judge {
  const ir::Kernel& kernel;
  const MutateOptions& options;
  std::vector<SimSchedule> schedules;
  std::vector<Outputs> expected;  ///< by case: the kernel's own outputs

  void learn() {
    for (const SimCase& c : options.cases)
      expected.push_back(run_case(kernel, c, {schedules.data(), 1}).outputs);
  }

  void simulate(const ir::Kernel& m, MutantResult& r, bool& race) {
    for (std::size_t i = 0; i < options.cases.size(); ++i) {
      SimOutcome o =
          run_case(m, options.cases[i], schedules, expected[i].empty() ? nullptr : &expected[i]);
      r.simulator =
          worse(r.simulator == Verdict::Skipped ? Verdict::Checked : r.simulator, o.verdict);
      if (o.verdict != Verdict::Refuted) continue;
      race = o.race;
      r.by = o.mismatch ? "reference" : "simulator";
      r.witness = o.witness;
      return;
    }
  }

  void judge(MutantResult& r) {
    ir::Kernel m = mutant(kernel, r.mutation);
    ProofOptions proof = options.proof;
    proof.minimal = proof.costs = false;
    proof.first_finding_only = true;
    ProofReport report = prove(m, proof);
    r.proof = report.verdict;
    if (report.verdict == Verdict::Refuted) {
      r.fate = MutantFate::Killed;
      r.by = "proof";
      r.witness = to_string(report.findings.front());
      return;
    }
    bool race = false;
    simulate(m, r, race);
    if (r.simulator == Verdict::Refuted)
      r.fate = race && r.proof == Verdict::Proved ? MutantFate::Contradiction : MutantFate::Killed;
    else if (r.proof == Verdict::Proved && may_be_needless(r.mutation.kind))
      r.fate = MutantFate::Redundant;
    if (r.fate == MutantFate::Survived && !report.findings.empty())
      r.witness = to_string(report.findings.front());
  }
};

}  // namespace

std::string_view name(MutationKind kind) {
  constexpr std::string_view names[] = {
      "drop-barrier", "drop-fence",     "drop-warp-sync", "drop-commit",     "loose-wait",
      "drop-hoist",   "weaken-release", "shift-slot",     "shift-slot-back", "shift-index"};
  return names[static_cast<int>(kind)];
}

std::string_view name(MutantFate fate) {
  constexpr std::string_view names[] = {"killed", "redundant", "survived", "contradiction"};
  return names[static_cast<int>(fate)];
}

std::vector<Mutation> mutations(const ir::Kernel& k, bool shifts) {
  std::vector<Mutation> all;
  std::vector<const Operation*> defs = ir::definitions(k);
  std::size_t number = 0;
  ir::walk(k.body, [&](const Operation& op) {
    std::size_t at = number++;
    if (op.is(Op::Barrier)) all.push_back({MutationKind::DropBarrier, at});
    if (op.is(Op::Fence)) all.push_back({MutationKind::DropFence, at});
    if (op.is(Op::WarpSync)) all.push_back({MutationKind::DropWarpSync, at});
    if (op.is(Op::CommitCopies)) all.push_back({MutationKind::DropCommit, at});
    if (op.is(Op::Barrier) && op.find(Key::Pending)) all.push_back({MutationKind::LooseWait, at});
    bool kept = op.is(Op::Load) || op.is(Op::LoadMatrix);
    if (kept && k.type(op.in[0]).space == ir::Space::Shared && kept_over_barrier(k, op).region)
      all.push_back({MutationKind::DropHoist, at});
    bool memory = op.has(ir::Reads) || op.has(ir::Writes);
    if (memory && op.attr_as<MemOrder>(Key::Order) >= MemOrder::Acquire)
      all.push_back({MutationKind::WeakenRelease, at});
    if (!shifts) return;
    bool shared = memory && k.type(op.in[0]).space == ir::Space::Shared;
    if (!shared) return;
    all.push_back({MutationKind::ShiftIndex, at});
    const Operation* root = rotating_root(k, defs, op);
    if (root) all.push_back({MutationKind::ShiftSlot, at});
    bool two_ways = root && k.slots[k.slot_of(root->in[0])].copies > 2;
    if (two_ways) all.push_back({MutationKind::ShiftSlotBack, at});
  });
  return all;
}

ir::Kernel mutant(const ir::Kernel& k, const Mutation& m) {
  ir::Kernel result = k;
  std::size_t number = m.op;
  at_op(result.body, number, [&](ir::Region& region, std::size_t i) {
    Operation& op = region.ops[i];
    switch (m.kind) {
      case MutationKind::DropBarrier:
      case MutationKind::DropFence:
      case MutationKind::DropWarpSync:
      case MutationKind::DropCommit:
        region.ops.erase(region.ops.begin() + static_cast<std::ptrdiff_t>(i));
        break;
      case MutationKind::WeakenRelease:
        op.set(Key::Order, static_cast<std::int64_t>(MemOrder::Relaxed));
        break;
      case MutationKind::ShiftIndex: op.set(Key::Offset, op.attr(Key::Offset) + 1); break;
      case MutationKind::DropHoist: read_again(result, op); break;
      case MutationKind::LooseWait: op.set(Key::Pending, op.attr(Key::Pending) + 1); break;
      case MutationKind::ShiftSlot: shift_slot(result, region, i, 1); break;
      case MutationKind::ShiftSlotBack:
        shift_slot(result, region, i, copies_of(result, op) - 1);
        break;
    }
  });
  return result;
}

std::vector<MutantResult> mutate(const ir::Kernel& lowered, const MutateOptions& options) {
  std::vector<std::string> texts = proof::op_texts(lowered);
  std::vector<const Operation*> ops;
  ir::walk(lowered.body, [&](const Operation& op) { ops.push_back(&op); });
  Judge judge{lowered, options, sim_schedules(options.random_schedules), {}};
  judge.learn();
  std::vector<MutantResult> results;
  for (const Mutation& m : mutations(lowered, options.shifts)) {
    MutantResult r;
    r.mutation = m;
    r.op = {ops[m.op]->loc, texts[m.op]};
    judge.judge(r);
    results.push_back(std::move(r));
  }
  return results;
}

std::string to_string(const MutantResult& r) {
  return fmt::format("{} {}: {}: {}{}{}", name(r.mutation.kind), ir::to_string(r.op.loc), r.op.text,
                     name(r.fate), r.by.empty() ? "" : " by ", r.by);
}

}  // namespace barline::verify
