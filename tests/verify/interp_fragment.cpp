// SPDX-License-Identifier: Apache-2.0
// Kernels over fragment tiles, against host loops over the tensor core's model and the declared
// orders: ragged edges, operands through slots, quantised words, folds.
#include <catch2/catch.hpp>
#include <functional>

#include "ir/packing.h"
#include "ir/tensor_core.h"
#include "tests/verify/fragment_kernels.h"

using namespace barline;
using namespace barline::verify;
using ir::Elem;
using ir::Key;
using ir::Op;
using ir::ValueId;

namespace {

/// Row `row` of t (rows x columns), zeros outside, from `from` on.
std::vector<std::uint16_t> row_part(const ir::Tensor& t, std::int64_t row, std::int64_t from,
                                    int n) {
  std::vector<std::uint16_t> part(static_cast<std::size_t>(n), 0);
  for (int i = 0; i < n; ++i)
    if (from + i < t.shape[1]) part[i] = t.as<std::uint16_t>()[row * t.shape[1] + from + i];
  return part;
}

/// y[m, n] = sum of x[m, :] * w[n, :] in steps of the atom.
void check_product(Elem e, const ir::Tensor& x, const ir::Tensor& w, const ir::Tensor& y) {
  for (std::int64_t m = 0; m < x.shape[0]; ++m)
    for (std::int64_t n = 0; n < w.shape[0]; ++n) {
      float c = 0;
      for (std::int64_t k = 0; k < x.shape[1]; k += 16)
        c = ir::mma_dot(e, row_part(x, m, k, 16).data(), row_part(w, n, k, 16).data(), 16, c);
      INFO(m << ", " << n);
      REQUIRE(y.as<float>()[m * w.shape[0] + n] == c);
    }
}

ir::Tensor transposed(const ir::Tensor& t) {
  ir::Tensor r(t.elem, {t.shape[1], t.shape[0]});
  for (std::int64_t i = 0; i < t.shape[0]; ++i)
    for (std::int64_t j = 0; j < t.shape[1]; ++j)
      r.as<std::uint16_t>()[j * t.shape[0] + i] = t.as<std::uint16_t>()[i * t.shape[1] + j];
  return r;
}

}  // namespace

TEST_CASE("a product of fragments is the tensor core's, ragged edges included", "[fragment]") {
  for (Elem e : {Elem::F16, Elem::BF16})
    for (auto [m, n, kk] : {std::tuple{64, 16, 32}, {70, 21, 40}, {1, 3, 130}}) {
      FragmentKernel f(m, n, kk);
      ValueId x = f.param("x", e, {f.M, f.K}), w = f.param("w", e, {f.N, f.K});
      ValueId y = f.param("y", Elem::F32, {f.M, f.N}, ir::Access::Out);
      ValueId m0 = f.m0(), n0 = f.n0();
      ValueId sum = f.sum(
          Elem::F32, [&](ValueId k0) { return f.load(x, e, f.a, m0, k0); },
          [&](ValueId k0) { return f.load(w, e, f.w, n0, k0); });
      f.store(y, m0, n0, sum);
      ir::Tensor tx = noise_tensor(e, m, kk, 1), tw = noise_tensor(e, n, kk, 2);
      ir::Tensor ty(Elem::F32, {m, n});
      f.run({tx, tw, ty});
      check_product(e, tx, tw, ty);
    }
}

TEST_CASE("a warp's blocks may stand apart: warps of warpgroups multiply every 64 rows",
          "[fragment]") {
  for (auto [m, n, kk] : {std::tuple{128, 16, 32}, {101, 21, 40}}) {
    FragmentKernel f(m, n, kk, Elem::F16,
                     {.m = 128, .n = 16, .k = 32, .warps_m = 4, .warps_n = 1, .warpgroups = true});
    ValueId x = f.param("x", Elem::F16, {f.M, f.K}), w = f.param("w", Elem::F16, {f.N, f.K});
    ValueId y = f.param("y", Elem::F32, {f.M, f.N}, ir::Access::Out);
    ValueId m0 = f.m0(), n0 = f.n0();
    ValueId sum = f.sum(
        Elem::F32, [&](ValueId k0) { return f.load(x, Elem::F16, f.a, m0, k0); },
        [&](ValueId k0) { return f.load(w, Elem::F16, f.w, n0, k0); });
    f.store(y, m0, n0, sum);
    ir::Tensor tx = noise_tensor(Elem::F16, m, kk, 1), tw = noise_tensor(Elem::F16, n, kk, 2);
    ir::Tensor ty(Elem::F32, {m, n});
    f.run({tx, tw, ty});
    check_product(Elem::F16, tx, tw, ty);
  }
}

