// SPDX-License-Identifier: Apache-2.0
// Why each step orders what it must: a block's threads meet at a barrier and the first of them
// releases; whoever acquires meets its own block's threads at a barrier before they read. Arrivals
// are two atomics: max lifts a word of an earlier generation to this one's with no arrivals, add
// counts. Both are read-modify-writes, so an acquiring add sees every release before it.
#include "ir/passes/expand_meetings.h"

#include "ir/meeting.h"
#include "ir/rewrite.h"

namespace barline::ir {
namespace {

Attr counter(CounterKind kind) { return {Key::Counter, static_cast<std::int64_t>(kind), {}}; }
Attr order(MemOrder o) { return {Key::Order, static_cast<std::int64_t>(o), {}}; }
Attr gpu() { return {Key::Scope, static_cast<std::int64_t>(MemScope::Gpu), {}}; }

class Expander {
 public:
  explicit Expander(Kernel& k) : k_(k) {}

  void run() { k_.body = region(k_.body); }

 private:
  Region region(Region& from) {
    Region out;
    out.args = from.args;
    Builder b(k_, out);
    for (Operation& op : from.ops) {
      replace_uses(op, renamed_);
      b.at(op.loc);
      switch (op.op) {
        case Op::GenerationEnter: enter(b, op); break;
        case Op::GenerationRelease: release(b, op); break;
        case Op::GenerationWait: wait(b, op); break;
        case Op::ArriveLast: arrive_last(b, op); break;
        case Op::MeetAll: meet_all(b, op); break;
        default:
          for (Region& r : op.regions) r = region(r);
          b.append(std::move(op));
      }
    }
    return out;
  }

  void meet(Builder& b, const char* why) {
    b.append({.op = Op::Barrier,
              .in = {},
              .out = {},
              .attrs = {{Key::Why, 0, why}},
              .regions = {},
              .loc = b.loc()});
  }
  ValueId first(Builder& b) {
    return b.compare(Compare::Eq, b.emit(Op::ThreadRank, scalar(Elem::S32), {}),
                     b.constant(Elem::S32, 0));
  }
  ValueId number(Builder& b, std::int64_t n) { return b.constant(Elem::U64, n); }

  static std::vector<Attr> attrs(const Operation& op, CounterKind kind) {
    std::vector<Attr> list{counter(kind)};
    if (const Attr* offset = op.find(Key::Offset)) list.push_back(*offset);
    return list;
  }
  static std::vector<Attr> attrs(const Operation& op, CounterKind kind, MemOrder o) {
    std::vector<Attr> list = attrs(op, kind);
    list.push_back(order(o));
    list.push_back(gpu());
    return list;
  }
  void store(Builder& b, std::vector<ValueId> in, std::vector<Attr> list) {
    b.append({.op = Op::Store,
              .in = std::move(in),
              .out = {},
              .attrs = std::move(list),
              .regions = {},
              .loc = b.loc()});
  }

  void enter(Builder& b, const Operation& op) {
    Operation branch{.op = Op::If,
                     .in = {first(b)},
                     .out = {k_.new_value(scalar(Elem::U64))},
                     .attrs = {},
                     .regions = std::vector<Region>(2),
                     .loc = op.loc};
    b.open(branch.regions[0]);
    const ValueId before =
        b.emit(Op::Load, scalar(Elem::U64), {op.in[0], op.in[1]}, attrs(op, CounterKind::Launches));
    const ValueId now = b.binary(Op::Add, before, number(b, 1));
    store(b, {op.in[0], op.in[1], now}, attrs(op, CounterKind::Launches));
    b.emit(Op::Yield, {now});
    b.close();
    b.open(branch.regions[1]);
    b.emit(Op::Yield, {number(b, 0)});
    b.close();
    renamed_[op.out[0]] = branch.out[0];
    b.append(std::move(branch));
  }

  void release(Builder& b, const Operation& op) {
    meet(b, "writes before a release");
    append_if(b, first(b), [&] {
      store(b, {op.in[0], op.in[1], op.in[2]}, attrs(op, CounterKind::Flag, MemOrder::Release));
    });
  }

  /// Spins until the counter is at least `least`, or past the deadline.
  void spin(Builder& b, const Operation& op, CounterKind kind, ValueId least, ValueId deadline) {
    Operation loop{.op = Op::While,
                   .in = {},
                   .out = {},
                   .attrs = {},
                   .regions = std::vector<Region>(2),
                   .loc = op.loc};
    b.open(loop.regions[0]);
    const ValueId now = b.emit(Op::Load, scalar(Elem::U64), {op.in[0], op.in[1]},
                               attrs(op, kind, MemOrder::Acquire));
    ValueId behind = b.compare(Compare::Lt, now, least);
    if (deadline != no_value)
      behind = b.binary(
          Op::And, behind,
          b.compare(Compare::Lt, b.emit(Op::GlobalTimer, scalar(Elem::U64), {}), deadline));
    b.emit(Op::Condition, {behind});
    b.close();
    b.open(loop.regions[1]);
    b.emit(Op::Yield, {});
    b.close();
    b.append(std::move(loop));
  }

  void wait(Builder& b, const Operation& op) {
    if (k_.debug && op.find(Key::Timeout) && op.in.size() > 3) return wait_or_leave(b, op);
    append_if(b, first(b), [&] { spin(b, op, CounterKind::Flag, op.in[2], no_value); });
    meet(b, "a wait before reads");
  }

