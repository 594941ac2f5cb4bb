// SPDX-License-Identifier: Apache-2.0
// The body is written twice. The computing warps' copy takes each box from its ring:
//
//   for i (.., use) { await full(use); loads from the slots; product; release(use); yield .., use+1
//   }
//
// A product that accumulates over the loop on a warpgroup's matrix unit is still reading its slots
// when the next one is issued: what it took is released one trip late, and after the loop. The
// filling thread's copy is what is left of the body without its values: loops, positions, and
//
//   for i (use) { await empty(use), phase before; announce bytes; copies; yield use+1 }
//
// Both count uses alike, through all loops around, so a filler runs into the next tile while the
// last one is still computed.
//
// A kernel that waits for the grid before it: the computing warps do so first, the filling thread
// once it has asked for the packed weights of its first step.
#include "ir/passes/split_roles.h"

#include <fmt/format.h>
#include <algorithm>
#include <optional>
#include <set>

#include "ir/diagnostic.h"
#include "ir/passes/taken_groups_p.h"
#include "ir/rewrite.h"

namespace barline::ir {
namespace {

constexpr int registers_per_sm = 65536, register_step = 8, warps_of_group = 4;
/// Steps whose weights are asked for before the wait for the grid before. A thread takes about
/// 100 ns to ask for a box, and the first product waits for all boxes of the first step.
constexpr int most_early = 1;

class RoleSplitter {
 public:
  explicit RoleSplitter(Kernel& k)
      : k_(k),
        facts_(k),
        computing_(k.launch.threads[0] / warp_size),
        taken_(k, facts_, computing_) {}

  void run() {
    check_roles();
    for (const Param& p : k_.params) outside_.insert(p.value);
    for (const Slot& s : k_.slots) outside_.insert(s.value);
    outside_.insert(k_.axis_sizes.begin(), k_.axis_sizes.end());
    Region out;
    Builder b(k_, out);
    std::vector<Operation> rest;
    bool leading = true;
    for (Operation& op : k_.body.ops) {
      if (op.is(Op::AwaitPrevious)) {
        awaits_ = true;
        continue;
      }
      if (op.is(Op::ReleaseNext)) {
        out.ops.push_back(std::move(op));
        continue;
      }
      leading = leading && op.has(Pure) && op.regions.empty();
      if (leading) outside_.insert(op.out.begin(), op.out.end());
      (leading ? out.ops : rest).push_back(std::move(op));
    }
    Region body;
    body.ops = std::move(rest);
    lift_fixed_boxes(k_, body);
    taken_.collect(body, true);
    ValueId warp = b.emit(Op::WarpId, scalar(Elem::S32), {});
    ValueId first = b.constant(Elem::S32, computing_);
    ValueId zero = b.constant(Elem::S32, 0);
    ValueId computes = b.compare(Compare::Lt, warp, first);
    append_if(
        b, computes, [&] { compute_side(b, body, zero); },
        [&] { fill_side(b, body, warp, first, zero); });
    out.ops.push_back(
        {.op = Op::Yield, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = {}});
    k_.body = std::move(out);
    k_.launch.threads[0] += warp_size * k_.roles[0].warps;
    bound_registers();
    std::erase_if(k_.rings, [](const Ring& r) { return r.by == Agent::Tma; });
    k_.roles.clear();
  }

 private:
  void check_roles() {
    bool plain = k_.launch.threads[1] == 1 && k_.launch.threads[2] == 1;
    if (k_.roles.size() == 2 && plain && computing_ % warps_of_group == 0 &&
        k_.roles[0].warps % warps_of_group == 0)
      return;
    fail(Diag::BadSchedule, {},
         fmt::format("{} roles and {} computing warps", k_.roles.size(), computing_),
         "rings by tma take two roles, the one that fills and the one that computes, each of whole "
         "warpgroups (four warps)");
  }