TEST_CASE("bytes multiply exactly", "[fragment]") {
  const int m = 66, n = 20, kk = 96;
  FragmentKernel f(m, n, kk, Elem::S8);
  ValueId x = f.param("x", Elem::S8, {f.M, f.K}), w = f.param("w", Elem::S8, {f.N, f.K});
  ValueId y = f.param("y", Elem::S32, {f.M, f.N}, ir::Access::Out);
  ValueId m0 = f.m0(), n0 = f.n0();
  ValueId sum = f.sum(
      Elem::S32, [&](ValueId k0) { return f.load(x, Elem::S8, f.a, m0, k0); },
      [&](ValueId k0) { return f.load(w, Elem::S8, f.w, n0, k0); });
  f.store(y, m0, n0, sum);
  ir::Tensor tx = noise_tensor(Elem::S8, m, kk, 1), tw = noise_tensor(Elem::S8, n, kk, 2);
  ir::Tensor ty(Elem::S32, {m, n});
  f.run({tx, tw, ty});
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j) {
      int want = 0;
      for (int k = 0; k < kk; ++k)
        want += tx.as<std::int8_t>()[i * kk + k] * tw.as<std::int8_t>()[j * kk + k];
      REQUIRE(ty.as<std::int32_t>()[i * n + j] == want);
    }
}

TEST_CASE("operands go through slots, either way round, before barriers are placed", "[fragment]") {
  const int m = 70, n = 21, kk = 72;
  for (bool w_is_kn : {false, true}) {
    FragmentKernel f(m, n, kk);
    const int tm = f.tile.m, tn = f.tile.n, tk = f.tile.k;
    ValueId x = f.param("x", Elem::F16, {f.M, f.K});
    ValueId w = f.param("w", Elem::F16, w_is_kn ? std::vector{f.K, f.N} : std::vector{f.N, f.K});
    ValueId y = f.param("y", Elem::F32, {f.M, f.N}, ir::Access::Out);
    ValueId xs = f.slot("xs", Elem::F16, tm * tk, 2), ws = f.slot("ws", Elem::F16, tn * tk);
    ValueId m0 = f.m0(), n0 = f.n0(), zero = f.number(0);
    ValueId sum = f.sum(
        Elem::F32,
        [&](ValueId k0) {
          ValueId at = f.b.emit(Op::SlotAt, {xs, k0});
          f.fill(at, x, m0, k0, tm, tk);
          return f.load(at, Elem::F16, f.a, zero, zero, {{Key::Columns, tk, {}}});
        },
        [&](ValueId k0) {
          if (w_is_kn)
            f.fill(ws, w, k0, n0, tk, tn);
          else
            f.fill(ws, w, n0, k0, tn, tk);
          return f.load(ws, Elem::F16, f.w, zero, zero, {{Key::Columns, w_is_kn ? tn : tk, {}}});
        });
    f.store(y, m0, n0, sum);
    ir::Tensor tx = noise_tensor(Elem::F16, m, kk, 1), tw = noise_tensor(Elem::F16, n, kk, 2);
    ir::Tensor stored = w_is_kn ? transposed(tw) : tw, ty(Elem::F32, {m, n});
    SimOptions options;
    options.syncs_placed = false;
    f.run({tx, stored, ty}, options);
    check_product(Elem::F16, tx, tw, ty);
  }
}

