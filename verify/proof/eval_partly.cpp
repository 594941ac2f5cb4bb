// SPDX-License-Identifier: Apache-2.0
// What is left where an operand is not known: a name (equal names, equal values), the team over
// which it is one value, a range. Booleans that are unknown in some threads stay precise in others.
#include <algorithm>
#include <limits>
#include <optional>

#include "verify/proof/eval_p.h"

namespace barline::verify::proof {
namespace {

using ir::Elem;
using ir::Key;
using ir::Op;

/// A boolean as three-valued truth per thread, whatever its state.
struct TruthOf {
  const Value& v;
  Int unknown;
  explicit TruthOf(const Value& value)
      : v(value), unknown(value.same >= ir::Team::Warp ? MaybeWarp : Maybe) {}
  Int operator[](int t) const { return v.is_unknown() ? unknown : v.at(t); }
};

template <class F>
void lift_truth(Value& out, int n, const Value& a, const Value& b, F f) {
  TruthOf x(a), y(b);
  Value result;
  Int* r = result.set_lanes(n);
  for (int t = 0; t < n; ++t) {
    r[t] = f(x[t], y[t]);
    result.maybe |= r[t] > Yes;
  }
  out = std::move(result);
}

struct Partly : Evaluation {
  /// The widest team over which all operands are one value.
  ir::Team narrowest_team() const {
    if (op.is(Op::MoveMatrix)) return ir::Team::Thread;  // each lane takes elements of others
    if (op.is(Op::Clock) || op.is(Op::GlobalTimer)) return ir::Team::Thread;
    ir::Team team = ir::Team::Cta;
    for (ir::ValueId v : op.in) {
      const Value& x = values[v];
      if (x.is_unknown()) team = std::min(team, x.same);
      if (x.is_lanes()) team = std::min(team, lanes_team(x));
    }
    return team;
  }

  ir::Team lanes_team(const Value& v) const {
    for (int t = 0; t < ids.threads; ++t)
      if (v.lanes[t] != v.lanes[t - t % ir::warp_size] || v.lanes[t] == Maybe)
        return ir::Team::Thread;
    return ir::Team::Warp;
  }

  std::uint64_t symbol() const {
    std::uint64_t h = mix(0x5bd1e995, static_cast<std::uint64_t>(op.op));
    for (const ir::Attr& a : op.attrs) h = mix(mix(h, std::uint64_t(a.key)), Bits(a.value));
    for (ir::ValueId v : op.in) {
      const Value& x = values[v];
      if (x.is_lanes()) return 0;
      h = mix(h, x.is_uniform() ? Bits(x.uniform) : x.symbol);
      h = mix(h, x.is_uniform());
    }
    return mix(h, static_cast<std::uint64_t>(k.type(op.out[0]).elem));
  }

  void run() {
    if (ir::is_float(k.type(op.out[0]).elem) || !k.type(op.out[0]).is_scalar())
      return out().set_unknown(narrowest_team(), symbol());
    bool truth = k.type(op.out[0]).elem == Elem::I1 && !op.in.empty() && elem() == Elem::I1;
    bool uniform = narrowest_team() == ir::Team::Cta;
    if (truth && partly_true(uniform)) return;
    if (op.is(Op::Select) && partly_selected()) return;
    ir::Team team = narrowest_team();
    if (op.is(Op::Vote)) team = std::max(team, ir::Team::Warp);
    if (op.is(Op::Shuffle) && op.attr_as<ir::ShuffleMode>(Key::Mode) == ir::ShuffleMode::Index &&
        in(1).is_uniform())
      team = std::max(team, ir::Team::Warp);
    std::uint64_t name = symbol();
    std::optional<Range> r = range();
    out().set_unknown(team, name);
    set_type_range(out(), k.type(op.out[0]).elem);
    if (r) out().set_range(r->lo, r->hi);
  }

  /// and, or, not on booleans that are known in some threads. `uniform`: all of them are one value
  /// over the block, which keeps the result one value too.
  bool partly_true(bool uniform) {
    auto fixed = [&](const Value& v, Int value) { return v.is_uniform() && v.uniform == value; };
    switch (op.op) {
      case Op::And:
        if (fixed(in(0), No) || fixed(in(1), No)) return out().set_uniform(No), true;
        if (fixed(in(0), Yes)) return copy(1);
        if (fixed(in(1), Yes)) return copy(0);
        if (uniform) return false;
        lift_truth(out(), ids.threads, in(0), in(1), both);
        return true;
      case Op::Or:
        if (fixed(in(0), Yes) || fixed(in(1), Yes)) return out().set_uniform(Yes), true;
        if (fixed(in(0), No)) return copy(1);
        if (fixed(in(1), No)) return copy(0);
        if (uniform) return false;
        lift_truth(out(), ids.threads, in(0), in(1),
                   [](Int a, Int b) { return negated(both(negated(a), negated(b))); });
        return true;
      case Op::Not:
        if (uniform) return false;
        lift_truth(out(), ids.threads, in(0), in(0), [](Int a, Int) { return negated(a); });
        return true;
      default: return false;
    }
  }