  /// Registers move between the roles within what the launch gives the block.
  void bound_registers() {
    const WarpRole &fills = k_.roles[0], &computes = k_.roles[1];
    if (!fills.registers && !computes.registers) return;
    int threads = k_.launch.block_threads();
    int launch = std::min(255, registers_per_sm / threads) / register_step * register_step;
    int pool = launch * threads;
    int wanted = warp_size * (fills.registers * fills.warps + computes.registers * computing_);
    if (wanted > pool)
      fail(Diag::BadSchedule, {},
           fmt::format(
               "roles of {} and {} registers: {} for the block, which is launched with {} x {}",
               fills.registers, computes.registers, wanted, launch, threads),
           "give the roles fewer registers: together at most those of the launch");
    k_.launch.max_registers = launch;
  }

  using Uses = std::map<Taken*, ValueId>;  ///< the next use of each group

  Uses all_from(ValueId zero) {
    Uses uses;
    for (Taken& t : taken_.all()) uses[&t] = zero;
    return uses;
  }

  // ---- the warps that compute ------------------------------------------------------------------

  void compute_side(Builder& b, const Region& body, ValueId zero) {
    set_registers(b, k_.roles[1]);
    await_previous(b);
    Uses uses = all_from(zero);
    compute(b, body, uses);
  }

  void compute(Builder& b, const Region& r, Uses& uses) {
    for (const Operation& op : r.ops) {
      b.at(op.loc);
      if (op.has(Terminator)) continue;
      if (Taken* t = taken_.of_load(op)) {
        if (op.out[0] == t->loads[0].out[0]) emit_take(b, t->gates, uses.at(t));
        b.append(load_from(b, t->gates.boxes[t->index_of(op.out[0])], uses.at(t), op));
        continue;
      }
      if (op.is(Op::For) && !taken_.in(op.regions[0]).empty())
        compute_loop(b, op, uses);
      else
        b.append(op);
      if (Taken* t = taken_.of_product(op)) after_product(b, *t, uses);
    }
  }

  void after_product(Builder& b, Taken& t, Uses& uses) {
    ValueId use = uses.at(&t);
    uses[&t] = plus_one(b, use);
    if (!t.late) return emit_release(b, t.gates, use);
    release_before(b, t, use, first_use_.at(&t));
  }

  /// Releases the use before `next`, if it is not before `first`.
  void release_before(Builder& b, Taken& t, ValueId next, ValueId first) {
    append_if(b, b.compare(Compare::Gt, next, first),
              [&] { emit_release(b, t.gates, b.binary(Op::Sub, next, b.constant(Elem::S32, 1))); });
  }

  /// The loop takes the groups' counts of uses; `inside` becomes those of its trip.
  void carry_in(Operation& loop, Region& trip, const std::vector<Taken*>& groups, Uses& inside) {
    for (Taken* t : groups) {
      loop.in.push_back(inside.at(t));
      trip.args.push_back(k_.new_value(scalar(Elem::S32)));
      inside[t] = trip.args.back();
    }
  }

  /// Ends the trip by `yield`, and appends the loop: `uses` become what it gives.
  void carry_out(Builder& b, Operation loop, Region trip, Operation yield,
                 const std::vector<Taken*>& groups, const Uses& inside, Uses& uses) {
    for (Taken* t : groups) {
      yield.in.push_back(inside.at(t));
      loop.out.push_back(k_.new_value(scalar(Elem::S32)));
      uses[t] = loop.out.back();
    }
    Builder(k_, trip).append(std::move(yield));
    loop.regions.push_back(std::move(trip));
    b.append(std::move(loop));
  }

  void compute_loop(Builder& b, const Operation& op, Uses& uses) {
    std::vector<Taken*> groups = taken_.in(op.regions[0]);
    Operation loop = op;
    loop.regions.clear();
    Region trip;
    trip.args = op.regions[0].args;
    Uses before = uses, inside = uses;
    carry_in(loop, trip, groups, inside);
    for (Taken* t : groups)
      if (t->late && t->stands_in(op)) first_use_[t] = uses.at(t);
    Builder in(k_, trip);
    compute(in, op.regions[0], inside);
    carry_out(b, std::move(loop), std::move(trip), op.regions[0].ops.back(), groups, inside, uses);
    for (Taken* t : groups)
      if (t->late && t->stands_in(op)) release_before(b, *t, uses.at(t), before.at(t));
  }