namespace {

int code_at(Elem e, std::int64_t n, std::int64_t k) {
  int half = e == Elem::S4 ? 8 : 128;
  return static_cast<int>((n * 37 + k * 11 + n * k) % (2 * half)) - half;
}

ir::Tensor portable_words(Elem e, std::int64_t n, std::int64_t k) {
  std::int64_t per = 32 / ir::bits(e);
  ir::Tensor words(Elem::U32, {n, (k + per - 1) / per});
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < k; ++j) {
      auto code = static_cast<std::uint32_t>(code_at(e, i, j)) & ((1u << ir::bits(e)) - 1);
      words.as<std::uint32_t>()[i * words.shape[1] + j / per] |= code << j % per * ir::bits(e);
    }
  return words;
}

/// y[n, k] as f32 of code * scale, with a scale for each 24 elements of k, loaded as one B tile.
void check_words(Elem e, bool packed, bool staged) {
  const int n = 29, kk = 128, group = 24;
  ir::BlockTile tile{.m = 16, .n = 32, .k = 64, .warps_m = 1, .warps_n = 2};
  FragmentKernel f(16, n, kk, Elem::F16, tile);
  ir::Packing p{e};
  const int per = p.per_word();
  int rows = packed ? f.derived("N_u", f.N, p.unit_n()) : f.N;
  int words = packed ? f.derived("K_w", f.K, 64, 128) : f.derived("K_w", f.K, per);
  int groups = f.derived("K_g", f.K, group);
  ValueId w = f.param("w", Elem::U32, {rows, words});
  ValueId s = f.param("s", Elem::F16, {f.N, groups});
  ValueId y = f.param("y", Elem::F32, {f.N, f.K}, ir::Access::Out);
  int box_rows = packed ? tile.n / p.unit_n() : tile.n, columns = packed ? 128 : tile.k / per;
  ValueId slot = f.slot("words", Elem::U32, box_rows * columns);
  ValueId n0 = f.n0();
  for (int k0 = 0; k0 < kk; k0 += tile.k) {
    std::vector<ir::Attr> attrs;
    if (packed) attrs.push_back({Key::Packed, 1, {}});
    ValueId codes;
    if (staged) {
      ValueId row = packed ? f.b.binary(Op::Div, n0, f.number(p.unit_n())) : n0;
      f.fill(slot, w, row, f.number(packed ? k0 / 64 * 128 : k0 / per), box_rows, columns);
      attrs.push_back({Key::Columns, columns, {}});
      codes = f.load(slot, e, f.w, f.number(0), f.number(0), attrs);
    } else {
      codes = f.load(w, e, f.w, n0, f.number(k0), attrs);
    }
    ValueId scales = f.load(s, Elem::F16, f.w, n0, f.number(k0));
    ValueId halves = f.b.binary(Op::Mul, f.b.cast(Elem::F16, codes), scales);
    f.store(y, n0, f.number(k0), f.b.cast(Elem::F32, halves));
  }
  ir::Tensor tw = packed ? ir::pack(p, n, kk, [&](auto i, auto j) { return code_at(e, i, j); })
                         : portable_words(e, n, kk);
  ir::Tensor ts = noise_tensor(Elem::F16, n, (kk + group - 1) / group, 3);
  ir::Tensor ty(Elem::F32, {n, kk});
  SimOptions options;
  options.syncs_placed = !staged;
  f.run({tw, ts, ty}, options);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < kk; ++j) {
      ir::f16_t scale{ts.as<std::uint16_t>()[i * ts.shape[1] + j / group]};
      ir::f16_t code = ir::num::to_f16(static_cast<float>(code_at(e, i, j)));
      INFO(i << ", " << j);
      REQUIRE(ty.as<float>()[i * kk + j] == ir::num::to_f32(ir::num::mul(code, scale)));
    }
}

}  // namespace

TEST_CASE("quantised words and scales of a derived axis are read by the quotient", "[fragment]") {
  for (Elem e : {Elem::S4, Elem::S8})
    for (bool packed : {false, true})
      for (bool staged : {false, true}) {
        INFO(ir::name(e) << (packed ? " packed" : " portable") << (staged ? " staged" : ""));
        check_words(e, packed, staged);
      }
}