  bool copy(int operand) {
    if (op.out[0] != op.in[operand]) out() = in(operand);
    return true;
  }

  bool partly_selected() {
    if (!in(0).is_known()) {
      bool equal = in(1).is_uniform() && in(2).is_uniform() && in(1).uniform == in(2).uniform;
      if (equal) out().set_uniform(in(1).uniform);
      return equal;
    }
    if (!in(0).is_uniform()) return false;
    return copy(in(0).uniform ? 1 : 2);
  }

  struct Range {
    Int lo, hi;
  };
  static constexpr Int unbounded = std::numeric_limits<Int>::max();

  Range range_of(const Value& v) const {
    if (v.is_uniform()) return {v.uniform, v.uniform};
    if (v.is_unknown()) return {v.lo, v.hi};
    auto [lo, hi] = std::minmax_element(v.lanes.begin(), v.lanes.end());
    return {*lo, *hi};
  }
  /// The range if every value in it is one of the type.
  static std::optional<Range> within(Elem e, Range r) {
    Value type;
    set_type_range(type, e);
    if (r.lo < type.lo || r.hi > type.hi) return {};
    return r;
  }

  /// The range of a result whose operands lie in ranges that cannot wrap.
  std::optional<Range> range() const {
    if (op.is(Op::Cast) && elem() == Elem::I1) return Range{0, 1};
    if (op.in.empty() || !ir::is_int(elem()) || !ir::is_int(k.type(op.out[0]).elem)) return {};
    if (op.is(Op::Cast)) return within(k.type(op.out[0]).elem, range_of(in(0)));
    if (op.in.size() < 2 || !ir::is_int(elem(1))) return {};
    Range a = range_of(in(0)), b = range_of(in(1));
    if (op.is(Op::Add) || op.is(Op::Sub) || op.is(Op::Mul)) return arithmetic(a, b);
    return bounded(a, b);
  }

  std::optional<Range> bounded(Range a, Range b) const {
    switch (op.op) {
      case Op::And:
        if (b.lo >= 0) return Range{0, b.hi};
        if (a.lo >= 0) return Range{0, a.hi};
        return {};
      case Op::Rem:
        if (b.lo > 0 && a.lo >= 0) return Range{0, std::min(a.hi, b.hi - 1)};
        return {};
      case Op::Min:
        if (ir::is_signed(elem())) return Range{std::min(a.lo, b.lo), std::min(a.hi, b.hi)};
        return {};
      case Op::Max:
        if (ir::is_signed(elem())) return Range{std::max(a.lo, b.lo), std::max(a.hi, b.hi)};
        return {};
      case Op::Shr:
        if (a.lo < 0 || b.lo < 0 || b.lo >= 64 || a.hi == unbounded) return {};
        return Range{0, a.hi >> b.lo};
      case Op::Div:
        if (a.lo < 0 || b.lo <= 0 || a.hi == unbounded) return {};
        return Range{a.lo / b.hi, a.hi / b.lo};
      default: return {};
    }
  }

  std::optional<Range> arithmetic(Range a, Range b) const {
    constexpr Int small = Int{1} << 30;
    auto is_small = [](Range r) { return r.lo >= -small && r.hi <= small; };
    if (!is_small(a) || !is_small(b)) return {};
    if (op.is(Op::Add)) return within(elem(), {a.lo + b.lo, a.hi + b.hi});
    if (op.is(Op::Sub)) return within(elem(), {a.lo - b.hi, a.hi - b.lo});
    auto [lo, hi] = std::minmax({a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi});
    return within(elem(), {lo, hi});
  }
};

}  // namespace

void set_type_range(Value& v, Elem e) {
  if (!ir::is_int(e) && e != Elem::I1) return;
  if (width(e) >= 64) {
    if (!ir::is_signed(e)) v.lo = 0;  // a u64 past the signed range counts as unbounded above
    return;
  }
  v.lo = ir::is_signed(e) ? -(Int{1} << (width(e) - 1)) : 0;
  v.hi = (Int{1} << (width(e) - ir::is_signed(e))) - 1;
}

void evaluate_partly(const Evaluation& e) { Partly{e}.run(); }

}  // namespace barline::verify::proof
