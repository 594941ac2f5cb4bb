// SPDX-License-Identifier: Apache-2.0
#include "dsl/reduce.h"

#include <fmt/format.h>
#include <limits>

#include "dsl/body.h"

namespace barline::dsl {
namespace {

using ir::Op;
using ir::Team;

enum class Fold { Sum, Max, Min };

/// The value that leaves every other as it is.
Value identity(Body& b, Elem e, Fold fold, Here here) {
  if (fold == Fold::Sum) return b.constant(e, 0, here);
  double inf = std::numeric_limits<double>::infinity();
  if (ir::is_float(e)) return b.constant(e, fold == Fold::Max ? -inf : inf, here);
  int n = ir::bits(e);
  std::int64_t top = ir::is_signed(e)
                         ? static_cast<std::int64_t>((1ull << (n - 1)) - 1)
                         : static_cast<std::int64_t>(n == 64 ? ~0ull : (1ull << n) - 1);
  std::int64_t bottom = ir::is_signed(e) ? static_cast<std::int64_t>(~0ull << (n - 1)) : 0;
  return b.constant(e, fold == Fold::Max ? bottom : top, here);
}

Value fold_over(Team team, Fold fold, const Value& v, Here here) {
  Body& b = v.body();
  Op op = fold == Fold::Sum ? Op::Add : fold == Fold::Max ? Op::Max : Op::Min;
  if (!ir::is_float(v.elem()) && !ir::is_int(v.elem()))
    ir::fail(ir::Diag::WrongClass, here, fmt::format("a reduction of {}", ir::name(v.elem())),
             "convert it to a number first: .to(s32)");
  auto combine = [&](std::vector<Value> x, std::vector<Value> y) {
    return std::vector{b.emit(op, {x[0], y[0]}, here)};
  };
  return b.reduce(team, {v}, {identity(b, v.elem(), fold, here)}, combine, here)[0];
}

/// A NaN counts as nothing: the identity. What is left commutes, so every member of a team has the
/// same pair.
Indexed without_nan(const Indexed& v, const std::vector<Value>& identities, Here here) {
  if (!ir::is_float(v.value.elem())) return v;
  Value number = compare(ir::Compare::Eq, {v.value, here}, {v.value, here});
  return {select({number, here}, v.value, identities[0]),
          select({number, here}, v.index, identities[1])};
}

Indexed argmax_over(Team team, Indexed v, Here here) {
  Body& b = v.value.body();
  bool within = team == Team::Thread;
  std::vector<Value> ids{identity(b, v.value.elem(), Fold::Max, here),
                         identity(b, v.index.elem(), Fold::Min, here)};
  if (!within) v = without_nan(v, ids, here);
  auto combine = [&](std::vector<Value> x, std::vector<Value> y) {
    Value wins = (x[0] > y[0]) | ((x[0] == y[0]) & (x[1] <= y[1]));
    if (within) wins = wins | (y[0] != y[0]);  // the element; what is kept, x, is never a NaN
    return std::vector{select(wins, x[0], y[0]), select(wins, x[1], y[1])};
  };
  auto r = b.reduce(team, {v.value, v.index}, ids, combine, here);
  return {r[0], r[1]};
}

Moments moments_over(Team team, const Moments& v, Here here) {
  Body& b = v.sum.body();
  auto combine = [](std::vector<Value> x, std::vector<Value> y) {
    return std::vector{x[0] + y[0], x[1] + y[1]};
  };
  Value zero = identity(b, v.sum.elem(), Fold::Sum, here);
  auto r = b.reduce(team, {v.sum, v.squares}, {zero, zero}, combine, here);
  return {r[0], r[1]};
}

}  // namespace

Value sum(const Value& tile, Here here) { return fold_over(Team::Thread, Fold::Sum, tile, here); }
Value max(const Value& tile, Here here) { return fold_over(Team::Thread, Fold::Max, tile, here); }
Value min(const Value& tile, Here here) { return fold_over(Team::Thread, Fold::Min, tile, here); }
Indexed argmax(const Value& tile, const Value& positions, Here here) {
  return argmax_over(Team::Thread, {tile, positions}, here);
}
Moments moments(const Value& tile, Here here) {
  return moments_over(Team::Thread, {tile, binary(Op::Mul, {tile, here}, {tile, here})}, here);
}

Value warp_reduce_sum(const Value& v, Here here) {
  return fold_over(Team::Warp, Fold::Sum, v, here);
}
Value warp_reduce_max(const Value& v, Here here) {
  return fold_over(Team::Warp, Fold::Max, v, here);
}
Value warp_reduce_min(const Value& v, Here here) {
  return fold_over(Team::Warp, Fold::Min, v, here);
}
Indexed warp_argmax(const Indexed& v, Here here) { return argmax_over(Team::Warp, v, here); }
Moments warp_reduce_moments(const Moments& v, Here here) {
  return moments_over(Team::Warp, v, here);
}

Value block_reduce_sum(const Value& v, Here here) {
  return fold_over(Team::Cta, Fold::Sum, v, here);
}
Value block_reduce_max(const Value& v, Here here) {
  return fold_over(Team::Cta, Fold::Max, v, here);
}
Value block_reduce_min(const Value& v, Here here) {
  return fold_over(Team::Cta, Fold::Min, v, here);
}
Indexed block_argmax(const Indexed& v, Here here) { return argmax_over(Team::Cta, v, here); }
Moments block_reduce_moments(const Moments& v, Here here) {
  return moments_over(Team::Cta, v, here);
}

}  // namespace barline::dsl
