// SPDX-License-Identifier: Apache-2.0
// Products of fragments: a warp's operands are gathered into rows, multiplied by the tensor core's
// model atom by atom, k ascending, and scattered back.
#include <algorithm>
#include <vector>

#include "ir/tensor_core.h"
#include "verify/interp/fragment.h"
#include "verify/interp/machine.h"
#include "verify/interp/meanings.h"

namespace barline::verify::sim {
namespace {

template <class T>
std::vector<T> gather(const Warp& w, Operand o, const std::vector<std::uint32_t>& from) {
  std::vector<T> rows(from.size());
  const T* base = w.at<T>(o);
  for (std::size_t i = 0; i < from.size(); ++i)
    rows[i] = base[std::size_t{o.step} * (from[i] / lanes) * lanes + from[i] % lanes];
  return rows;
}

template <class T>
void scatter(Warp& w, Operand o, const std::vector<std::uint32_t>& to, const std::vector<T>& rows) {
  T* base = w.at<T>(o);
  for (std::size_t i = 0; i < to.size(); ++i) base[to[i]] = rows[i];
}

/// One atom at (m, n, k) of the warp's product.
template <ir::Elem E>
void multiply_atom(const DotPlan& p, int m, int n, int k, const std::uint16_t* a,
                   const std::uint16_t* b, float* c) {
  std::uint16_t rows[16 * 16], columns[8 * 16];
  float sums[16 * 8];
  for (int i = 0; i < 16; ++i) std::copy_n(a + (m + i) * p.k + k, 16, rows + i * 16);
  for (int j = 0; j < 8; ++j) std::copy_n(b + (n + j) * p.k + k, 16, columns + j * 16);
  for (int i = 0; i < 16; ++i) std::copy_n(c + (m + i) * p.n + n, 8, sums + i * 8);
  ir::mma_tile(E, rows, columns, 16, sums, sums);
  for (int i = 0; i < 16; ++i) std::copy_n(sums + i * 8, 8, c + (m + i) * p.n + n);
}

template <ir::Elem E>
void multiply_atom(const DotPlan& p, int m, int n, int k, const std::int8_t* a,
                   const std::int8_t* b, std::int32_t* c) {
  for (int i = m; i < m + p.atom.m; ++i)
    for (int j = n; j < n + p.atom.n; ++j) {
      std::int32_t& sum = c[i * p.n + j];
      sum = ir::mma_dot_s8(a + i * p.k + k, b + j * p.k + k, p.atom.k, sum);
    }
}

template <ir::Elem E, class T, class Sum>
void run_dot(Warp& w, const Inst& i) {
  require_whole_warp(w);
  const DotPlan& p = *w.worker->program.dots[i.info];
  auto a = gather<T>(w, i.a, p.a), b = gather<T>(w, i.b, p.b);
  auto c = gather<Sum>(w, i.c, p.c);
  for (int k = 0; k < p.k; k += p.atom.k)
    for (int m = 0; m < p.m; m += p.atom.m)
      for (int n = 0; n < p.n; n += p.atom.n)
        multiply_atom<E>(p, m, n, k, a.data(), b.data(), c.data());
  scatter(w, i.out, p.c, c);
}

/// The positions along `axis` of what warp 0 holds, ascending; blocks of a warp may stand apart.
std::vector<std::int64_t> positions_along(const ir::Layout& layout, int axis) {
  std::vector<std::int64_t> all;
  for (int r = 0; r < ir::registers(layout); ++r)
    for (int l = 0; l < lanes; ++l) all.push_back(ir::position(layout, axis, r, l));
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// Where warp 0 holds each element of its rows and columns, row by row. All warps' parts lie alike.
std::vector<std::uint32_t> register_table(const ir::Layout& layout, int row_axis, int col_axis) {
  const auto rows = positions_along(layout, row_axis), columns = positions_along(layout, col_axis);
  auto rank = [](const std::vector<std::int64_t>& of, std::int64_t position) {
    return std::lower_bound(of.begin(), of.end(), position) - of.begin();
  };
  std::vector<std::uint32_t> table(rows.size() * columns.size());
  for (int r = 0; r < ir::registers(layout); ++r)
    for (int l = 0; l < lanes; ++l) {
      auto row = rank(rows, ir::position(layout, row_axis, r, l));
      auto col = rank(columns, ir::position(layout, col_axis, r, l));
      table[static_cast<std::size_t>(row * std::ssize(columns) + col)] =
          static_cast<std::uint32_t>(r * lanes + l);
    }
  return table;
}

DotPlan plan_of(const Compiler& c, const Operation& op) {
  auto layout = [&](std::size_t i) -> const ir::Layout& {
    return c.kernel().layouts[c.type(op.in[i]).layout];
  };
  ir::Product p = *ir::product_of(layout(0), layout(1), layout(2), c.elem(op.in[1]));
  DotPlan plan{.m = p.tile.m / p.tile.warps_m,
               .n = p.tile.n / p.tile.warps_n,
               .k = p.tile.k / p.tile.warps_k,
               .atom = p.atom,
               .a = {},
               .b = {},
               .c = {}};
  plan.c = register_table(layout(0), p.m, p.n);
  plan.a = register_table(layout(1), p.m, p.k);
  plan.b = register_table(layout(2), p.n, p.k);
  return plan;
}

}  // namespace

void mean(Tag<Op::Dot>, Compiler& c, const Operation& op) {
  DotPlan plan = plan_of(c, op);
  using ir::Elem;
  Elem e = c.elem(op.in[1]);
  Inst inst{.run = e == Elem::F16    ? &run_dot<Elem::F16, std::uint16_t, float>
                   : e == Elem::BF16 ? &run_dot<Elem::BF16, std::uint16_t, float>
                                     : &run_dot<Elem::S8, std::int8_t, std::int32_t>,
            .a = c.in(op.in[1]),
            .b = c.in(op.in[2]),
            .c = c.in(op.in[0])};
  inst.weight = static_cast<std::uint32_t>(plan.m * plan.n * plan.k / lanes);
  inst.out = c.define(op.out[0]);
  inst.info = c.add(std::move(plan));
  c.emit(inst);
}

}  // namespace barline::verify::sim
