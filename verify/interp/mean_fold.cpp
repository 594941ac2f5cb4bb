// SPDX-License-Identifier: Apache-2.0
// Folds of fragments along an axis in the order of ir/order.h, and the way back.
#include <algorithm>
#include <functional>

#include "verify/interp/combine.h"
#include "verify/interp/elementwise.h"
#include "verify/interp/fragment.h"

namespace barline::verify::sim {
namespace {

/// Distances of the lanes that divide the axis, widest first.
std::vector<int> distances_along(const ir::Layout& layout, int axis) {
  std::vector<int> distances;
  std::int64_t weight = 1;
  for (const ir::Digit& d : layout.digits) {
    if (d.in != ir::In::Lane) continue;
    if (d.axis == axis && d.step > 0)
      for (std::int64_t x = 1; x < d.extent; x *= 2)
        distances.push_back(static_cast<int>(x * weight));
    weight *= d.extent;
  }
  std::sort(distances.begin(), distances.end(), std::greater<>());
  return distances;
}

Operand element(Operand o, ir::Elem e, std::uint32_t i) {
  o.at += i * o.step * lanes * static_cast<std::uint32_t>(ir::bytes(e));
  return o;
}

/// out[r] = a[map[r]].
template <class T>
void run_map(Warp& w, const Inst& i) {
  const std::vector<std::uint32_t>& map = w.worker->program.register_maps[i.info];
  for (std::uint32_t r = 0; r < i.n; ++r)
    std::copy_n(w.at<T>(i.a, map[r]), lanes, w.at<T>(i.out, r));
}

}  // namespace

void mean(Tag<Op::Fold>, Compiler& c, const Operation& op) {
  const ir::Layout& layout = c.kernel().layouts[c.type(op.in[0]).layout];
  auto axis = static_cast<int>(op.attr(ir::Key::Axis));
  std::vector<ir::Elem> elems;
  Operands out;
  for (ir::ValueId v : op.out) {
    elems.push_back(c.elem(v));
    out.push_back(c.define(v));
  }
  auto pick = [&](const Operands& from, std::uint32_t i) {
    Operands one;
    for (std::size_t v = 0; v < elems.size(); ++v) one.push_back(element(from[v], elems[v], i));
    return one;
  };
  Operands in;
  for (ir::ValueId v : op.in) in.push_back(c.in(v));
  Combine combine(c, op, elems);
  combine.require_whole_warp();
  std::vector<int> distances = distances_along(layout, axis);
  std::uint32_t n = c.count(c.type(op.out[0]));
  for (std::uint32_t kept = 0; kept < n; ++kept) {
    Operands mine = pick(out, kept);
    bool first = true;
    for (std::uint32_t r = 0; r < c.count(c.type(op.in[0])); ++r) {
      if (kept_register(layout, axis, r) != kept) continue;
      if (std::exchange(first, false))
        combine.copy(pick(in, r), mine, false);
      else
        combine.fold(mine, pick(in, r), mine);
    }
    combine.butterfly(mine, distances);
  }
  combine.release();
}

void mean(Tag<Op::Spread>, Compiler& c, const Operation& op) {
  const ir::Layout& to = c.kernel().layouts[c.type(op.out[0]).layout];
  const ir::Layout& from = c.kernel().layouts[c.type(op.in[0]).layout];
  std::vector<int> axes = ir::tile_axes(to);
  int missing = axes[0] == ir::tile_axes(from)[0] ? axes[1] : axes[0];
  std::uint32_t n = c.count(c.type(op.out[0]));
  std::vector<std::uint32_t> map;
  for (std::uint32_t r = 0; r < n; ++r) map.push_back(kept_register(to, missing, r));
  with_width(c.elem(op.out[0]), [&](auto as) {
    using T = typename decltype(as)::type;
    c.emit({.run = &run_map<T>,
            .out = c.define(op.out[0]),
            .a = c.in(op.in[0]),
            .n = n,
            .weight = n,
            .info = c.add(std::move(map))});
  });
}

}  // namespace barline::verify::sim
