// SPDX-License-Identifier: Apache-2.0
// Each op is a scalar function of 64-bit integers that are extended by their type's sign. Uniform
// operands give a uniform result without touching lanes, which is most of the speed. Operands
// that are not known are the business of eval_partly.cpp.
#include <algorithm>
#include <bit>

#include "verify/proof/eval_p.h"

namespace barline::verify::proof {
namespace {

using ir::Elem;
using ir::Key;
using ir::Op;
using ir::Operation;

Bits low_bits(Elem e, Int v) {
  return width(e) >= 64 ? Bits(v) : Bits(v) & ((Bits{1} << width(e)) - 1);
}

struct Source {
  const Int* data;
  int step;
  explicit Source(const Value& v)
      : data(v.is_uniform() ? &v.uniform : v.lanes.data()), step(v.is_uniform() ? 0 : 1) {}
  Int operator[](int t) const { return data[t * step]; }
};

template <class F>
void lift(Value& out, int n, const Value& a, F f) {
  if (a.is_uniform()) return out.set_uniform(f(a.uniform));
  Source x(a);
  Int* r = out.set_lanes(n);
  for (int t = 0; t < n; ++t) r[t] = f(x[t]);
}

template <class F>
void lift(Value& out, int n, const Value& a, const Value& b, F f) {
  if (a.is_uniform() && b.is_uniform()) return out.set_uniform(f(a.uniform, b.uniform));
  Source x(a), y(b);
  Int* r = out.set_lanes(n);
  for (int t = 0; t < n; ++t) r[t] = f(x[t], y[t]);
}

/// Wrapping to the element type as a loop without branches inside.
template <class F>
void lift_wrapped(Value& out, int n, Elem e, const Value& a, const Value& b, F f) {
  auto as = [&]<class T>(T) {
    lift(out, n, a, b, [&](Int x, Int y) { return static_cast<Int>(static_cast<T>(f(x, y))); });
  };
  switch (e) {
    case Elem::S8: return as(std::int8_t{});
    case Elem::S16: return as(std::int16_t{});
    case Elem::S32: return as(std::int32_t{});
    case Elem::U8: return as(std::uint8_t{});
    case Elem::U16: return as(std::uint16_t{});
    case Elem::U32: return as(std::uint32_t{});
    default: return as(Int{});
  }
}

bool compare(ir::Compare pred, bool is_signed, Int a, Int b) {
  bool less = is_signed ? a < b : Bits(a) < Bits(b);
  switch (pred) {
    case ir::Compare::Eq: return a == b;
    case ir::Compare::Ne: return a != b;
    case ir::Compare::Lt: return less;
    case ir::Compare::Le: return less || a == b;
    case ir::Compare::Gt: return !less && a != b;
    default: return !less;
  }
}

Int divide(Elem e, bool remainder, Int a, Int b) {
  if (b == 0) return 0;
  if (!ir::is_signed(e)) return Int(remainder ? Bits(a) % Bits(b) : Bits(a) / Bits(b));
  if (b == -1) return remainder ? 0 : wrap(e, Int(-Bits(a)));
  return remainder ? a % b : a / b;
}

Int shift(Elem e, bool left, Int a, Int n) {
  Bits count = Bits(n);
  if (count >= Bits(width(e))) return !left && a < 0 && ir::is_signed(e) ? -1 : 0;
  if (left) return wrap(e, Int(Bits(a) << count));
  return ir::is_signed(e) ? a >> count : Int(Bits(a) >> count);
}

Int high_half(Elem e, Int a, Int b) {
  int w = width(e);
  if (ir::is_signed(e)) return wrap(e, Int((static_cast<__int128>(a) * b) >> w));
  return wrap(e, Int((static_cast<unsigned __int128>(Bits(a)) * Bits(b)) >> w));
}

Int permute_bytes(Int a, Int b, Int selector) {
  Bits bytes = (Bits(b) & 0xffffffff) << 32 | (Bits(a) & 0xffffffff);
  Bits result = 0;
  for (int i = 0; i < 4; ++i) {
    int nibble = int(Bits(selector) >> (4 * i)) & 15;
    Bits byte = bytes >> (8 * (nibble & 7)) & 0xff;
    if (nibble & 8) byte = byte & 0x80 ? 0xff : 0;
    result |= byte << (8 * i);
  }
  return Int(result);
}

Int reversed(Elem e, Int v) {
  Bits in = low_bits(e, v), out = 0;
  for (int i = 0; i < width(e); ++i) out |= (in >> i & 1) << (width(e) - 1 - i);
  return wrap(e, Int(out));
}

struct Evaluator : Evaluation {
  void run() {
    if (id()) return;
    bool followed = !ir::is_float(k.type(op.out[0]).elem) && k.type(op.out[0]).is_scalar();
    bool known = !op.in.empty();
    for (ir::ValueId v : op.in) known = known && values[v].is_known();
    if (followed && known && op.has(ir::Convergent)) return warp_op();
    if (!followed || !known || !known_op()) evaluate_partly(*this);
  }

