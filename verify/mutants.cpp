// SPDX-License-Identifier: Apache-2.0
// What is done to a kernel: which places invite which mutation, and the kernel with it done.
#include <algorithm>
#include <map>
#include <optional>

#include "ir/rewrite.h"
#include "verify/mutate.h"

namespace barline::verify {
namespace {

using ir::Key;
using ir::MemOrder;
using ir::Op;
using ir::Operation;

constexpr std::int64_t copy_unit = 16;  ///< bytes

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

/// The slot_at that operand 0 goes through, if its slot rotates; else null.
const Operation* rotating_root(const ir::Kernel& k, const std::vector<const Operation*>& defs,
                               const Operation& op) {
  const Operation* at = op.in.empty() ? nullptr : defs[op.in[0]];
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

/// Operand `i` becomes itself plus a number.
void add_to_operand(ir::Kernel& k, ir::Region& region, std::size_t op, std::size_t i,
                    std::int64_t n) {
  const ir::ValueId was = region.ops[op].in[i];
  const ir::ValueId number = k.new_value(k.type(was)), sum = k.new_value(k.type(was));
  const ir::Loc loc = region.ops[op].loc;
  region.ops[op].in[i] = sum;
  region.ops.insert(region.ops.begin() + static_cast<std::ptrdiff_t>(op),
                    {Operation{Op::Const, {}, {number}, {{Key::Value, n, {}}}, {}, loc},
                     Operation{Op::Add, {was, number}, {sum}, {}, {}, loc}});
}

/// The loop takes a trip less.
void end_earlier(ir::Kernel& k, ir::Region& region, std::size_t i) {
  Operation& loop = region.ops[i];
  const ir::ValueId hi = loop.in[1], less = k.new_value(k.type(hi));
  Operation sub{Op::Sub, {hi, loop.in[2]}, {less}, {}, {}, loop.loc};
  loop.in[1] = less;
  region.ops.insert(region.ops.begin() + static_cast<std::ptrdiff_t>(i), std::move(sub));
}

bool is_counter(const Operation& op, ir::CounterKind kind) {
  return op.find(Key::Counter) && op.attr_as<ir::CounterKind>(Key::Counter) == kind;
}

/// The op goes; what it passed on is used as it was.
void drop(ir::Kernel& k, ir::Region& region, std::size_t i) {
  const Operation gone = region.ops[i];
  region.ops.erase(region.ops.begin() + static_cast<std::ptrdiff_t>(i));
  ir::ValueMap map;
  for (std::size_t v = 0; v < gone.out.size(); ++v) map[gone.out[v]] = gone.in[v];
  if (!map.empty()) ir::replace_uses(k.body, map);
}

/// Ops that are simply left out.
std::optional<MutationKind> dropped(Op op) {
  switch (op) {
    case Op::Barrier: return MutationKind::DropBarrier;
    case Op::Fence: return MutationKind::DropFence;
    case Op::WarpSync: return MutationKind::DropWarpSync;
    case Op::CommitCopies:
    case Op::WgmmaCommit: return MutationKind::DropCommit;
    case Op::Await: return MutationKind::DropAwait;
    case Op::Arrive: return MutationKind::DropArrive;
    case Op::WgmmaFence: return MutationKind::DropProductFence;
    case Op::ProxyFence: return MutationKind::DropProxyFence;
    case Op::ClusterArrive:
    case Op::ClusterWait: return MutationKind::DropClusterSync;
    case Op::AwaitPrevious: return MutationKind::DropAwaitPrevious;
    default: return std::nullopt;
  }
}

/// Gates, and what a copy fills: the ops that keep a ring's stages.
bool is_of_a_stage(const Operation& op) {
  return op.is(Op::Await) || op.is(Op::Arrive) || op.is(Op::CopyTensor) || op.is(Op::CopyBulk);
}

/// What a kernel whose blocks meet invites at its ops.
class MeetingInvitations {
 public:
  MeetingInvitations(const ir::Kernel& k, const std::vector<const Operation*>& defs)
      : k_(k), defs_(defs) {
    ir::walk(k.body, [&](const Operation& op) {
      meets_ = meets_ || op.find(Key::Counter);
      if (!op.is(Op::Store) || !is_counter(op, ir::CounterKind::Elected)) return;
      const Operation* choice = defs[op.in[2]];
      if (choice && choice->is(Op::Select)) elections_.push_back(choice->in[0]);
    });
  }

  template <class Add>
  void invite(const Operation& op, Add& add) const {
    if (!meets_) return;
    if (op.is(Op::Cmp)) {
      const Operation* read = defs_[op.in[0]];
      add(read && read->is(Op::Load) && read->find(Key::Counter) &&
              !is_counter(*read, ir::CounterKind::Elected),
          MutationKind::WaitEarlier);
      const bool elects =
          std::find(elections_.begin(), elections_.end(), op.out[0]) != elections_.end();
      add(elects, MutationKind::ElectEarlier);
      add(elects, MutationKind::ElectLater);
    }
    add(op.is(Op::Atomic) && is_counter(op, ir::CounterKind::Arrivals) &&
            op.attr_as<ir::RmwKind>(Key::Rmw) == ir::RmwKind::Max,
        MutationKind::DropLift);
    add(op.is(Op::For) && !op.out.empty() && reads_parameters(op), MutationKind::ShortenRange);
    add(op.is(Op::Store) && !op.find(Key::Counter) && k_.type(op.in[0]).space == ir::Space::Global,
        MutationKind::ShiftStore);
  }

 private:
  bool reads_parameters(const Operation& loop) const {
    return std::any_of(loop.regions[0].ops.begin(), loop.regions[0].ops.end(),
                       [&](const Operation& op) {
                         return op.is(Op::Load) && k_.type(op.in[0]).space == ir::Space::Global;
                       });
  }

  const ir::Kernel& k_;
  const std::vector<const Operation*>& defs_;
  bool meets_ = false;
  std::vector<ir::ValueId> elections_;  ///< the comparisons that say who is the last
};

/// The mutations that one op invites.
class Invitations {
 public:
  Invitations(const ir::Kernel& k, bool shifts)
      : k_(k), defs_(ir::definitions(k)), meetings_(k, defs_), shifts_(shifts) {}

  std::vector<MutationKind> of(const Operation& op) const {
    std::vector<MutationKind> kinds;
    auto add = [&](bool invited, MutationKind kind) {
      if (invited) kinds.push_back(kind);
    };
    if (auto kind = dropped(op.op)) kinds.push_back(*kind);
    add((op.is(Op::Barrier) && op.find(Key::Pending)) || op.is(Op::WgmmaWait),
        MutationKind::LooseWait);
    const bool kept = op.is(Op::Load) || op.is(Op::LoadMatrix);
    add(kept && k_.type(op.in[0]).space == ir::Space::Shared && kept_over_barrier(k_, op).region,
        MutationKind::DropHoist);
    const bool memory = op.has(ir::Reads) || op.has(ir::Writes);
    add(memory && op.attr_as<MemOrder>(Key::Order) >= MemOrder::Acquire,
        MutationKind::WeakenRelease);
    meetings_.invite(op, add);
    add(op.is(Op::Await), MutationKind::FlipParity);
    const bool announces = op.is(Op::Arrive) && op.attr(Key::Bytes) > 0;
    add(announces, MutationKind::MoreBytes);
    add(announces, MutationKind::FewerBytes);
    const Operation* root = rotating_root(k_, defs_, op);
    add(root && is_of_a_stage(op), MutationKind::ShiftStage);
    if (shifts_) add_shifts(op, root, memory, add);
    return kinds;
  }

 private:
  template <class Add>
  void add_shifts(const Operation& op, const Operation* root, bool memory, Add& add) const {
    if (!memory || is_of_a_stage(op) || k_.type(op.in[0]).space != ir::Space::Shared) return;
    add(true, MutationKind::ShiftIndex);
    add(root, MutationKind::ShiftSlot);
    add(root && k_.slots[k_.slot_of(root->in[0])].copies > 2, MutationKind::ShiftSlotBack);
  }

  const ir::Kernel& k_;
  std::vector<const Operation*> defs_;
  MeetingInvitations meetings_;
  bool shifts_;
};

void change(ir::Kernel& k, ir::Region& region, std::size_t i, MutationKind kind) {
  Operation& op = region.ops[i];
  switch (kind) {
    case MutationKind::WeakenRelease:
      return op.set(Key::Order, static_cast<std::int64_t>(MemOrder::Relaxed));
    case MutationKind::ShiftIndex: return op.set(Key::Offset, op.attr(Key::Offset) + 1);
    case MutationKind::DropHoist: return read_again(k, op);
    case MutationKind::LooseWait: return op.set(Key::Pending, op.attr(Key::Pending) + 1);
    case MutationKind::ShiftStage:
    case MutationKind::ShiftSlot: return shift_slot(k, region, i, 1);
    case MutationKind::ShiftSlotBack: return shift_slot(k, region, i, copies_of(k, op) - 1);
    case MutationKind::WaitEarlier:
    case MutationKind::ElectEarlier: return add_to_operand(k, region, i, 1, -1);
    case MutationKind::ElectLater: return add_to_operand(k, region, i, 1, 1);
    case MutationKind::ShortenRange: return end_earlier(k, region, i);
    case MutationKind::ShiftStore:
      return add_to_operand(k, region, i, 1, std::max<int>(k.type(op.in[2]).lanes, 1));
    case MutationKind::FlipParity: return add_to_operand(k, region, i, 1, -1);
    case MutationKind::MoreBytes: return op.set(Key::Bytes, op.attr(Key::Bytes) + copy_unit);
    case MutationKind::FewerBytes: return op.set(Key::Bytes, op.attr(Key::Bytes) - copy_unit);
    default: return drop(k, region, i);
  }
}

}  // namespace

std::string_view name(MutationKind kind) {
  constexpr std::string_view names[] = {
#define MUTATION(kind, name, doc) name,
#include "verify/mutations.def"
#undef MUTATION
  };
  return names[static_cast<int>(kind)];
}

std::vector<Mutation> mutations(const ir::Kernel& k, bool shifts) {
  std::vector<Mutation> all;
  const Invitations invitations(k, shifts);
  std::size_t number = 0;
  ir::walk(k.body, [&](const Operation& op) {
    for (MutationKind kind : invitations.of(op)) all.push_back({kind, number});
    ++number;
  });
  return all;
}

std::vector<Mutation> sampled(const std::vector<Mutation>& all, std::size_t most_of_a_kind) {
  if (!most_of_a_kind) return all;
  std::map<MutationKind, std::size_t> count, seen;
  for (const Mutation& m : all) ++count[m.kind];
  std::vector<Mutation> some;
  for (const Mutation& m : all) {
    const std::size_t n = count[m.kind], most = std::min(n, most_of_a_kind), i = seen[m.kind]++;
    if (i * most / n != (i + 1) * most / n) some.push_back(m);
  }
  return some;
}

ir::Kernel mutant(const ir::Kernel& k, const Mutation& m) {
  ir::Kernel result = k;
  std::size_t number = m.op;
  at_op(result.body, number,
        [&](ir::Region& region, std::size_t i) { change(result, region, i, m.kind); });
  return result;
}

}  // namespace barline::verify
