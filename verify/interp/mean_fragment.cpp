// SPDX-License-Identifier: Apache-2.0
// Fragments and memory: loads and stores of boxes, the copy of a box into a slot, and positions.
#include <algorithm>

#include "verify/interp/elementwise.h"
#include "verify/interp/fragment.h"
#include "verify/interp/memory.h"

namespace barline::verify::sim {
namespace {

using ir::Key;

/// An element of a box: its index from the root's base, and its part of a word.
struct Element {
  std::int64_t index = 0;
  std::int64_t part = 0;
  bool inside = true;
};

/// Where the register's element of the box at (row, col) stands.
Element element_at(const FragmentAccess& f, const FragmentRoot& root, std::int64_t row,
                   std::int64_t col, std::int64_t at_row, std::int64_t at_col) {
  std::int64_t r = root.row.axis.index(row, at_row), c = root.col.axis.index(col, at_col);
  Element e;
  if (f.words == ir::Words::Portable) {
    e.part = col + at_col - c * root.col.axis.per;
  } else if (f.words == ir::Words::Packed) {
    e.inside = row + at_row >= 0 && col + at_col >= 0;
    if (!e.inside) return e;
    ir::PackedPlace place = ir::place_of(f.packing, row + at_row, col + at_col);
    r = place.row, c = place.column, e.part = place.element;
  }
  if (root.access.slot >= 0) {
    bool in_row = c >= 0 && c < f.swizzle.columns && r >= 0;
    e.index = in_row ? f.swizzle.at(r, c) : -1;  // no place of the slot: refused
    return e;
  }
  e.inside = r >= 0 && r < root.row.size && c >= 0 && c < root.col.size;
  e.index = r * root.col.size + c;
  return e;
}

/// Calls visit(register, lane, view, element) for each element that a lane of `on` holds inside the
/// tensor, after the check of its bounds.
template <class Visit>
void for_each_element(Warp& w, const FragmentAccess& f, Mask on, std::uint32_t n, Visit&& visit) {
  if (!on) return;
  const FragmentRoot& root = f.root(w);
  const Access& a = root.access;
  Indices base;
  read_indices(w, a, base);
  View v = view_of(w, a, std::countr_zero(on));
  for_each_lane(on, [&](int l) {
    if (a.rotating) v = view_of(w, a, l);
    std::int64_t row = f.row.read(w, l), col = f.col.read(w, l);
    for (std::uint32_t r = 0; r < n; ++r) {
      Element e = element_at(f, root, row, col, root.row.places.at(r, l, w.index),
                             root.col.places.at(r, l, w.index));
      if (!e.inside) continue;
      e.index += base.at[l];
      check_bounds(w, l, a, v, e.index);
      visit(r, l, v, e);
    }
  });
}

/// A code of a word, as a register holds it.
template <class T>
T code_in(const FragmentAccess& f, const View& v, const Element& e) {
  auto word = get<std::uint32_t>(v.data + e.index * std::int64_t{sizeof(std::uint32_t)});
  std::uint32_t mask = (1u << ir::bits(f.packing.code)) - 1;
  if (f.words == ir::Words::Packed)
    return static_cast<T>(
        static_cast<std::uint32_t>(ir::code_of(f.packing, word, static_cast<int>(e.part))) & mask);
  return static_cast<T>(word >> e.part * ir::bits(f.packing.code) & mask);
}

template <class T>
void run_fragment_load(Warp& w, const Inst& i) {
  const FragmentAccess& f = *w.worker->program.fragments[i.info];
  T* out = w.at<T>(i.out);
  std::fill(out, out + i.n * lanes, T{0});
  for_each_element(w, f, w.mask, i.n, [&](std::uint32_t r, int l, const View& v, const Element& e) {
    const Access& a = f.roots[0].access;
    Touch kind = a.strong() ? Touch::StrongRead : Touch::WeakRead;
    touch(w, l, a, v, e.index, 1, kind);
    bool words = f.words != ir::Words::None;
    out[r * lanes + l] = words ? code_in<T>(f, v, e) : get_element<T>(a, v, e.index);
    if (a.strong()) v.sync->load(w, l, v.key + e.index, a);
  });
}

template <class T>
void run_fragment_store(Warp& w, const Inst& i) {
  const FragmentAccess& f = *w.worker->program.fragments[i.info];
  const Access& a = f.roots[0].access;
  const T* value = w.at<T>(a.value);
  std::size_t step = a.value.step * lanes;
  Mask on = f.first_warps[w.index] ? w.mask & f.first_lanes : 0;
  for_each_element(w, f, on, i.n, [&](std::uint32_t r, int l, const View& v, const Element& e) {
    touch(w, l, a, v, e.index, 1, a.strong() ? Touch::StrongWrite : Touch::WeakWrite);
    if (a.strong())
      v.sync->store(w, l, v.key + e.index, a);
    else
      v.sync->weak_store(v.key + e.index);
    T bits = value[r * step + l];
    if (a.strong() && get_element<T>(a, v, e.index) != bits) w.worker->progress = true;
    put_element<T>(a, v, e.index, bits);
  });
}

/// One vector of a lane's share of a fill.
template <class T>
void copy_chunk(Warp& w, int l, const FragmentAccess& f, const FragmentRoot& from,
                std::int64_t base, ir::CopyShare::Chunk chunk) {
  View source = view_of(w, from.access, l), slot = view_of(w, f.to, l);
  std::int64_t row = f.row.read(w, l) + chunk.row, col = f.col.read(w, l) + chunk.col;
  for (int e = 0; e < f.share.vec; ++e) {
    bool inside = row >= 0 && row < from.row.size && col + e >= 0 && col + e < from.col.size;
    T value{0};
    if (inside) {
      std::int64_t index = base + row * from.col.size + col + e;
      check_bounds(w, l, from.access, source, index);
      touch(w, l, from.access, source, index, 1, Touch::WeakRead);
      value = get_element<T>(from.access, source, index);
    }
    std::int64_t at = f.swizzle.at(chunk.row, chunk.col + e);
    check_bounds(w, l, f.to, slot, at);
    touch(w, l, f.to, slot, at, 1, Touch::WeakWrite);
    put_element<T>(f.to, slot, at, value);
  }
}

template <class T>
void run_fill(Warp& w, const Inst& i) {
  const FragmentAccess& f = *w.worker->program.fragments[i.info];
  if (!w.mask) return;
  const FragmentRoot& from = f.root(w);
  Indices base;
  read_indices(w, from.access, base);
  for_each_lane(w.mask, [&](int l) {
    std::int64_t thread = std::int64_t{w.index} * lanes + l;
    for (std::int64_t round = 0; round < f.share.rounds(); ++round)
      if (auto chunk = f.share.at(thread, round)) copy_chunk<T>(w, l, f, from, base.at[l], *chunk);
  });
}

void run_fragment_index(Warp& w, const Inst& i) {
  const Places& p = *w.worker->program.places[i.info];
  for (std::uint32_t r = 0; r < i.n; ++r) {
    auto* out = w.at<std::int32_t>(i.out, r);
    for (int l = 0; l < lanes; ++l) out[l] = static_cast<std::int32_t>(p.at(r, l, w.index));
  }
}

FragmentSide side_of(Compiler& c, const ir::BoxAxis& axis, const ir::Layout* tile) {
  FragmentSide side{.axis = axis, .places = {}, .size = 1};
  if (axis.tensor >= 0) side.size = c.geometry().axis_sizes[axis.tensor];
  if (tile) side.places = places_of(*tile, axis.tile, c.geometry().warps());
  return side;
}

Coordinate coordinate(Compiler& c, ir::ValueId v) { return {c.in(v), c.elem(v)}; }

/// The access with a root for each tensor that `pointer` may name; a slot has the box that fills
/// it. `common`: what the accesses of all of them say, but for the tensor.
void add_roots(Compiler& c, FragmentAccess& f, const ir::Root& root, ir::ValueId pointer,
               const Access& common, const std::vector<int>& params, const ir::Layout* tile) {
  f.chosen = root.chosen != ir::no_value;
  if (f.chosen) f.choice = c.in(pointer);
  for (int p : params) {
    const ir::Param& param = c.kernel().params[p];
    ir::Box box = tile ? *ir::box_of(c.kernel(), param, *tile) : ir::box_of(c.kernel(), param);
    FragmentRoot r{common, side_of(c, box.row, tile), side_of(c, box.col, tile)};
    if (root.slot < 0) {
      r.access.param = p;
      r.access.tensor = c.tensor_of(p);
    }
    c.add(r.access);
    f.roots.push_back(std::move(r));
    if (root.slot >= 0) return;  // tensors that fill one slot have boxes of one shape
  }
}

/// What loads and stores share: roots, coordinates, swizzle.
FragmentAccess decode(Compiler& c, const Operation& op, ir::ValueId tile, const Access& access) {
  FragmentAccess f;
  const ir::Layout& layout = c.kernel().layouts[c.type(tile).layout];
  add_roots(c, f, c.root(op.in[0]), op.in[0], access,
            ir::sources_of(c.kernel(), c.definitions(), op), &layout);
  f.row = coordinate(c, op.in[2]);
  f.col = coordinate(c, op.in[3]);
  f.swizzle = ir::slot_swizzle(op, ir::bytes(access.elem));
  return f;
}

/// Notes the lanes and warps of a store that hold what no earlier one holds.
void choose_writers(FragmentAccess& f) {
  const Places &row = f.roots[0].row.places, &col = f.roots[0].col.places;
  auto repeats = [](const auto& r, const auto& c, std::size_t i) {
    for (std::size_t j = 0; j < i; ++j)
      if (r[j] == r[i] && c[j] == c[i]) return true;
    return false;
  };
  for (std::size_t l = 0; l < lanes; ++l)
    if (repeats(row.lane, col.lane, l)) f.first_lanes &= ~(Mask{1} << l);
  for (std::size_t w = 0; w < row.warp.size(); ++w)
    f.first_warps.push_back(!repeats(row.warp, col.warp, w));
}

}  // namespace

void mean(Tag<Op::FragmentLoad>, Compiler& c, const Operation& op) {
  if (op.out.empty()) return;
  FragmentAccess f = decode(c, op, op.out[0], c.access(op));
  f.words = ir::words_of(c.kernel(), op);
  f.packing.code = c.elem(op.out[0]);
  std::uint32_t n = c.count(c.type(op.out[0]));
  with_width(c.elem(op.out[0]), [&](auto as) {
    using T = typename decltype(as)::type;
    c.emit({.run = &run_fragment_load<T>,
            .out = c.define(op.out[0]),
            .n = n,
            .weight = n,
            .info = c.add(std::move(f))});
  });
}

void mean(Tag<Op::FragmentStore>, Compiler& c, const Operation& op) {
  Access a = c.access(op);
  a.value = c.in(op.in[4]);
  FragmentAccess f = decode(c, op, op.in[4], a);
  choose_writers(f);
  std::uint32_t n = c.count(c.type(op.in[4]));
  with_width(a.elem, [&](auto as) {
    using T = typename decltype(as)::type;
    c.emit({.run = &run_fragment_store<T>, .n = n, .weight = n, .info = c.add(std::move(f))});
  });
}

void mean(Tag<Op::FragmentIndex>, Compiler& c, const Operation& op) {
  const ir::Layout& layout = c.kernel().layouts[c.type(op.out[0]).layout];
  std::uint32_t n = c.count(c.type(op.out[0]));
  auto axis = static_cast<int>(op.attr(Key::Axis));
  c.emit({.run = &run_fragment_index,
          .out = c.define(op.out[0]),
          .n = n,
          .weight = n,
          .info = c.add(places_of(layout, axis, c.geometry().warps()))});
}

void mean(Tag<Op::Fill>, Compiler& c, const Operation& op) {
  FragmentAccess f;
  f.to = c.access(op);
  c.add(f.to);
  Access from;
  from.elem = f.to.elem;
  from.index = c.in(op.in[2]);
  from.index_elem = c.elem(op.in[2]);
  ir::Root root = c.root(op.in[1]);
  add_roots(c, f, root, op.in[1], from, root.params, nullptr);
  f.row = coordinate(c, op.in[3]);
  f.col = coordinate(c, op.in[4]);
  std::int64_t rows = op.attr(Key::Rows), columns = op.attr(Key::Columns);
  int bytes = ir::bytes(f.to.elem);
  f.share = ir::copy_share(rows, columns, bytes, c.geometry().block_threads());
  f.swizzle = ir::swizzle_of(columns, bytes);
  auto n = static_cast<std::uint32_t>(f.share.rounds() * f.share.vec);
  with_width(f.to.elem, [&](auto as) {
    using T = typename decltype(as)::type;
    c.emit({.run = &run_fill<T>, .n = n, .weight = n, .info = c.add(std::move(f))});
  });
}

}  // namespace barline::verify::sim