  bool id() {
    std::int32_t const* shape = ids.block_shape;
    int dim = static_cast<int>(op.attr(Key::Dim));
    auto per_thread = [&](auto f) {
      Int* r = out().set_lanes(ids.threads);
      for (int t = 0; t < ids.threads; ++t) r[t] = f(ids.first + t);
      return true;
    };
    switch (op.op) {
      case Op::Const:
        if (!ir::is_int(k.type(op.out[0]).elem) && k.type(op.out[0]).elem != Elem::I1) return false;
        out().set_uniform(wrap(k.type(op.out[0]).elem, op.attr(Key::Value)));
        return true;
      case Op::ThreadId:
        return per_thread([&](int t) -> Int {
          return dim == 0   ? t % shape[0]
                 : dim == 1 ? t / shape[0] % shape[1]
                            : t / shape[0] / shape[1];
        });
      case Op::BlockId: out().set_uniform(ids.block[dim]); return true;
      case Op::GridDim: out().set_uniform(ids.grid[dim]); return true;
      case Op::ThreadRank: return per_thread([](int t) -> Int { return t; });
      case Op::LaneId: return per_thread([](int t) -> Int { return t % ir::warp_size; });
      case Op::Elect: return per_thread([](int t) -> Int { return t % ir::warp_size == 0; });
      case Op::ClusterRank: out().set_uniform(ids.block[0] % ids.cluster); return true;
      case Op::WarpId: return per_thread([](int t) -> Int { return t / ir::warp_size; });
      default: return false;
    }
  }

  bool known_op() {
    int n = ids.threads;
    Elem e = elem();
    bool integers = ir::is_int(e) || e == Elem::I1;
    if (!integers && !op.is(Op::Select)) return false;
    switch (op.op) {
      case Op::Add:
        lift_wrapped(out(), n, e, in(0), in(1),
                     [](Int a, Int b) { return Int(Bits(a) + Bits(b)); });
        return true;
      case Op::Sub:
        lift_wrapped(out(), n, e, in(0), in(1),
                     [](Int a, Int b) { return Int(Bits(a) - Bits(b)); });
        return true;
      case Op::Mul:
        lift_wrapped(out(), n, e, in(0), in(1),
                     [](Int a, Int b) { return Int(Bits(a) * Bits(b)); });
        return true;
      case Op::MulHi:
        lift(out(), n, in(0), in(1), [e](Int a, Int b) { return high_half(e, a, b); });
        return true;
      case Op::Div:
      case Op::Rem: return division();
      case Op::Neg:
        lift(out(), n, in(0), [e](Int a) { return wrap(e, Int(-Bits(a))); });
        return true;
      case Op::Abs:
        lift(out(), n, in(0), [e](Int a) { return a < 0 ? wrap(e, Int(-Bits(a))) : a; });
        return true;
      case Op::Min:
      case Op::Max:
      case Op::Cmp: return ordering();
      case Op::And: lift(out(), n, in(0), in(1), [](Int a, Int b) { return a & b; }); return true;
      case Op::Or: lift(out(), n, in(0), in(1), [](Int a, Int b) { return a | b; }); return true;
      case Op::Xor: lift(out(), n, in(0), in(1), [](Int a, Int b) { return a ^ b; }); return true;
      case Op::Not:
        lift(out(), n, in(0), [e](Int a) { return wrap(e, e == Elem::I1 ? !a : ~a); });
        return true;
      default: return bit_op();
    }
  }

  bool ordering() {
    bool s = ir::is_signed(elem()), want_less = op.is(Op::Min);
    if (op.is(Op::Cmp)) {
      auto pred = op.attr_as<ir::Compare>(Key::Pred);
      lift(out(), ids.threads, in(0), in(1),
           [=](Int a, Int b) { return Int(compare(pred, s, a, b)); });
      return true;
    }
    lift(out(), ids.threads, in(0), in(1),
         [=](Int a, Int b) { return compare(ir::Compare::Lt, s, a, b) == want_less ? a : b; });
    return true;
  }

  bool bit_op() {
    int n = ids.threads;
    Elem e = elem();
    switch (op.op) {
      case Op::Shl:
      case Op::Shr: {
        bool left = op.is(Op::Shl);
        Elem count = elem(1);
        lift(out(), n, in(0), in(1),
             [=](Int a, Int b) { return shift(e, left, a, Int(low_bits(count, b))); });
        return true;
      }
      case Op::Popc:
        lift(out(), n, in(0), [e](Int a) { return Int(std::popcount(low_bits(e, a))); });
        return true;
      case Op::Clz:
        lift(out(), n, in(0),
             [e](Int a) { return Int(std::countl_zero(low_bits(e, a)) - (64 - width(e))); });
        return true;
      case Op::Brev: lift(out(), n, in(0), [e](Int a) { return reversed(e, a); }); return true;
      case Op::BytePermute: {
        Value high;
        lift(high, n, in(0), in(1), [](Int a, Int b) { return Int(Bits(a) | Bits(b) << 32); });
        lift(out(), n, high, in(2),
             [](Int ab, Int s) { return permute_bytes(ab, Int(Bits(ab) >> 32), s); });
        return true;
      }
      case Op::Select: select(out(), in(0), in(1), in(2), n); return true;
      case Op::Cast:
      case Op::Bitcast: return convert();
      default: return false;
    }
  }

