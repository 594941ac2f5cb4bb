// SPDX-License-Identifier: Apache-2.0
// Atomics and fences. The lanes of a warp act one after the other; in which order is the
// scheduler's choice, as it is the hardware's.
#include "verify/interp/elementwise.h"
#include "verify/interp/memory.h"

namespace barline::verify::sim {
namespace {

using ir::RmwKind;

template <RmwKind Kind>
struct RmwLane {
  template <class T>
  static T apply(T old, T value) {
    if constexpr (Kind == RmwKind::Add) return num::add(old, value);
    if constexpr (Kind == RmwKind::Min) return num::min(old, value);
    if constexpr (Kind == RmwKind::Max) return num::max(old, value);
    if constexpr (num::Integer<T>) {
      if constexpr (Kind == RmwKind::And) return old & value;
      if constexpr (Kind == RmwKind::Or) return old | value;
      if constexpr (Kind == RmwKind::Xor) return old ^ value;
    }
    return value;
  }
};

/// old = *at; *at = next(old, lane); for each lane in the scheduler's order.
template <class T, class Next>
void update_lanes(Warp& w, const Inst& i, Next&& next) {
  const Access& a = w.worker->program.accesses[i.info];
  Indices index;
  read_indices(w, a, index);
  auto one = [&](int l) {
    View v = view_of(w, a, l);
    check_bounds(w, l, a, v, index.at[l]);
    touch(w, l, a, v, index.at[l], 1, Touch::StrongUpdate);
    v.sync->rmw(w, l, v.key + index.at[l], a);
    std::byte* at = v.data + index.at[l] * sizeof(T);
    T old = get<T>(at);
    T fresh = next(old, l);
    if (std::memcmp(&old, &fresh, sizeof old) != 0) {
      w.worker->progress = true;
      put<T>(at, fresh);
    }
    if (i.n) w.at<T>(i.out)[l] = old;
  };
  if (!w.worker->reverse_lanes) return for_each_lane(w.mask, one);
  for (int l = lanes - 1; l >= 0; --l)
    if (w.mask >> l & 1) one(l);
}

template <class T, class F>
void run_atomic(Warp& w, const Inst& i) {
  const T* value = w.at<T>(w.worker->program.accesses[i.info].value);
  update_lanes<T>(w, i, [&](T old, int l) { return F::apply(old, value[l]); });
}

template <class T>
void run_cas(Warp& w, const Inst& i) {
  const Access& a = w.worker->program.accesses[i.info];
  const T* expected = w.at<T>(a.expected);
  const T* value = w.at<T>(a.value);
  update_lanes<T>(w, i, [&](T old, int l) { return old == expected[l] ? value[l] : old; });
}

/// imm: the scope reaches other blocks.
void run_fence(Warp& w, const Inst& i) {
  for_each_lane(w.mask, [&](int l) { fence(w, l, i.imm != 0); });
}

template <class T>
Execute atomic_of(RmwKind kind) {
  switch (kind) {
    case RmwKind::Add: return &run_atomic<T, RmwLane<RmwKind::Add>>;
    case RmwKind::Min: return &run_atomic<T, RmwLane<RmwKind::Min>>;
    case RmwKind::Max: return &run_atomic<T, RmwLane<RmwKind::Max>>;
    case RmwKind::And: return &run_atomic<T, RmwLane<RmwKind::And>>;
    case RmwKind::Or: return &run_atomic<T, RmwLane<RmwKind::Or>>;
    case RmwKind::Xor: return &run_atomic<T, RmwLane<RmwKind::Xor>>;
    case RmwKind::Exchange: return &run_atomic<T, RmwLane<RmwKind::Exchange>>;
  }
  return nullptr;
}

void emit_update(Compiler& c, const Operation& op, const Access& a, Execute run) {
  Inst inst{.run = run, .n = 0, .weight = 1};
  if (!op.out.empty()) {
    inst.out = c.define(op.out[0]);
    inst.n = 1;
  }
  inst.info = c.add(a);
  c.emit(inst);
}

}  // namespace

void mean(Tag<Op::Atomic>, Compiler& c, const Operation& op) {
  Access a = c.access(op);
  a.value = c.in(op.in[2]);
  auto kind = op.attr_as<RmwKind>(ir::Key::Rmw);
  with_elem(a.elem, [&](auto as) {
    using T = typename decltype(as)::type;
    if constexpr (num::Integer<T> && sizeof(T) >= 4)
      return emit_update(c, op, a, atomic_of<T>(kind));
    else if constexpr (std::floating_point<T>)
      if (kind == RmwKind::Add) return emit_update(c, op, a, atomic_of<T>(kind));
    c.refuse(op, "atomics take 32- and 64-bit integers, and f32 add");
  });
}

void mean(Tag<Op::AtomicCas>, Compiler& c, const Operation& op) {
  Access a = c.access(op);
  a.expected = c.in(op.in[2]);
  a.value = c.in(op.in[3]);
  with_elem(a.elem, [&](auto as) {
    using T = typename decltype(as)::type;
    if constexpr (num::Integer<T> && sizeof(T) >= 4)
      return emit_update(c, op, a, &run_cas<T>);
    else
      c.refuse(op, "compare and swap takes 32- and 64-bit integers");
  });
}

void mean(Tag<Op::Fence>, Compiler& c, const Operation& op) {
  bool wide = op.attr_as<ir::MemScope>(ir::Key::Scope) >= ir::MemScope::Gpu;
  c.emit({.run = &run_fence, .weight = 1, .imm = wide});
}

}  // namespace barline::verify::sim