  ValueId plus_one(Builder& b, ValueId v) { return b.binary(Op::Add, v, b.constant(Elem::S32, 1)); }

  void set_registers(Builder& b, const WarpRole& role) {
    if (role.registers)
      b.append({.op = Op::SetRegisters,
                .in = {},
                .out = {},
                .attrs = {{Key::Registers, role.registers, {}}},
                .regions = {},
                .loc = {}});
  }

  // ---- the thread that fills -------------------------------------------------------------------

  void fill_side(Builder& b, const Region& body, ValueId warp, ValueId first, ValueId zero) {
    set_registers(b, k_.roles[0]);
    auto fills = [&] {
      Uses uses = all_from(zero);
      ValueMap map;
      before_wait_ = awaits_;
      fill(b, body, uses, map);
      if (before_wait_) await_previous(b);
    };
    auto others = [&] { await_previous(b); };
    append_if(
        b, b.compare(Compare::Eq, warp, first),
        [&] { append_if(b, b.emit(Op::Elect, scalar(Elem::I1), {}), fills, others); }, others);
    if (k_.launch.cluster > 1) arrive_at_merge(b);
  }

  /// The threads that fill arrive at the barriers of the cluster's one merge, too, and wait for
  /// none but the first, which all threads came to at the kernel's begin: one that ends while
  /// others wait is not sure to be counted.
  static void arrive_at_merge(Builder& b) {
    b.emit(Op::ClusterWait, {});
    b.emit(Op::ClusterArrive, {});
  }

  /// Each thread waits once, if the kernel waits for the grid before it.
  void await_previous(Builder& b) {
    if (awaits_) b.emit(Op::AwaitPrevious, {});
    before_wait_ = false;
  }

  bool known(ValueId v, const ValueMap& map) const {
    return outside_.contains(v) || map.contains(v);
  }

  void fill(Builder& b, const Region& r, Uses& uses, ValueMap& map) {
    for (const Operation& op : r.ops) {
      b.at(op.loc);
      if (Taken* t = taken_.of_product(op)) {
        if (before_wait_ && boxes_ == Boxes::All) await_previous(b);
        std::vector<Operation> loads = t->loads;
        for (std::size_t i = 0; i < loads.size(); ++i) {
          place(loads[i], map);
          loads[i].in[1] = plane(b, t->gates.boxes[i], loads[i].in[1]);
        }
        fill_boxes(b, *t, uses.at(t), loads);
        uses[t] = plus_one(b, uses.at(t));
      }
      if (op.is(Op::For) && !taken_.in(op.regions[0]).empty()) {
        if (may_fill_first(op)) {
          fill_first(b, op, taken_.all().front(), uses, map);
        } else {
          if (before_wait_) await_previous(b);
          fill_loop(b, op, uses, map, no_value, no_value);
        }
      } else if (op.has(Pure) && op.regions.empty() && !makes_tile(op) &&
                 std::all_of(op.in.begin(), op.in.end(),
                             [&](ValueId v) { return known(v, map); })) {
        b.append(clone(k_, op, map));
      }
    }
  }

  /// The matrix of its tensor that a box is of, once for each offset.
  ValueId plane(Builder& b, const GatedBox& box, ValueId offset) {
    auto it = planes_.find({box.box.param, offset});
    return it != planes_.end() ? it->second : plane_of(b, box, offset);
  }
  /// Those that a loop does not change, before it.
  void place_planes(Builder& b, const std::vector<Taken*>& groups, const ValueMap& map) {
    for (Taken* t : groups)
      for (const GatedBox& box : t->gates.boxes) {
        ValueId offset = box.load.in[1];
        if (!known(offset, map)) continue;
        if (auto it = map.find(offset); it != map.end()) offset = it->second;
        planes_[{box.box.param, offset}] = plane(b, box, offset);
      }
  }

  bool makes_tile(const Operation& op) const {
    return std::any_of(op.out.begin(), op.out.end(),
                       [&](ValueId v) { return k_.type(v).is_tile(); });
  }

  /// Which boxes of a group the trips at hand bring.
  enum class Boxes { All, Early, Late };

