// SPDX-License-Identifier: Apache-2.0
// The f64 attention: hand-made cases, and a plain f32 online softmax with rounded weights, written
// apart from it, within its bound.
#include "kernels/reference/attention.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "dsl/sample.h"
#include "kernels/reference/elements.h"

using namespace barline;
using namespace barline::kernels::reference;
using ir::Elem;
using ir::Tensor;

namespace {

Tensor random_tensor(Elem e, std::vector<std::int64_t> shape, unsigned seed, float size) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, size);
  Tensor t(e, std::move(shape));
  for (std::int64_t i = 0; i < t.count(); ++i) store_f32(t, i, normal(engine));
  return t;
}

struct Case {
  AttentionShape shape;
  Tensor q, k, v;
};

Case random_case(AttentionShape s, Elem e, float size) {
  auto shape = [&](std::int64_t heads, std::int64_t tokens) {
    return s.order == HeadOrder::HeadsFirst
               ? std::vector<std::int64_t>{s.batch, heads, tokens, s.dim}
               : std::vector<std::int64_t>{s.batch, tokens, heads, s.dim};
  };
  return {s, random_tensor(e, shape(s.heads, s.queries), 1, size),
          random_tensor(e, shape(s.kv_heads, s.keys), 2, size),
          random_tensor(e, shape(s.kv_heads, s.keys), 3, 1)};
}

/// One output row in f32: tiles of 16 keys, weights rounded to the operands' type.
std::vector<float> online(const Case& c, std::int64_t b, std::int64_t head, std::int64_t query) {
  const AttentionShape& s = c.shape;
  auto row = [&](const Tensor& t, std::int64_t h, std::int64_t token, std::int64_t heads,
                 std::int64_t tokens) {
    return load_f32(t, s.at(b, h, token, heads, tokens), s.dim);
  };
  std::vector<float> q = row(c.q, head, query, s.heads, s.queries), o(s.dim);
  float top = -INFINITY, total = 0;
  std::int64_t last = s.causal ? query + 1 + s.keys - s.queries : s.keys;
  for (std::int64_t first = 0; first < last; first += 16) {
    std::int64_t count = std::min<std::int64_t>(16, last - first);
    float p[16], before = top;
    for (std::int64_t j = 0; j < count; ++j) {
      std::vector<float> k = row(c.k, head / (s.heads / s.kv_heads), first + j, s.kv_heads, s.keys);
      p[j] = 0;
      for (std::int64_t d = 0; d < s.dim; ++d) p[j] += q[d] * k[d];
      p[j] *= s.scale;
      top = std::max(top, p[j]);
    }
    float factor = std::exp(before - top);
    total *= factor;
    for (float& x : o) x *= factor;
    for (std::int64_t j = 0; j < count; ++j) {
      p[j] = std::exp(p[j] - top);
      total += p[j];
      float weight = round_to(c.q.elem, p[j]);
      std::vector<float> v = row(c.v, head / (s.heads / s.kv_heads), first + j, s.kv_heads, s.keys);
      for (std::int64_t d = 0; d < s.dim; ++d) o[d] += weight * v[d];
    }
  }
  for (float& x : o) x = total > 0 ? x / total : 0;
  return o;
}

/// The largest |online - f64| over its slack.
double worst_share(const Case& c) {
  const AttentionShape& s = c.shape;
  auto places = dsl::sample_places(s.batch * s.heads * s.queries * s.dim, 1);
  dsl::ErrorBound want = attention_bounds(s, c.q, c.k, c.v, places);
  double worst = 0;
  for (std::int64_t b = 0; b < s.batch; ++b)
    for (std::int64_t h = 0; h < s.heads; ++h)
      for (std::int64_t i = 0; i < s.queries; ++i) {
        std::vector<float> o = online(c, b, h, i);
        std::int64_t at = s.at(b, h, i, s.heads, s.queries);
        for (std::int64_t d = 0; d < s.dim; ++d) {
          double error = std::abs(o[d] - want.value[at + d]);
          worst = std::max(worst, error == 0 ? 0 : error / want.slack[at + d]);
        }
      }
  return worst;
}

}  // namespace

TEST_CASE("an online softmax in f32 lies within the bound", "[kernels]") {
  for (Elem e : {Elem::F16, Elem::BF16})
    for (HeadOrder order : {HeadOrder::HeadsFirst, HeadOrder::TokensFirst})
      for (bool causal : {false, true})
        for (float size : {0.3f, 2.0f}) {
          AttentionShape s{.batch = 2,
                           .heads = 4,
                           .kv_heads = 2,
                           .queries = 5,
                           .keys = 37,
                           .dim = 32,
                           .scale = 0.17f,
                           .causal = causal,
                           .order = order};
          double worst = worst_share(random_case(s, e, size));
          INFO(ir::name(e) << " causal " << causal << " size " << size);
          CHECK(worst <= 1);
          CHECK(worst > 1e-3);  // and the bound is of the error's order
        }
}

TEST_CASE("equal scores average the values that a query sees", "[kernels]") {
  AttentionShape s{.queries = 3, .keys = 4, .dim = 1, .causal = true};
  Tensor q(Elem::F16, {1, 3, 1, 1}), k(Elem::F16, {1, 4, 1, 1}), v(Elem::F16, {1, 4, 1, 1});
  for (int j = 0; j < 4; ++j) store_f32(v, j, float(j + 1));
  dsl::ErrorBound out = attention_bounds(s, q, k, v, dsl::sample_places(3, 1));
  CHECK(out.value == std::vector<double>{1.5, 2, 2.5});
}

TEST_CASE("a query that sees no key gives 0", "[kernels]") {
  AttentionShape s{.queries = 2, .keys = 1, .dim = 1, .causal = true};
  Tensor q(Elem::F16, {1, 2, 1, 1}), k(Elem::F16, {1, 1, 1, 1}), v(Elem::F16, {1, 1, 1, 1});
  store_f32(v, 0, 3);
  dsl::ErrorBound out = attention_bounds(s, q, k, v, dsl::sample_places(2, 1));
  CHECK(out.value == std::vector<double>{0, 3});
  CHECK(out.slack[0] == 0);
}

TEST_CASE("operations of attention: the pairs that are seen", "[kernels]") {
  CHECK(attention_flops({.heads = 2, .queries = 4, .keys = 4, .dim = 8}) == 4 * 16 * 16);
  CHECK(attention_flops({.heads = 2, .queries = 4, .keys = 4, .dim = 8, .causal = true}) ==
        4 * 10 * 16);
}
