// SPDX-License-Identifier: Apache-2.0
#include "dsl/matrix.h"

#include <fmt/format.h>
#include <algorithm>

#include "dsl/body.h"
#include "ir/fragment_use.h"
#include "ir/packing.h"

namespace barline::dsl {
namespace {

using ir::Diag;

/// "K_by8", "N_q_by64x128": as many as ceil(size / per) * times.
std::string derived_name(const std::string& of, std::int64_t per, std::int64_t times) {
  std::string name = fmt::format("{}_by{}", of, per);
  return times == 1 ? name : fmt::format("{}x{}", name, times);
}

constexpr std::int64_t whole_axis = std::int64_t{1} << 30;  ///< one step for any extent

}  // namespace

Value spread_to(const Value& v, const Value& like, const ir::Loc& loc) {
  ir::Kernel& k = v.body().kernel();
  ir::Type from = k.type(v.id()), to = k.type(like.id());
  if (!from.is_tile() || !to.is_tile() || from.layout == to.layout) return v;
  if (ir::tile_axes(k.layouts[from.layout]).size() >= ir::tile_axes(k.layouts[to.layout]).size())
    return v;
  return v.body().emit(ir::Op::Spread, ir::tile(from.elem, to.layout), {v}, loc);
}

Axis Axis::by(std::int64_t step, std::int64_t count) const {
  Axis a(derived_name(name, step, count));
  a.segments = segments;
  a.of = name;
  a.per = step;
  a.times = count;
  return a;
}

Axis Axis::segment(std::size_t i) const {
  Axis a(name + "_" + segments[i], multiple);
  if (of.empty()) return a;
  a.of = of + "_" + segments[i];
  a.name = derived_name(a.of, per, times);
  a.per = per;
  a.times = times;
  return a;
}

Int4::Int4(std::string name, std::vector<Axis> n_k, std::int64_t group, Here here)
    : Quantised{std::move(name), Elem::S4, std::move(n_k), {}, {}, group, here} {
  n_axis = axes.at(0).name;
  k_axis = axes.at(1).name;
}

Int8::Int8(std::string name, std::vector<Axis> k_n, Here here)
    : Quantised{std::move(name), Elem::S8, std::move(k_n), {}, {}, -1, here} {
  k_axis = axes.at(0).name;
  n_axis = axes.at(1).name;
}

Tensor Quantised::codes(bool packed) const {
  bool nibbles = code == Elem::S4;
  const Axis &n = axes[nibbles ? 0 : 1], &k = axes[nibbles ? 1 : 0];
  ir::Packing packing{code};
  if (packed)
    return {name,
            u32,
            {n.by(packing.unit_n()), k.by(ir::Packing::unit_k, ir::Packing::unit_words)},
            ir::Access::In,
            loc};
  if (nibbles) return {name, u32, {n, k.by(packing.per_word())}, ir::Access::In, loc};
  return {name, s8, {k, n}, ir::Access::In, loc};
}

Tensor Quantised::scales() const {
  return {
      name + "_scale", f16, {axes[1].by(group ? group : whole_axis), axes[0]}, ir::Access::In, loc};
}

Factor Int4::operator()(CoordArg n, CoordArg k) const {
  return {Place{nullptr, {n.coord, k.coord}, n.here}, this};
}

Factor Int8::operator()(CoordArg k, CoordArg n) const {
  return {Place{nullptr, {k.coord, n.coord}, k.here}, this};
}

Product dot(Factor a, Factor b, Here here) { return {std::move(a), std::move(b), here}; }

Tile Tile::to(Elem e, Rounding round, ir::Loc loc) const {
  return map([&](const Value& v) { return v.to(e, round, loc); });
}

namespace {

/// A tile over the rows alone is the same for every segment of the columns.
bool meets_parts(const Tile& t, std::size_t parts) {
  if (t.parts().size() == parts) return true;
  if (t.parts().size() != 1) return false;
  const Value& v = t.value();
  const ir::Kernel& k = v.body().kernel();
  ir::Type type = k.type(v.id());
  return !type.is_tile() || ir::tile_axes(k.layouts[type.layout]).size() == 1;
}

}  // namespace

Tile binary(ir::Op op, const Tile& a, const Tile& b, const ir::Loc& loc) {
  const std::size_t parts = std::max(a.parts().size(), b.parts().size());
  if (!meets_parts(a, parts) || !meets_parts(b, parts))
    ir::fail(Diag::WrongAxis, loc,
             fmt::format("tiles of {} and of {} segments", a.parts().size(), b.parts().size()),
             "combine tiles over the same axes");
  std::vector<Value> out;
  for (std::size_t i = 0; i < parts; ++i) {
    const Value& x = a.parts()[a.parts().size() == 1 ? 0 : i];
    const Value& y = b.parts()[b.parts().size() == 1 ? 0 : i];
    out.push_back(
        binary(op, Operand(spread_to(x, y, loc), loc), Operand(spread_to(y, x, loc), loc)));
  }
  return Tile(std::move(out));
}

namespace {

/// The operand as part i of a tile meets it.
Operand part_of(const Operand& o, const Tile& like, std::size_t i) {
  const Arg* arg = o.arg();
  if (!arg) return o;
  const Value& v = like.parts()[i];
  return {v.body().arg(*arg, i, like.parts().size(), o.loc()), o.loc()};
}

}  // namespace

Tile binary(ir::Op op, const Tile& a, const Operand& b) {
  std::vector<Value> out;
  for (std::size_t i = 0; i < a.parts().size(); ++i)
    out.push_back(binary(op, Operand(a.parts()[i], b.loc()), part_of(b, a, i)));
  return Tile(std::move(out));
}

Tile binary(ir::Op op, const Operand& a, const Tile& b) {
  std::vector<Value> out;
  for (std::size_t i = 0; i < b.parts().size(); ++i)
    out.push_back(binary(op, part_of(a, b, i), Operand(b.parts()[i], a.loc())));
  return Tile(std::move(out));
}

}  // namespace barline::dsl