TEST_CASE("a fold takes a thread's elements ascending, then lanes, widest first", "[fragment]") {
  const int m = 50, n = 64;
  ir::BlockTile tile{.m = 64, .n = 64, .k = 16, .warps_m = 4, .warps_n = 1};
  FragmentKernel f(m, n, 16, Elem::F16, tile);
  int rows = f.layout(without_axis(f.k.layouts[f.c], f.N));
  f.k.layouts[rows].name = "rows";
  ValueId x = f.param("x", Elem::F32, {f.M, f.N});
  ValueId sums = f.param("sums", Elem::F32, {f.M}, ir::Access::Out);
  ValueId y = f.param("y", Elem::F32, {f.M, f.N}, ir::Access::Out);
  ValueId zero = f.number(0), m0 = f.m0();
  ValueId v = f.load(x, Elem::F32, f.c, m0, zero);
  f.store(sums, zero, m0, f.fold(v, f.N, rows, Op::Add));
  ValueId top = f.fold(v, f.N, rows, Op::Max);
  ValueId wide = f.b.emit(Op::Spread, ir::tile(Elem::F32, f.c), {top});
  f.store(y, m0, zero, f.b.binary(Op::Sub, v, wide));
  ir::Tensor tx = noise_tensor(Elem::F32, m, n, 5), ts(Elem::F32, {m}), ty(Elem::F32, {m, n});
  f.run({tx, ts, ty});
  for (int i = 0; i < m; ++i) {
    const float* row = tx.as<float>() + i * n;
    float lane[4];
    for (int q = 0; q < 4; ++q) {
      lane[q] = row[2 * q];
      for (int j = 1; j < 16; ++j) lane[q] += row[j / 2 * 8 + 2 * q + j % 2];
    }
    REQUIRE(ts.as<float>()[i] == (lane[0] + lane[2]) + (lane[1] + lane[3]));
    float top_of_row = *std::max_element(row, row + n);
    for (int j = 0; j < n; ++j) REQUIRE(ty.as<float>()[i * n + j] == row[j] - top_of_row);
  }
}

TEST_CASE("positions count from the tile's origin, and mask what lies past an axis", "[fragment]") {
  const int m = 20, n = 16;
  FragmentKernel f(m, n, 16);
  ValueId y = f.param("y", Elem::S32, {f.M, f.N}, ir::Access::Out);
  ir::Type type = ir::tile(Elem::S32, f.c);
  ValueId i = f.b.emit(Op::FragmentIndex, type, {}, {{Key::Axis, f.M, {}}});
  ValueId j = f.b.emit(Op::FragmentIndex, type, {}, {{Key::Axis, f.N, {}}});
  ValueId even = f.b.compare(ir::Compare::Lt, j, f.number(9));
  ValueId v = f.b.binary(Op::Add, f.b.binary(Op::Mul, i, f.number(100)), j);
  f.store(y, f.m0(), f.n0(), f.b.emit(Op::Select, {even, v, f.zero(Elem::S32, f.c)}));
  ir::Tensor ty(Elem::S32, {m, n});
  f.run({ty});
  for (int r = 0; r < m; ++r)
    for (int col = 0; col < n; ++col)
      REQUIRE(ty.as<std::int32_t>()[r * n + col] == (col < 9 ? 100 * r + col : 0));
}

