// SPDX-License-Identifier: Apache-2.0
// Tiles and reductions: shares, tails, and the declared summation order, against a reference that
// is written from ir/order.h alone.
#include <catch2/catch.hpp>
#include <random>

#include "interp_run.h"
#include "interp_texts.h"
#include "ir/numerics.h"
#include "ir/order.h"

using namespace barline;
using namespace barline::verify;
using ir::Elem;

namespace {

std::vector<float> noise(std::size_t n) {
  std::mt19937 rng(7);
  std::uniform_real_distribution<float> d(-1, 1);
  std::vector<float> v(n);
  for (float& x : v) x = d(rng);
  return v;
}

/// Sum of a row as the order says: chains of a thread, butterfly of a warp, warps pairwise.
float ordered_sum(const float* x, int size, int threads, int vec, int chains) {
  auto add = [](float a, float b) { return ir::num::add(a, b); };
  int chunks = (size + threads * vec - 1) / (threads * vec);
  std::vector<float> lane(threads);
  for (int t = 0; t < threads; ++t) {
    std::vector<float> chain(chains, 0.0f);
    for (int e = 0; e < chunks * vec; ++e) {
      int at = (e / vec * threads + t) * vec + e % vec;
      if (at < size) chain[e % chains] = add(chain[e % chains], x[at]);
    }
    lane[t] = ir::fold_pairwise(chain.data(), chains, add);
  }
  std::vector<float> warps;
  for (int w = 0; w < threads; w += 32) {
    std::vector<float> v(lane.begin() + w, lane.begin() + w + 32);
    for (int m = 16; m; m /= 2) {
      std::vector<float> other(v);
      for (int l = 0; l < 32; ++l) v[l] = add(other[l], other[l ^ m]);
    }
    warps.push_back(v[0]);
  }
  return ir::fold_pairwise(warps.data(), static_cast<int>(warps.size()), add);
}

}  // namespace

TEST_CASE("a row's sum follows the declared order, tails and odd warps included") {
  for (int size : {1, 5, 383, 384, 385, 1000, 2305})
    for (int chains : {1, 2, 3, 8}) {
      const int rows = 3;
      auto x = noise(static_cast<std::size_t>(rows) * size);
      ir::Tensor tx = tensor(Elem::F32, x), ty(Elem::F32, {rows, size});
      tx.shape = {rows, size};
      SimReport r = run(row_sum("0", chains), {tx, ty}, {rows, size});
      INFO(size << " elements, " << chains << " chains");
      if (r.finding) FAIL(to_string(*r.finding));
      auto y = values<float>(ty);
      for (int row = 0; row < rows; ++row) {
        float sum = ordered_sum(&x[row * size], size, 96, 4, chains);
        for (int i = 0; i < size; ++i)
          REQUIRE(y[row * size + i] == ir::num::mul(x[row * size + i], sum));
      }
    }
}

TEST_CASE("an axis that is bound takes its chunks from the layout") {
  auto x = noise(1000);
  ir::Tensor tx = tensor(Elem::F32, x), ty(Elem::F32, {1, 1000});
  REQUIRE(run(row_sum("3", 2, "axis d = 1000"), {tx, ty}, {1}).clean());
  REQUIRE(values<float>(ty)[999] == ir::num::mul(x[999], ordered_sum(x.data(), 1000, 96, 4, 2)));
}

TEST_CASE("every thread of the warp receives the same bits; an argmax carries two values") {
  auto x = noise(64);
  x[20] = x[9] = 2.0f;
  x[40] = 3.0f;
  ir::Tensor tx = tensor(Elem::F32, x), tv(Elem::F32, {64}), tp(Elem::S32, {64});
  REQUIRE(run(argmax, {tx, tv, tp}).clean());
  for (int i = 0; i < 64; ++i) {
    REQUIRE(values<float>(tv)[i] == (i < 32 ? 2.0f : 3.0f));
    REQUIRE(values<std::int32_t>(tp)[i] == (i < 32 ? 9 : 40));
  }
}

TEST_CASE("a tile over the grid: each block its part, positions past the axis take no part") {
  for (std::int64_t n : {1, 191, 192, 193, 1000}) {
    ir::Tensor x(Elem::BF16, {n}), p(Elem::S32, {n}), y(Elem::F32, {n});
    for (std::int64_t i = 0; i < n; ++i)
      x.as<std::uint16_t>()[i] = ir::num::to_bf16(static_cast<float>(i % 100)).bits;
    SimReport r = run(scale_over_grid, {x, p, y}, {n});
    if (r.finding) FAIL(to_string(*r.finding));
    for (std::int64_t i = 0; i < n; ++i) {
      REQUIRE(p.as<std::int32_t>()[i] == i);
      REQUIRE(y.as<float>()[i] == static_cast<float>(2 * (i % 100) + i));
    }
  }
}

TEST_CASE("an empty axis runs no block") {
  ir::Tensor x(Elem::F32, {0, 8}), y(Elem::F32, {0, 8});
  SimReport r = run(row_sum("0", 1), {x, y}, {0, 8});
  REQUIRE(r.clean());
  REQUIRE(r.counts.blocks == 0);
}

TEST_CASE("two block reductions in a row do not disturb each other under any schedule") {
  ir::Tensor first(Elem::S32, {128});
  REQUIRE(run(twice, {first}).clean());
  for (int seed = 0; seed < 10; ++seed) {
    ir::Tensor y(Elem::S32, {128});
    SimOptions o{.order = WarpOrder::Random, .seed = static_cast<std::uint64_t>(seed)};
    REQUIRE(run(twice, {y}, {}, o).clean());
    REQUIRE(y.data == first.data);
  }
}