  bool division() {
    bool remainder = op.is(Op::Rem);
    Elem e = elem();
    bool zero = false;
    for (int t = 0; t < ids.threads; ++t) zero |= active[t] && in(1).at(t) == 0;
    zero_divisor |= zero;
    lift(out(), ids.threads, in(0), in(1),
         [=](Int a, Int b) { return divide(e, remainder, a, b); });
    return true;
  }

  bool convert() {
    Elem to = k.type(op.out[0]).elem;
    bool saturate = op.attr(Key::Saturate) != 0;
    if ((!ir::is_int(to) && to != Elem::I1) || saturate) return false;
    Elem from = elem();
    lift(out(), ids.threads, in(0),
         [=](Int a) { return to == Elem::I1 && from != Elem::I1 ? Int(a != 0) : wrap(to, a); });
    return true;
  }

  /// Shuffles and votes over known values, in warps whose lanes all take part.
  void warp_op() {
    for (int t = 0; t < ids.threads; ++t)
      if (active[t] != active[t - t % ir::warp_size] || active[t] > Yes) return out().set_unknown();
    if (op.is(Op::Shuffle)) return shuffle();
    vote();
  }

  void shuffle() {
    if (in(0).is_uniform()) return out().set_uniform(in(0).uniform);
    auto mode = op.attr_as<ir::ShuffleMode>(Key::Mode);
    Value result;
    Int* r = result.set_lanes(ids.threads);
    for (int t = 0; t < ids.threads; ++t) {
      Int lane = t % ir::warp_size, n = in(1).at(t), from = lane;
      switch (mode) {
        case ir::ShuffleMode::Xor: from = lane ^ n; break;
        case ir::ShuffleMode::Up: from = lane - n; break;
        case ir::ShuffleMode::Down: from = lane + n; break;
        case ir::ShuffleMode::Index: from = n & (ir::warp_size - 1); break;
      }
      if (from < 0 || from >= ir::warp_size || t - lane + from >= ids.threads) from = lane;
      r[t] = in(0).at(static_cast<int>(t - lane + from));
    }
    out() = std::move(result);
  }

  void vote() {
    auto mode = op.attr_as<ir::VoteMode>(Key::Vote);
    Value result;
    Int* r = result.set_lanes(ids.threads);
    for (int w = 0; w < ids.threads; w += ir::warp_size) {
      Bits ballot = 0;
      int end = std::min(w + ir::warp_size, ids.threads);
      for (int t = w; t < end; ++t) ballot |= Bits(in(0).at(t) != 0) << (t - w);
      Int value = mode == ir::VoteMode::Ballot ? Int(ballot)
                  : mode == ir::VoteMode::Any  ? Int(ballot != 0)
                                               : Int(std::popcount(ballot) == end - w);
      for (int t = w; t < end; ++t) r[t] = value;
    }
    out() = std::move(result);
  }
};

}  // namespace

std::int64_t wrap(Elem e, Int v) {
  switch (e) {
    case Elem::I1: return v & 1;
    case Elem::S8: return static_cast<std::int8_t>(v);
    case Elem::S16: return static_cast<std::int16_t>(v);
    case Elem::S32: return static_cast<std::int32_t>(v);
    case Elem::U8: return static_cast<std::uint8_t>(v);
    case Elem::U16: return static_cast<std::uint16_t>(v);
    case Elem::U32: return static_cast<std::uint32_t>(v);
    default: return v;
  }
}

void select(Value& out, const Value& where, const Value& a, const Value& b, int threads) {
  if (where.is_uniform()) {
    const Value& chosen = where.uniform ? a : b;
    if (&out != &chosen) out = chosen;
    return;
  }
  if (a.is_uniform() && b.is_uniform() && a.uniform == b.uniform) return out.set_uniform(a.uniform);
  if (where.is_unknown() || where.maybe || a.is_unknown() || b.is_unknown()) {
    Value result;
    result.set_unknown();
    if (a.is_unknown() && b.is_unknown())
      result.set_range(std::min(a.lo, b.lo), std::max(a.hi, b.hi));
    out = std::move(result);
    return;
  }
  Value result;
  std::int64_t* r = result.set_lanes(threads);
  for (int t = 0; t < threads; ++t) r[t] = where.lanes[t] ? a.at(t) : b.at(t);
  result.maybe = a.maybe || b.maybe;
  out = std::move(result);
}

void evaluate(const ir::Kernel& k, const Operation& op, std::vector<Value>& values, const Ids& ids,
              std::span<const std::uint8_t> active, bool& zero_divisor) {
  Evaluator{{k, op, values, ids, active, zero_divisor}}.run();
}

}  // namespace barline::verify::proof
