// SPDX-License-Identifier: Apache-2.0
// Builds kernels over fragment tiles for the simulator's tests.
#pragma once

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "ir/builder.h"
#include "ir/check.h"
#include "ir/fragment.h"
#include "ir/numerics.h"
#include "ir/tensor.h"
#include "verify/interp/simulate.h"

namespace barline::verify {

/// A kernel of one block tile: 64 x 16 (x 32) over 2 x 2 warps, on axes M, N and K of given sizes.
struct FragmentKernel {
  ir::Kernel k;
  ir::Builder b{k};
  ir::BlockTile tile{.m = 64, .n = 16, .k = 32, .warps_m = 2, .warps_n = 2};
  int M = 0, N = 1, K = 2;
  int c = 0, a = 1, w = 2;  ///< layouts

  FragmentKernel(std::int64_t m, std::int64_t n, std::int64_t kk, ir::Elem operand = ir::Elem::F16,
                 ir::BlockTile shape = {.m = 64, .n = 16, .k = 32, .warps_m = 2, .warps_n = 2})
      : tile(shape) {
    k.name = "k";
    axis("M", m), axis("N", n), axis("K", kk);
    ir::Atom atom = *ir::atom_of(operand);
    k.layouts = {fragment_c("c", atom, tile, M, N), fragment_a("a", atom, tile, M, K),
                 fragment_b("b", atom, tile, K, N)};
    k.launch.threads[0] = 32 * tile.warps_m * tile.warps_n;
    k.launch.grid[0] = {.axis = M, .per_block = tile.m};
    k.launch.grid[1] = {.axis = N, .per_block = tile.n};
  }

  int axis(std::string name, std::int64_t size) {
    k.axes.push_back({.name = std::move(name), .bound = size});
    k.axis_sizes.push_back(ir::no_value);
    return static_cast<int>(k.axes.size() - 1);
  }
  int derived(std::string name, int of, std::int64_t per, std::int64_t times = 1) {
    int i = axis(std::move(name), (*k.axes[of].bound + per - 1) / per * times);
    k.axes[i].of = of, k.axes[i].per = per, k.axes[i].times = times;
    return i;
  }
  int layout(ir::Layout l) {
    k.layouts.push_back(std::move(l));
    return static_cast<int>(k.layouts.size() - 1);
  }
  ir::ValueId param(std::string name, ir::Elem e, std::vector<int> axes,
                    ir::Access access = ir::Access::In) {
    ir::Type type = ir::pointer(e, ir::Space::Global);
    k.params.push_back({.name = name,
                        .type = type,
                        .access = access,
                        .axes = std::move(axes),
                        .value = k.new_value(type, name),
                        .loc = {}});
    return k.params.back().value;
  }
  ir::ValueId slot(std::string name, ir::Elem e, std::int64_t extent, int copies = 1) {
    ir::ValueId v = k.new_value(ir::pointer(e, ir::Space::Shared), name);
    k.slots.push_back(
        {.name = name, .elem = e, .extent = extent, .copies = copies, .value = v, .loc = {}});
    return v;
  }