  /// Weights first: they come from farther away than what the grid before wrote.
  void fill_boxes(Builder& b, const Taken& t, ValueId use, const std::vector<Operation>& loads) {
    ValueId full = boxes_ == Boxes::Late ? no_value : emit_announce(b, t.gates, use);
    std::vector<bool> others = t.early;
    others.flip();
    if (boxes_ != Boxes::Late) emit_copies(b, t.gates, use, loads, t.early, full);
    if (boxes_ != Boxes::Early) emit_copies(b, t.gates, use, loads, others, full);
  }

  /// The weights of the first trips before the wait for the grid before, their other boxes after
  /// it; then the trips that are left.
  void fill_first(Builder& b, const Operation& op, const Taken& t, Uses& uses, ValueMap& map) {
    Operation loop = op;
    place(loop, map);
    ValueId slots = b.constant(Elem::S32, std::min(t.gates.slots, most_early));
    ValueId end = b.binary(Op::Min, loop.in[1], b.binary(Op::Add, loop.in[0], slots));
    Uses again = uses;
    boxes_ = Boxes::Early;
    fill_loop(b, op, again, map, loop.in[0], end);
    await_previous(b);
    boxes_ = Boxes::Late;
    fill_loop(b, op, uses, map, loop.in[0], end);
    boxes_ = Boxes::All;
    fill_loop(b, op, uses, map, end, loop.in[1]);
  }

  /// Do all boxes of the kernel stand in this loop, some of them weights?
  bool may_fill_first(const Operation& loop) {
    const Taken& t = taken_.all().front();
    auto step = facts_.constants.find(loop.in[2]);
    return before_wait_ && boxes_ == Boxes::All && taken_.all().size() == 1 && t.stands_in(loop) &&
           step != facts_.constants.end() && step->second == 1 &&
           std::find(t.early.begin(), t.early.end(), true) != t.early.end();
  }

  void place(Operation& load, const ValueMap& map) const {
    for (ValueId& v : load.in) {
      if (!known(v, map))
        fail(Diag::BadStructure, load.loc,
             "the position of a box of a ring by tma follows from what the kernel computes",
             "compute it by arithmetic from loop indices, sizes and the block's place");
      if (auto it = map.find(v); it != map.end()) v = it->second;
    }
  }

  /// From `lo` to `hi`, if given.
  void fill_loop(Builder& b, const Operation& op, Uses& uses, ValueMap& map, ValueId lo,
                 ValueId hi) {
    Operation loop{.op = Op::For,
                   .in = {op.in[0], op.in[1], op.in[2]},
                   .out = {},
                   .attrs = {},
                   .regions = {},
                   .loc = op.loc};
    place(loop, map);
    if (lo != no_value) loop.in[0] = lo, loop.in[1] = hi;
    Region trip;
    trip.args.push_back(k_.new_value(k_.type(op.regions[0].args[0])));
    map[op.regions[0].args[0]] = trip.args[0];
    Uses inside = uses;
    std::vector<Taken*> groups = taken_.in(op.regions[0]);
    place_planes(b, groups, map);
    carry_in(loop, trip, groups, inside);
    Builder in(k_, trip);
    fill(in, op.regions[0], inside, map);
    Operation yield{
        .op = Op::Yield, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = op.loc};
    carry_out(b, std::move(loop), std::move(trip), std::move(yield), groups, inside, uses);
  }

  Kernel& k_;
  RingFacts facts_;
  const int computing_;  ///< warps
  TakenGroups taken_;
  bool awaits_ = false;       ///< the grid before
  bool before_wait_ = false;  ///< the filling thread has not waited yet
  Boxes boxes_ = Boxes::All;
  std::set<ValueId> outside_;
  std::map<std::pair<int, ValueId>, ValueId> planes_;  ///< by tensor and offset
  std::map<Taken*, ValueId> first_use_;  ///< of the loop that a late release stands in
};

}  // namespace

void split_roles(Kernel& k) {
  bool gated =
      std::any_of(k.rings.begin(), k.rings.end(), [](const Ring& r) { return r.by == Agent::Tma; });
  if (gated) RoleSplitter(k).run();
}

}  // namespace barline::ir
