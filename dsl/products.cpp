// SPDX-License-Identifier: Apache-2.0
// Which products a schedule can make: two factors that share the summed axis, a tile that warps,
// atoms and packed units divide, a unit that takes it. What does not fit is refused here, with its
// reason.
#include "dsl/products_p.h"

#include <fmt/format.h>
#include <algorithm>

#include "dsl/splits_p.h"
#include "ir/packing.h"

namespace barline::dsl {

using ir::Diag;

const Axis* axis_of_span(const std::vector<Axis>& axes, const Coord& c) {
  const Span* span = std::get_if<Span>(&c);
  if (!span) return nullptr;
  for (const Axis& a : axes)
    if (a.name == span->axis) return &a;
  return nullptr;
}

namespace {

/// The axis of a factor that is not summed over; null if there is none or more than one.
const Axis* free_axis(const Factor& f, const std::string& k) {
  const std::vector<Axis>& axes = f.weight ? f.weight->axes : f.place.tensor->axes;
  const Axis* found = nullptr;
  for (const Coord& c : f.place.coords) {
    const Axis* a = axis_of_span(axes, c);
    if (!a || a->name == k) continue;
    if (found) return nullptr;
    found = a;
  }
  return found;
}

bool sums_over(const Factor& f, const std::string& k) {
  return std::any_of(f.place.coords.begin(), f.place.coords.end(), [&](const Coord& c) {
    const Span* span = std::get_if<Span>(&c);
    return span && span->axis == k;
  });
}

Elem operand_type(const Factor& f) { return f.weight ? f16 : f.place.tensor->elem; }

/// That warps and atoms tile the block's tile. `swapped`: the atom's m lies along n.
void check_tile(const ir::Schedule& s, const ir::Atom& atom, bool swapped, int warps_k,
                const ir::Loc& loc) {
  const ir::MatrixTile& t = s.tile;
  if (t.m == 0)
    ir::fail(Diag::BadSchedule, loc, fmt::format("schedule '{}' gives no matrix tile", s.name),
             "set .tile = {.m, .n, .k, .warps_m, .warps_n}");
  int along_m = swapped ? atom.n : atom.m, along_n = swapped ? atom.m : atom.n;
  bool warps =
      t.warps_m > 0 && t.warps_n > 0 && warps_k > 0 && t.warps_m * t.warps_n * warps_k <= 32;
  if (!warps || t.m % (along_m * t.warps_m) || t.n % (along_n * t.warps_n) ||
      t.k % (atom.k * warps_k) || !t.n || !t.k)
    ir::fail(Diag::BadSchedule, loc, fmt::format("schedule '{}': {}", s.name, list_tile(t)),
             fmt::format("m a multiple of {} and n of {} for each warp along it, k of {}{}; at "
                         "most 32 warps",
                         along_m, along_n, atom.k, warps_k > 1 ? " for each part of it" : ""));
}

/// That a warpgroup's matrix unit takes the tile: `t` as the unit sees it.
void check_unit(const ir::Schedule& s, const ir::BlockTile& t, const ir::Loc& loc) {
  if (!t.warpgroups) return;
  constexpr int rows = 64, warps = 4, most_columns = 256;
  bool fits = t.warps_m % warps == 0 && t.m % (rows * t.warps_m / warps) == 0 && t.warps_n == 1 &&
              t.warps_k == 1 && t.n <= most_columns;
  if (!fits)
    ir::fail(
        Diag::BadSchedule, loc,
        fmt::format("schedule '{}': {} by wgmma", s.name, list_tile(s.tile)),
        "four warps along the rows of what plays A for each 64 rows (or a multiple) of it, one "
        "warp along the other axis, of at most 256");
}

/// That the quantised operand's groups and units fit the tile.
void check_weight(const ir::Schedule& s, const Quantised& w, bool packed, bool swapped, int warps_k,
                  const ir::Loc& loc) {
  const ir::MatrixTile& t = s.tile;
  std::int64_t g = w.group;
  if (g > 0 && (g % 16 || (g % t.k && t.k % g)))
    ir::fail(Diag::BadSchedule, loc,
             fmt::format("groups of {} with steps of {} in schedule '{}'", g, t.k, s.name),
             "let one divide the other; groups are multiples of 16");
  ir::Packing packing{w.code};
  int columns = swapped ? std::max(packing.unit_n(), 16) : packing.unit_n();
  if (packed && (t.k % (ir::Packing::unit_k * warps_k) || t.n / t.warps_n % columns))
    ir::fail(Diag::BadSchedule, loc,
             fmt::format("packed '{}' with {} in schedule '{}'", w.name, list_tile(t), s.name),
             fmt::format("steps of a multiple of {}{}, and {} columns a warp", ir::Packing::unit_k,
                         warps_k > 1 ? " for each part" : "", columns));
}

}  // namespace

/// Does the second factor play A? By the name that the schedule gives.
bool Tiles::plays_a(const Product& p) const {
  auto is = [&](const Factor& f) {
    return schedule_.dot.a == (f.weight ? f.weight->name : f.place.tensor->name);
  };
  if (schedule_.dot.a.empty() || is(p.a)) return false;
  if (is(p.b)) return true;
  ir::fail(Diag::BadSchedule, p.loc,
           fmt::format("'{}' as A in schedule '{}', which the product does not multiply",
                       schedule_.dot.a, schedule_.name),
           "name one of the product's two factors in .dot.a");
}

Tiles::Operands Tiles::operands(const Product& p, const std::string& k) {
  const Axis *m = free_axis(p.a, k), *n = free_axis(p.b, k);
  if (!m || !n || !sums_over(p.a, k) || !sums_over(p.b, k) || m->name == n->name)
    ir::fail(Diag::WrongAxis, p.loc,
             fmt::format("a product that is not a(m, k) * b(k, n) over {}", k),
             "each factor runs along the summed index and one more axis, a different one");
  Operands o{*m, *n, k, operand_type(p.a), 1};
  auto atom = ir::atom_of(o.operand);
  if (!atom || o.operand != operand_type(p.b))
    ir::fail(Diag::TypeMismatch, p.loc,
             fmt::format("a product of {} and {}", ir::name(operand_type(p.a)),
                         ir::name(operand_type(p.b))),
             "multiply f16 by f16 (or quantised weights), bf16 by bf16, s8 by s8");
  o.swapped = plays_a(p);
  const int warps_k = warps_along_k(schedule_, k);
  check_tile(schedule_, *atom, o.swapped, warps_k, p.loc);
  check_cluster(schedule_, k, kernel_, p.loc);
  if ((warps_k > 1 || blocks_along_k(schedule_, k) > 1) && o.operand == s8)
    ir::fail(Diag::BadSchedule, p.loc,
             fmt::format("schedule '{}' splits an exact sum of s8", schedule_.name),
             "leave .splits out for products of s8");
  if (const Quantised* w = p.b.weight) {
    const ir::Stream* s = stream_of(w->name);
    check_weight(schedule_, *w, s && s->packed, o.swapped, warps_k, p.loc);
  }
  if (p.a.weight)
    ir::fail(Diag::TypeMismatch, p.loc,
             fmt::format("the weight '{}' as the first factor", p.a.weight->name),
             "put the weight second: dot(x, w)");
  if (!m->segments.empty())
    ir::fail(Diag::WrongAxis, p.loc, fmt::format("segments on '{}', the rows of a sum", m->name),
             "put the operand with segments second: dot(x, w)");
  if (schedule_.segments == ir::Segments::Inner)
    o.parts = std::max<std::size_t>(n->segments.size(), 1);
  block_tiles_[o.m.name] = schedule_.tile.m;
  block_tiles_[o.n.name] = schedule_.tile.n;
  return o;
}

ir::BlockTile Tiles::unit_tile(const Operands& o, const ir::Loc& loc) const {
  const ir::MatrixTile& t = schedule_.tile;
  ir::BlockTile tile{t.m, t.n, t.k, t.warps_m, t.warps_n};
  if (o.swapped) {
    std::swap(tile.m, tile.n);
    std::swap(tile.warps_m, tile.warps_n);
  }
  tile.warps_k = warps_along_k(schedule_, o.k);
  tile.warpgroups = schedule_.dot.unit == ir::MatrixUnit::Wgmma;
  check_unit(schedule_, tile, loc);
  return tile;
}

}  // namespace barline::dsl