TEST_CASE("a product is the next one's operand where it stands", "[fragment]") {
  const int m = 64, n = 32, d = 32;  // S = Q K^T over d, O = f16(S) V over n
  ir::BlockTile of_s{.m = m, .n = n, .k = d, .warps_m = 4, .warps_n = 1};
  FragmentKernel f(m, n, d, Elem::F16, of_s);
  ir::BlockTile of_o{.m = m, .n = d, .k = n, .warps_m = 4, .warps_n = 1};
  int o = f.layout(fragment_c("o", {}, of_o, f.M, f.K));
  int v = f.layout(fragment_b("v", {}, of_o, f.N, f.K));
  ValueId q = f.param("q", Elem::F16, {f.M, f.K}), kt = f.param("kt", Elem::F16, {f.N, f.K});
  ValueId tv = f.param("v", Elem::F16, {f.N, f.K});
  ValueId y = f.param("y", Elem::F32, {f.M, f.K}, ir::Access::Out);
  ValueId zero = f.number(0);
  ValueId s = f.sum(
      Elem::F32, [&](ValueId k0) { return f.load(q, Elem::F16, f.a, zero, k0); },
      [&](ValueId k0) { return f.load(kt, Elem::F16, f.w, zero, k0); });
  ValueId p = f.b.cast(Elem::F16, s);
  ValueId values = f.load(tv, Elem::F16, v, zero, zero);
  f.store(y, zero, zero, f.b.emit(Op::Dot, {f.zero(Elem::F32, o), p, values}));
  ir::Tensor a = noise_tensor(Elem::F16, m, d, 1), b = noise_tensor(Elem::F16, n, d, 2);
  ir::Tensor c = noise_tensor(Elem::F16, n, d, 3), out(Elem::F32, {m, d});
  f.run({a, b, c, out});
  ir::Tensor scores(Elem::F16, {m, n});
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j) {
      float sum = 0;
      for (int k = 0; k < d; k += 16)
        sum = ir::mma_dot(Elem::F16, row_part(a, i, k, 16).data(), row_part(b, j, k, 16).data(), 16,
                          sum);
      scores.as<std::uint16_t>()[i * n + j] = ir::num::to_f16(sum).bits;
    }
  check_product(Elem::F16, scores, transposed(c), out);
}

TEST_CASE("segments of one axis are chosen by the block", "[fragment]") {
  const int m = 40, q = 24, v = 10, kk = 48;  // two blocks of q, then one of v
  FragmentKernel f(m, q, kk);
  int V = f.axis("V", v);
  f.k.launch.grid[1].also = {V};
  ValueId x = f.param("x", Elem::F16, {f.M, f.K});
  ValueId wq = f.param("wq", Elem::F16, {f.N, f.K}), wv = f.param("wv", Elem::F16, {V, f.K});
  ValueId yq = f.param("yq", Elem::F32, {f.M, f.N}, ir::Access::Out);
  ValueId yv = f.param("yv", Elem::F32, {f.M, V}, ir::Access::Out);
  ValueId slot = f.slot("ws", Elem::F16, f.tile.n * f.tile.k);
  ValueId n0 = f.n0(), m0 = f.m0(), zero = f.number(0);
  ValueId second = f.b.cast(Elem::S32, f.b.compare(ir::Compare::Ge, n0, f.number(32)));
  n0 = f.b.binary(Op::Sub, n0, f.b.binary(Op::Mul, second, f.number(32)));
  auto choose = [&](ValueId a, ValueId b) { return f.b.emit(Op::Choose, {second, a, b}); };
  ValueId w = choose(wq, wv);
  ValueId sum = f.sum(
      Elem::F32, [&](ValueId k0) { return f.load(x, Elem::F16, f.a, m0, k0); },
      [&](ValueId k0) {
        f.fill(slot, w, n0, k0, f.tile.n, f.tile.k);
        return f.load(slot, Elem::F16, f.w, zero, zero, {{Key::Columns, f.tile.k, {}}});
      });
  f.store(choose(yq, yv), m0, n0, sum);
  ir::Tensor tx = noise_tensor(Elem::F16, m, kk, 1), twq = noise_tensor(Elem::F16, q, kk, 2);
  ir::Tensor twv = noise_tensor(Elem::F16, v, kk, 3), tyq(Elem::F32, {m, q}),
             tyv(Elem::F32, {m, v});
  SimOptions options;
  options.syncs_placed = false;
  f.run({tx, twq, twv, tyq, tyv}, options);
  check_product(Elem::F16, tx, twq, tyq);
  check_product(Elem::F16, tx, twv, tyv);
}
