// SPDX-License-Identifier: Apache-2.0
// Loads and stores of scalars, vectors and tiles. Data moves as the unsigned type of its width.
#include "verify/interp/elementwise.h"
#include "verify/interp/memory.h"

namespace barline::verify::sim {
namespace {

using ir::Key;
using ir::ValueId;

std::uint32_t copy_of(const Warp& w, const Access& a, int lane) {
  return w.at<std::uint32_t>(a.copy)[lane];
}

/// Calls visit(lane, view, index) for each lane that takes part, after bounds and alignment.
template <class Visit>
void for_each_access(Warp& w, const Access& a, Mask on, Visit&& visit) {
  if (!on) return;
  Indices index;
  read_indices(w, a, index);
  int viewed = std::countr_zero(on);
  View v = view_of(w, a, viewed);
  for_each_lane(on, [&](int l) {
    if (a.rotating && copy_of(w, a, l) != copy_of(w, a, viewed)) v = view_of(w, a, viewed = l);
    check_bounds(w, l, a, v, index.at[l]);
    visit(l, v, index.at[l]);
  });
}

template <class T>
void run_load(Warp& w, const Inst& i) {
  const Access& a = w.worker->program.accesses[i.info];
  Mask on = enabled(w, a);
  T* out = w.at<T>(i.out);
  if (on != w.mask)
    for (int e = 0; e < a.vec; ++e)
      for_each_lane(w.mask & ~on, [&](int l) { out[e * lanes + l] = 0; });
  Touch kind = a.strong() ? Touch::StrongRead : Touch::WeakRead;
  for_each_access(w, a, on, [&](int l, const View& v, std::int64_t index) {
    touch(w, l, a, v, index, a.vec, kind);
    for (int e = 0; e < a.vec; ++e) out[e * lanes + l] = get_element<T>(a, v, index + e);
    if (a.strong()) v.sync->load(w, l, v.key + index, a);
  });
}

/// Changed memory is progress to whoever spins; only strong stores can end a spin.
template <class T>
void store_element(Warp& w, const Access& a, const View& v, std::int64_t index, T value) {
  if (a.strong() && get_element<T>(a, v, index) != value) w.worker->progress = true;
  put_element<T>(a, v, index, value);
}

template <class T>
void run_store(Warp& w, const Inst& i) {
  const Access& a = w.worker->program.accesses[i.info];
  const T* value = w.at<T>(a.value);
  std::size_t step = a.value.step * lanes;
  Touch kind = a.strong() ? Touch::StrongWrite : Touch::WeakWrite;
  for_each_access(w, a, enabled(w, a), [&](int l, const View& v, std::int64_t index) {
    touch(w, l, a, v, index, a.vec, kind);
    for (int e = 0; e < a.vec; ++e) {
      if (a.strong())
        v.sync->store(w, l, v.key + index + e, a);
      else
        v.sync->weak_store(v.key + index + e);
      store_element<T>(w, a, v, index + e, value[e * step + l]);
    }
  });
}

/// Position of lane 0's element e; lane l's stands l * vec further.
std::int64_t first_position(const Warp& w, const TileShare& s, std::int64_t e) {
  std::int64_t step = s.threads * s.vec;
  std::int64_t part = s.grid_dim < 0 ? 0 : w.block->at[s.grid_dim] * s.chunks * step;
  return part + e / s.vec * step + e % s.vec + std::int64_t{w.index} * lanes * s.vec;
}

/// Calls visit(element, lane, view, index) for each element of the tile inside its axis.
template <class Visit>
void for_each_tile_access(Warp& w, const Access& a, const TileShare& s, Visit&& visit) {
  Indices base;
  read_indices(w, a, base);
  View v = view_of(w, a, std::countr_zero(w.mask));
  for (std::int64_t e = 0; e < s.elements(); ++e) {
    std::int64_t first = first_position(w, s, e);
    for_each_lane(w.mask, [&](int l) {
      std::int64_t position = first + l * s.vec;
      if (position >= s.size) return;
      if (a.rotating) v = view_of(w, a, l);
      check_bounds(w, l, a, v, base.at[l] + position);
      visit(e, l, v, base.at[l] + position);
    });
  }
}

template <class T>
void run_tile_load(Warp& w, const Inst& i) {
  const Access& a = w.worker->program.accesses[i.info];
  T* out = w.at<T>(i.out);
  std::fill(out, out + i.n * lanes, T{0});
  Touch kind = a.strong() ? Touch::StrongRead : Touch::WeakRead;
  for_each_tile_access(w, a, w.worker->program.shares[a.share],
                       [&](std::int64_t e, int l, const View& v, std::int64_t index) {
                         touch(w, l, a, v, index, 1, kind);
                         out[e * lanes + l] = get_element<T>(a, v, index);
                         if (a.strong()) v.sync->load(w, l, v.key + index, a);
                       });
}

template <class T>
void run_tile_store(Warp& w, const Inst& i) {
  const Access& a = w.worker->program.accesses[i.info];
  const T* value = w.at<T>(a.value);
  std::size_t step = a.value.step * lanes;
  Touch kind = a.strong() ? Touch::StrongWrite : Touch::WeakWrite;
  for_each_tile_access(w, a, w.worker->program.shares[a.share],
                       [&](std::int64_t e, int l, const View& v, std::int64_t index) {
                         touch(w, l, a, v, index, 1, kind);
                         if (a.strong())
                           v.sync->store(w, l, v.key + index, a);
                         else
                           v.sync->weak_store(v.key + index);
                         store_element<T>(w, a, v, index, value[e * step + l]);
                       });
}

template <class T>
void run_tile_index(Warp& w, const Inst& i) {
  const TileShare& s = w.worker->program.shares[i.info];
  for (std::uint32_t e = 0; e < i.n; ++e) {
    std::int64_t first = first_position(w, s, e);
    T* out = w.at<T>(i.out, e);
    for (int l = 0; l < lanes; ++l) out[l] = static_cast<T>(first + l * s.vec);
  }
}

template <class T>
void run_slot_at(Warp& w, const Inst& i) {
  const T* use = w.at<T>(i.a);
  auto* copy = w.at<std::uint32_t>(i.out);
  for (int l = 0; l < lanes; ++l)
    copy[l] = static_cast<std::uint32_t>(static_cast<std::uint64_t>(use[l]) %
                                         static_cast<std::uint64_t>(i.imm));
}

void set_active(Compiler& c, const Operation& op, std::size_t operand, Access& a) {
  if (op.in.size() <= operand) return;
  a.has_active = true;
  a.active = c.in(op.in[operand]);
}

}  // namespace

void mean(Tag<Op::SlotAt>, Compiler& c, const Operation& op) {
  std::int64_t copies = c.kernel().slots[c.kernel().slot_of(op.in[0])].copies;
  with_elem(c.elem(op.in[1]), [&](auto as) {
    using T = typename decltype(as)::type;
    if constexpr (num::Integer<T>)
      c.emit({.run = &run_slot_at<T>,
              .out = c.define(op.out[0]),
              .a = c.in(op.in[1]),
              .weight = 1,
              .imm = copies});
    else
      c.refuse(op, "a use is an integer");
  });
}

void mean(Tag<Op::Load>, Compiler& c, const Operation& op) {
  Access a = c.access(op);
  set_active(c, op, 2, a);
  if (op.out.empty()) return;
  a.vec = static_cast<std::int32_t>(c.count(c.type(op.out[0])));
  with_width(a.elem, [&](auto as) {
    using T = typename decltype(as)::type;
    c.emit({.run = &run_load<T>, .out = c.define(op.out[0]), .weight = 1, .info = c.add(a)});
  });
}

void mean(Tag<Op::Prefetch>, Compiler&, const Operation&) {}  // a hint

void mean(Tag<Op::Store>, Compiler& c, const Operation& op) {
  Access a = c.access(op);
  set_active(c, op, 3, a);
  a.vec = static_cast<std::int32_t>(c.count(c.type(op.in[2])));
  a.value = c.in(op.in[2]);
  with_width(a.elem, [&](auto as) {
    using T = typename decltype(as)::type;
    c.emit({.run = &run_store<T>, .weight = 1, .info = c.add(a)});
  });
}

void mean(Tag<Op::TileLoad>, Compiler& c, const Operation& op) {
  Access a = c.access(op);
  a.share = static_cast<int>(c.share(c.type(op.out[0])));
  std::uint32_t n = c.count(c.type(op.out[0]));
  with_width(a.elem, [&](auto as) {
    using T = typename decltype(as)::type;
    c.emit({.run = &run_tile_load<T>,
            .out = c.define(op.out[0]),
            .n = n,
            .weight = n,
            .info = c.add(a)});
  });
}

void mean(Tag<Op::TileStore>, Compiler& c, const Operation& op) {
  Access a = c.access(op);
  a.share = static_cast<int>(c.share(c.type(op.in[2])));
  a.value = c.in(op.in[2]);
  std::uint32_t n = c.count(c.type(op.in[2]));
  with_width(a.elem, [&](auto as) {
    using T = typename decltype(as)::type;
    c.emit({.run = &run_tile_store<T>, .n = n, .weight = n, .info = c.add(a)});
  });
}

void mean(Tag<Op::TileIndex>, Compiler& c, const Operation& op) {
  std::uint32_t n = c.count(c.type(op.out[0]));
  std::uint32_t share = c.share(c.type(op.out[0]));
  with_elem(c.elem(op.out[0]), [&](auto as) {
    using T = typename decltype(as)::type;
    if constexpr (num::Integer<T>)
      c.emit({.run = &run_tile_index<T>,
              .out = c.define(op.out[0]),
              .n = n,
              .weight = n,
              .info = share});
    else
      c.refuse(op, "a position is an integer");
  });
}

}  // namespace barline::verify::sim
