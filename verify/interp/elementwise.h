// SPDX-License-Identifier: Apache-2.0
// Loops over the lanes of an elementwise op, for a functor that says what one lane does. The
// functor's operator() is constrained to the host types that the op takes; others are refused.
#pragma once

#include <concepts>
#include <type_traits>

#include "ir/numerics.h"
#include "verify/interp/machine.h"
#include "verify/interp/meanings.h"
#include "verify/interp/value_types.h"

namespace barline::verify::sim {

namespace num = ir::num;

template <class R, class A, class F>
void run_unary(Warp& w, const Inst& i) {
  for (std::uint32_t e = 0; e < i.n; ++e) {
    R* __restrict r = w.at<R>(i.out, e);
    const A* __restrict a = w.at<A>(i.a, e);
    for (int l = 0; l < lanes; ++l) r[l] = F{}(a[l]);
  }
}

template <class R, class A, class B, class F>
void run_binary(Warp& w, const Inst& i) {
  for (std::uint32_t e = 0; e < i.n; ++e) {
    R* __restrict r = w.at<R>(i.out, e);
    const A* a = w.at<A>(i.a, e);
    const B* b = w.at<B>(i.b, e);
    for (int l = 0; l < lanes; ++l) r[l] = F{}(a[l], b[l]);
  }
}

template <class R, class A, class B, class C, class F>
void run_ternary(Warp& w, const Inst& i) {
  for (std::uint32_t e = 0; e < i.n; ++e) {
    R* __restrict r = w.at<R>(i.out, e);
    const A* a = w.at<A>(i.a, e);
    const B* b = w.at<B>(i.b, e);
    const C* c = w.at<C>(i.c, e);
    for (int l = 0; l < lanes; ++l) r[l] = F{}(a[l], b[l], c[l]);
  }
}

/// An operand as an op over n elements reads it: a scalar beside a tile stands for all elements.
inline Operand spread(Compiler& c, ir::ValueId v, std::uint32_t n) {
  Operand o = c.in(v);
  if (n != 1 && c.count(c.type(v)) == 1) o.step = 0;
  return o;
}

/// Appends one instruction that applies `run` to the op's operands element by element.
inline void elementwise(Compiler& c, const Operation& op, Execute run) {
  std::uint32_t n = c.count(c.type(op.out[0]));
  Inst inst{.run = run, .n = n, .weight = n};
  inst.out = c.define(op.out[0]);
  inst.a = spread(c, op.in[0], n);
  if (op.in.size() > 1) inst.b = spread(c, op.in[1], n);
  if (op.in.size() > 2) inst.c = spread(c, op.in[2], n);
  c.emit(inst);
}

/// F over one operand, chosen by its element type.
template <class F>
void unary(Compiler& c, const Operation& op) {
  with_elem(c.elem(op.in[0]), [&](auto as) {
    using T = typename decltype(as)::type;
    if constexpr (std::invocable<F, T>)
      elementwise(c, op, &run_unary<std::invoke_result_t<F, T>, T, F>);
    else
      c.refuse(op, "no meaning for this element type");
  });
}

/// F over two operands of one type.
template <class F>
void binary(Compiler& c, const Operation& op) {
  with_elem(c.elem(op.in[0]), [&](auto as) {
    using T = typename decltype(as)::type;
    if constexpr (std::invocable<F, T, T>)
      elementwise(c, op, &run_binary<std::invoke_result_t<F, T, T>, T, T, F>);
    else
      c.refuse(op, "no meaning for this element type");
  });
}

}  // namespace barline::verify::sim
