// SPDX-License-Identifier: Apache-2.0
#include "ir/fragment_use.h"

#include <algorithm>

namespace barline::ir {
namespace {

bool contains(const std::vector<int>& list, int axis) {
  return std::find(list.begin(), list.end(), axis) != list.end();
}

/// Are these segments of one axis, or one and the same? A grid dimension lists segments.
bool alike(const Kernel& k, int a, int b) {
  if (a == b) return true;
  return std::any_of(std::begin(k.launch.grid), std::end(k.launch.grid), [&](const GridDim& g) {
    auto in = [&](int axis) { return g.axis == axis || contains(g.also, axis); };
    return g.axis >= 0 && in(a) && in(b);
  });
}

BoxAxis box_axis(const Kernel& k, int tensor) {
  const Axis& a = k.axes[tensor];
  return {.tensor = tensor, .derived = a.of >= 0, .per = a.per, .times = a.times};
}

/// Does the tile's axis run along the box's? Notes it if so.
bool runs_along(const Kernel& k, BoxAxis& box, int axis) {
  if (box.tensor < 0 || box.tile >= 0) return false;
  bool direct = alike(k, box.tensor, axis);
  bool parent = !direct && box.derived && alike(k, k.axes[box.tensor].of, axis);
  if (!direct && !parent) return false;
  box.tile = axis;
  box.quotient = parent;
  return true;
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

int warps_along(const Layout& l, int axis) {
  std::int64_t warps = 1;
  for (const Digit& d : l.digits)
    if (d.in == In::Warp && d.axis == axis && d.step > 0) warps *= d.extent;
  return static_cast<int>(warps);
}

}  // namespace

std::vector<int> tile_axes(const Layout& layout) {
  std::vector<int> axes;
  for (const Digit& d : layout.digits)
    if (d.step > 0 && d.extent > 1 && !contains(axes, d.axis)) axes.push_back(d.axis);
  return axes;
}

std::optional<Product> product_of(const Layout& acc, const Layout& a, const Layout& b,
                                  Elem operand) {
  std::optional<Atom> atom = atom_of(operand);
  std::vector<int> of_acc = tile_axes(acc), of_a = tile_axes(a), of_b = tile_axes(b);
  if (!atom || of_acc.size() != 2 || of_a.size() != 2 || of_b.size() != 2) return std::nullopt;
  Product p{.atom = *atom};
  for (int axis : of_acc) (contains(of_a, axis) ? p.m : p.n) = axis;
  for (int axis : of_a)
    if (axis != p.m) p.k = axis;
  bool shared = p.m >= 0 && p.n >= 0 && p.k >= 0 && contains(of_b, p.k) && contains(of_b, p.n);
  if (!shared) return std::nullopt;
  BlockTile& t = p.tile;
  t.m = static_cast<int>(extent_along(acc, p.m));
  t.n = static_cast<int>(extent_along(acc, p.n));
  t.k = static_cast<int>(extent_along(a, p.k));
  t.warps_m = warps_along(acc, p.m);
  t.warps_n = warps_along(acc, p.n);
  t.warps_k = warps_along(a, p.k);
  bool whole = t.m % (t.warps_m * atom->m) == 0 && t.n % (t.warps_n * atom->n) == 0 &&
               t.k % (t.warps_k * atom->k) == 0;
  if (!whole) return std::nullopt;
  for (bool warpgroups : {false, true}) {
    t.warpgroups = warpgroups;
    bool possible = !warpgroups || (t.warps_m % 4 == 0 && t.warps_n == 1);
    if (possible && same_places(acc, fragment_c({}, *atom, t, p.m, p.n)) &&
        same_places(a, fragment_a({}, *atom, t, p.m, p.k)) &&
        same_places(b, fragment_b({}, *atom, t, p.k, p.n)))
      return p;
  }
  return std::nullopt;
}

std::int64_t BoxAxis::index(std::int64_t origin, std::int64_t position) const {
  if (quotient) return floor_div(origin + position, per);
  return derived ? floor_div(origin, per) * times + position : origin + position;
}

Box box_of(const Kernel& k, const Param& p) {
  Box box;
  box.col = box_axis(k, p.axes.back());
  if (p.axes.size() > 1) box.row = box_axis(k, p.axes[p.axes.size() - 2]);
  return box;
}

std::optional<Box> box_of(const Kernel& k, const Param& p, const Layout& tile) {
  if (p.axes.empty()) return std::nullopt;
  Box box = box_of(k, p);
  for (int axis : tile_axes(tile))
    if (!runs_along(k, box.col, axis) && !runs_along(k, box.row, axis)) return std::nullopt;
  return box;
}

Words words_of(const Kernel& k, const Operation& load) {
  Elem tile = k.type(load.out[0]).elem;
  bool words = k.type(load.in[0]).elem == Elem::U32 && (tile == Elem::S4 || tile == Elem::S8);
  if (!words) return Words::None;
  return load.attr(Key::Packed) ? Words::Packed : Words::Portable;
}

Swizzle slot_swizzle(const Operation& load, int bytes) {
  Swizzle s = swizzle_of(load.attr(Key::Columns), bytes);
  if (!load.attr(Key::Swizzled, 1)) s.mask = s.shift = 0;
  s.pitch = load.attr(Key::Pitch);
  return s;
}

std::vector<int> sources_of(const Kernel& k, const std::vector<const Operation*>& defs,
                            const Operation& load) {
  Root root = root_of(k, defs, load.in[0]);
  if (root.slot < 0) return root.params;
  std::vector<int> params;
  walk(k.body, [&](const Operation& op) {
    bool fills = op.is(Op::Fill) || op.is(Op::CopyTensor);
    if (!fills || root_of(k, defs, op.in[0]).slot != root.slot) return;
    for (int p : root_of(k, defs, op.in[op.is(Op::Fill) ? 1 : 2]).params)
      if (!contains(params, p)) params.push_back(p);
  });
  return params;
}

}  // namespace barline::ir