  /// The first thread tells the others by a slot whether the flag came.
  void wait_or_leave(Builder& b, const Operation& op) {
    const ValueId slot = block_slot("came", op.loc), zero = b.constant(Elem::S32, 0);
    meet(b, "a wait before the next");
    append_if(b, first(b), [&] {
      const ValueId deadline = b.binary(Op::Add, b.emit(Op::GlobalTimer, scalar(Elem::U64), {}),
                                        number(b, op.attr(Key::Timeout)));
      spin(b, op, CounterKind::Flag, op.in[2], deadline);
      const ValueId now = b.emit(Op::Load, scalar(Elem::U64), {op.in[0], op.in[1]},
                                 attrs(op, CounterKind::Flag, MemOrder::Acquire));
      const ValueId late = b.compare(Compare::Lt, now, op.in[2]);
      append_if(b, late, [&] {
        store(b, {op.in[0], op.in[3], report(b, op)}, {order(MemOrder::Relaxed), gpu()});
      });
      store(b, {slot, zero, b.cast(Elem::U32, late)}, {});
    });
    meet(b, "a wait before reads");
    const ValueId left = b.emit(Op::Load, scalar(Elem::U32), {slot, zero});
    append_if(b, b.compare(Compare::Ne, left, b.constant(Elem::U32, 0)),
              [&] { b.emit(Op::Leave, {}); });
  }

  /// This block, this line and this generation in a word.
  ValueId report(Builder& b, const Operation& op) {
    auto id = [&](Op what, int dim) {
      return b.emit(what, scalar(Elem::S32), {}, {{Key::Dim, dim, {}}});
    };
    ValueId block = id(Op::BlockId, 2);
    for (int dim : {1, 0})
      block =
          b.binary(Op::Add, b.binary(Op::Mul, block, id(Op::GridDim, dim)), id(Op::BlockId, dim));
    auto shifted = [&](ValueId v, int bits) {
      return b.binary(Op::Shl, v, b.constant(Elem::S32, bits));
    };
    const ValueId where = shifted(b.cast(Elem::U64, block), report_line_bits);
    const ValueId line =
        number(b, static_cast<std::int64_t>(op.loc.line) & ((1 << report_line_bits) - 1));
    return b.binary(Op::Or, shifted(op.in[2], report_line_bits + report_block_bits),
                    b.binary(Op::Or, where, line));
  }

  /// Counts the block's arrival: how many came before in this generation.
  ValueId arrive(Builder& b, const Operation& op) {
    const ValueId none = b.binary(Op::Shl, op.in[2], b.constant(Elem::S32, arrival_bits));
    auto rmw = [&](RmwKind kind, MemOrder o, ValueId v) {
      std::vector<Attr> list = attrs(op, CounterKind::Arrivals, o);
      list.push_back({Key::Rmw, static_cast<std::int64_t>(kind), {}});
      return b.emit(Op::Atomic, scalar(Elem::U64), {op.in[0], op.in[1], v}, std::move(list));
    };
    rmw(RmwKind::Max, MemOrder::Relaxed, none);
    const ValueId before = rmw(RmwKind::Add, MemOrder::AcqRel, number(b, 1));
    return b.binary(Op::And, before, number(b, most_arrivals));
  }

  void arrive_last(Builder& b, const Operation& op) {
    const ValueId slot = block_slot("is_last", op.loc), zero = b.constant(Elem::S32, 0);
    meet(b, "writes before an arrival");
    append_if(b, first(b), [&] {
      const ValueId count = b.binary(Op::Add, arrive(b, op), number(b, 1));
      const ValueId last = b.compare(Compare::Eq, count, op.in[3]);
      store(b,
            {slot, zero,
             b.emit(Op::Select, {last, b.constant(Elem::U32, 1), b.constant(Elem::U32, 0)})},
            {counter(CounterKind::Elected)});
    });
    meet(b, "an arrival before reads");
    const ValueId told =
        b.emit(Op::Load, scalar(Elem::U32), {slot, zero}, {counter(CounterKind::Elected)});
    renamed_[op.out[0]] = b.compare(Compare::Ne, told, b.constant(Elem::U32, 0));
  }

  void meet_all(Builder& b, const Operation& op) {
    meet(b, "writes before an arrival");
    append_if(b, first(b), [&] {
      arrive(b, op);
      const ValueId none = b.binary(Op::Shl, op.in[2], b.constant(Elem::S32, arrival_bits));
      spin(b, op, CounterKind::Arrivals, b.binary(Op::Add, none, op.in[3]), no_value);
    });
    meet(b, "a wait before reads");
  }

  /// The slot of one word by which the first thread tells the others; all uses share it.
  ValueId block_slot(const char* name, const Loc& loc) {
    for (const Slot& s : k_.slots)
      if (s.name == name) return s.value;
    const ValueId v = k_.new_value(pointer(Elem::U32, Space::Shared), name);
    k_.slots.push_back({name, Elem::U32, 1, 1, v, loc});
    return v;
  }

  Kernel& k_;
  ValueMap renamed_;  ///< results of meetings -> the values that hold them now
};

}  // namespace

void expand_meetings(Kernel& k) { Expander(k).run(); }

}  // namespace barline::ir