  ir::ValueId number(std::int64_t v) { return b.constant(ir::Elem::S32, v); }
  ir::ValueId origin(int dim, std::int64_t extent) {
    ir::ValueId block =
        b.emit(ir::Op::BlockId, ir::scalar(ir::Elem::S32), {}, {{ir::Key::Dim, dim, {}}});
    return b.binary(ir::Op::Mul, block, number(extent));
  }
  ir::ValueId m0() { return origin(0, tile.m); }
  ir::ValueId n0() { return origin(1, tile.n); }
  ir::ValueId zero(ir::Elem e, int layout) {
    return b.emit(ir::Op::Const, ir::tile(e, layout), {}, {{ir::Key::Value, 0, {}}});
  }
  ir::ValueId load(ir::ValueId root, ir::Elem e, int layout, ir::ValueId row, ir::ValueId col,
                   std::vector<ir::Attr> attrs = {}) {
    return b.emit(ir::Op::FragmentLoad, ir::tile(e, layout), {root, number(0), row, col}, attrs);
  }
  void store(ir::ValueId root, ir::ValueId row, ir::ValueId col, ir::ValueId value) {
    b.emit(ir::Op::FragmentStore, {root, number(0), row, col, value});
  }
  void fill(ir::ValueId slot, ir::ValueId from, ir::ValueId row, ir::ValueId col, std::int64_t rows,
            std::int64_t columns) {
    b.emit(ir::Op::Fill, {slot, from, number(0), row, col},
           {{ir::Key::Rows, rows, {}}, {ir::Key::Columns, columns, {}}});
  }
  /// for i in 0 .. trips carrying `init`; body(i, carried) gives the next one.
  template <class Body>
  ir::ValueId loop(std::int64_t trips, ir::ValueId init, Body body) {
    ir::Type type = k.type(init);
    ir::Operation op{.op = ir::Op::For,
                     .in = {number(0), number(trips), number(1), init},
                     .out = {k.new_value(type)},
                     .attrs = {},
                     .regions = std::vector<ir::Region>(1),
                     .loc = {}};
    ir::Region& r = op.regions[0];
    r.args = {k.new_value(ir::scalar(ir::Elem::S32)), k.new_value(type)};
    b.open(r);
    ir::ValueId next = body(r.args[0], r.args[1]);
    b.append(yield({next}));
    b.close();
    return b.append(std::move(op)).out[0];
  }
  /// Sum over K: load_a and load_b give the operands at k0.
  template <class A, class B>
  ir::ValueId sum(ir::Elem acc, A load_a, B load_b) {
    std::int64_t trips = (*k.axes[K].bound + tile.k - 1) / tile.k;
    return loop(trips, zero(acc, c), [&](ir::ValueId i, ir::ValueId sum) {
      ir::ValueId k0 = b.binary(ir::Op::Mul, i, number(tile.k));
      ir::ValueId x = load_a(k0), y = load_b(k0);
      return b.emit(ir::Op::Dot, {sum, x, y});
    });
  }
  /// fold along `axis` by `combine`.
  ir::ValueId fold(ir::ValueId v, int axis, int to, ir::Op combine) {
    ir::Elem e = k.type(v).elem;
    ir::Operation op{.op = ir::Op::Fold,
                     .in = {v},
                     .out = {k.new_value(ir::tile(e, to))},
                     .attrs = {{ir::Key::Axis, axis, {}}},
                     .regions = std::vector<ir::Region>(1),
                     .loc = {}};
    ir::Region& r = op.regions[0];
    r.args = {k.new_value(ir::scalar(e)), k.new_value(ir::scalar(e))};
    b.open(r);
    ir::ValueId both = b.binary(combine, r.args[0], r.args[1]);
    b.append(yield({both}));
    b.close();
    return b.append(std::move(op)).out[0];
  }
  ir::Operation yield(std::vector<ir::ValueId> values) {
    return {.op = ir::Op::Yield,
            .in = std::move(values),
            .out = {},
            .attrs = {},
            .regions = {},
            .loc = {}};
  }

  SimReport run(std::vector<SimArgument> arguments, SimOptions options = {}) {
    b.append(yield({}));
    ir::check(k);
    SimReport r = simulate(k, arguments, {}, options);
    if (r.finding) FAIL(to_string(*r.finding));
    return r;
  }
};

/// Small numbers that halves hold, so that sums round.
inline ir::Tensor noise_tensor(ir::Elem e, std::int64_t rows, std::int64_t columns, unsigned seed) {
  ir::Tensor t(e, {rows, columns});
  std::mt19937 rng(seed);
  std::uniform_real_distribution<float> d(-2, 2);
  for (std::int64_t i = 0; i < t.count(); ++i) {
    float v = d(rng);
    if (e == ir::Elem::F32) t.as<float>()[i] = v;
    if (e == ir::Elem::F16) t.as<std::uint16_t>()[i] = ir::num::to_f16(v).bits;
    if (e == ir::Elem::BF16) t.as<std::uint16_t>()[i] = ir::num::to_bf16(v).bits;
    if (e == ir::Elem::S8) t.as<std::int8_t>()[i] = static_cast<std::int8_t>(v * 63);
  }
  return t;
}

}  // namespace barline::verify
