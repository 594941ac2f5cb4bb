// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstdint>
#include <numeric>

#include "ir/passes/fragment_places_p.h"
#include "ir/rewrite.h"

namespace barline::ir {
namespace {

bool power_of_two(std::int64_t n) { return n > 0 && std::has_single_bit(std::uint64_t(n)); }
int log2_of(std::int64_t n) { return std::countr_zero(std::uint64_t(n)); }

std::int64_t fold(Op op, std::int64_t a, std::int64_t b) {
  switch (op) {
    case Op::Add: return a + b;
    case Op::Sub: return a - b;
    case Op::Mul: return a * b;
    case Op::Div: return a / b;
    case Op::Rem: return a % b;
    case Op::Xor: return a ^ b;
    case Op::And: return a & b;
    case Op::Or: return a | b;
    case Op::Shl: return a << b;
    default: return a >> b;
  }
}

}  // namespace

void Places::learn() {
  constexpr std::int64_t most = 1 << 20;  // no tile needs more, and products stay small
  bool folds = false;
  walk(k_.body, [&](const Operation& op) {
    folds = folds || op.is(Op::Fold);
    if (op.is(Op::Dot)) {
      std::vector<int> axes = tile_axes(k_.layouts[k_.type(op.out[0]).layout]);
      free_.insert(axes.begin(), axes.end());
    }
    if (op.out.size() != 1 || !is_int(k_.type(op.out[0]).elem)) return;
    auto of = [&](std::size_t i) { return divisor(op.in[i]); };
    std::int64_t d = 1;
    switch (op.op) {
      case Op::Const: d = constant_value(k_, op) & (most - 1); break;
      case Op::Mul: d = of(0) * of(1); break;
      case Op::Add:
      case Op::Sub: d = std::gcd(of(0), of(1)); break;
      case Op::Select: d = std::gcd(of(1), of(2)); break;
      default: return;
    }
    divisors_[op.out[0]] = std::gcd(d, most);
  });
  walk(k_.body, [&](const Operation& op) {  // what one product makes free another may sum over
    if (!op.is(Op::Dot)) return;
    const std::vector<int> sums = tile_axes(k_.layouts[k_.type(op.out[0]).layout]);
    for (int axis : tile_axes(k_.layouts[k_.type(op.in[1]).layout]))
      if (std::find(sums.begin(), sums.end(), axis) == sums.end()) free_.erase(axis);
  });
  if (folds) free_.clear();
}

std::int64_t Places::divisor(ValueId v) const {
  auto it = divisors_.find(v);
  return it == divisors_.end() ? 1 : it->second;
}

ValueId Places::number(std::int64_t v) {
  auto [it, fresh] = numbers_.try_emplace(v, no_value);
  if (fresh) {
    it->second = b_.constant(Elem::S32, v);
    values_[it->second] = v;
  }
  return it->second;
}

std::optional<std::int64_t> Places::known(ValueId v) const {
  auto it = values_.find(v);
  return it == values_.end() ? std::nullopt : std::optional(it->second);
}

ValueId Places::rank() {
  auto [it, fresh] = ids_.try_emplace(Op::ThreadRank, no_value);
  if (fresh) it->second = b_.emit(Op::ThreadRank, scalar(Elem::S32), {});
  return it->second;
}

ValueId Places::lane() { return modulo(rank(), warp_size); }

ValueId Places::op(Op op, ValueId a, ValueId b) {
  auto x = known(a), y = known(b);
  if (x && y) return number(fold(op, *x, *y));
  // What is not negative divides by shifts; positions and ranks never are.
  if (op == Op::Mul && y == 1) return a;
  if (op == Op::Mul && y == 0) return number(0);
  if (op == Op::Div && y == 1) return a;
  if (op == Op::Rem && y == 1) return number(0);
  if ((op == Op::Add || op == Op::Xor || op == Op::Or) && y == 0) return a;
  if ((op == Op::Add || op == Op::Xor || op == Op::Or) && x == 0) return b;
  if (op == Op::Mul && y && power_of_two(*y)) return this->op(Op::Shl, a, number(log2_of(*y)));
  if (op == Op::Div && y && power_of_two(*y)) return this->op(Op::Shr, a, number(log2_of(*y)));
  if (op == Op::Rem && y && power_of_two(*y)) return this->op(Op::And, a, number(*y - 1));
  auto [it, fresh] = memo_.try_emplace({op, a, b}, no_value);
  if (fresh) it->second = b_.emit(op, {a, b});
  return it->second;
}

ValueId Places::digit(ValueId from, std::int64_t weight, std::int64_t extent, bool last) {
  ValueId v = divided(from, weight);
  return last ? v : modulo(v, extent);
}

ValueId Places::digits(const Layout& l, int axis, bool lanes) {
  ValueId sum = number(0);
  for (In in : {In::Lane, In::Warp}) {
    if (in == In::Lane && !lanes) continue;
    std::int64_t weight = 1, all = extent(l.digits, in);
    for (const Digit& d : l.digits) {
      if (d.in != in) continue;
      if (d.axis == axis && d.step > 0) {
        ValueId from = in == In::Lane ? lane() : divided(rank(), warp_size);
        bool last = in == In::Warp && weight * d.extent == all;
        sum = op(Op::Add, sum, times(digit(from, weight, d.extent, last), d.step));
      }
      weight *= d.extent;
    }
  }
  return sum;
}

ValueId Places::of_thread(const Layout& l, int axis) { return digits(l, axis, true); }
ValueId Places::of_warp(const Layout& l, int axis) { return digits(l, axis, false); }

ValueId Places::owner(const Layout& l) {
  ValueId others = no_value;  // or of the digits that only repeat
  for (In in : {In::Lane, In::Warp}) {
    std::int64_t weight = 1;
    for (const Digit& d : l.digits) {
      if (d.in != in) continue;
      if (d.step == 0) {
        ValueId from = in == In::Lane ? lane() : divided(rank(), warp_size);
        ValueId v = digit(from, weight, d.extent, false);
        others = others == no_value ? v : op(Op::Or, others, v);
      }
      weight *= d.extent;
    }
  }
  return others == no_value ? no_value : b_.compare(Compare::Eq, others, number(0));
}

}  // namespace barline::ir
