// SPDX-License-Identifier: Apache-2.0
#include "kernels/reference/attention.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "dsl/sample.h"
#include "ir/half.h"
#include "kernels/reference/elements.h"

namespace barline::kernels::reference {
namespace {

constexpr double u = 0x1p-24;

/// A query's position in the output and its softmax.
struct Row {
  std::int64_t batch = 0, head = 0, query = -1;
  std::vector<double> weights;  ///< softmax over the keys that it sees
  double score_error = 0;       ///< of the scaled scores
  double total = 0;             ///< of exp(score - largest)
  bool operator==(const Row& o) const {
    return batch == o.batch && head == o.head && query == o.query;
  }
};

class Attention {
 public:
  Attention(const AttentionShape& shape, const ir::Tensor& q, const ir::Tensor& k,
            const ir::Tensor& v, Adder adder)
      : s_(shape), adder_(adder), half_(q.elem == ir::Elem::F16) {
    if (s_.heads % s_.kv_heads != 0)
      throw std::invalid_argument("heads are a multiple of the key-value heads");
    auto widen = [](const ir::Tensor& t) {
      std::vector<float> f = load_f32(t);
      return std::vector<double>(f.begin(), f.end());
    };
    q_ = widen(q);
    k_ = widen(k);
    v_ = widen(v);
  }

  Row row_of(std::int64_t place) const {
    std::int64_t rest = place / s_.dim;
    bool heads_first = s_.order == HeadOrder::HeadsFirst;
    std::int64_t inner = heads_first ? s_.queries : s_.heads;
    std::int64_t a = rest % inner, b = rest / inner % (s_.heads * s_.queries / inner);
    Row r;
    r.batch = rest / (s_.heads * s_.queries);
    r.head = heads_first ? b : a;
    r.query = heads_first ? a : b;
    return r;
  }

  void weigh(Row& r) const {
    const double* q = &q_[s_.at(r.batch, r.head, r.query, s_.heads, s_.queries)];
    double largest = -INFINITY, magnitude = 0, error = 0;
    r.weights.assign(visible(r.query), 0);
    for (std::size_t j = 0; j < r.weights.size(); ++j) {
      const double* k = &k_[key_at(r, j)];
      double score = 0, products = 0;
      for (std::int64_t d = 0; d < s_.dim; ++d) {
        score += q[d] * k[d];
        products += floored(q[d]) * floored(k[d]);
      }
      r.weights[j] = score * s_.scale;
      largest = std::max(largest, r.weights[j]);
      magnitude = std::max(magnitude, std::abs(r.weights[j]));
      error = std::max(error, products);
    }
    r.score_error = std::abs(s_.scale) * error * chain_error(s_.dim, adder_) + 8 * u * magnitude;
    r.total = 0;
    for (double& w : r.weights) r.total += w = std::exp(w - largest);
    for (double& w : r.weights) w /= r.total;
  }

  void output(const Row& r, std::int64_t d, double& value, double& slack) const {
    double spread = 0, values = 0;
    value = 0;
    for (std::size_t j = 0; j < r.weights.size(); ++j) {
      double v = v_[key_at(r, j) + d];
      value += r.weights[j] * v;
      spread += r.weights[j] * floored(v);
      values += std::abs(v);
    }
    const double keys = static_cast<double>(r.weights.size());
    const double half_unit = half_ ? 0x1p-11 : 0x1p-8;
    double weight = std::expm1(r.score_error) + 0x1p-21;
    double relative = 2 * (weight + half_unit) + keys * u +
                      chain_error(static_cast<std::int64_t>(keys), adder_) +
                      2 * u * std::ceil(keys / 8) + 4 * u;
    double lost = half_ && keys > 0 ? 0x1p-25 * (values + keys * std::abs(value)) / r.total : 0;
    // Errors of errors: every term above is small against 1.
    slack = 1.05 * relative * spread + lost;
  }

 private:
  std::size_t visible(std::int64_t query) const {
    if (!s_.causal) return static_cast<std::size_t>(s_.keys);
    return static_cast<std::size_t>(
        std::clamp<std::int64_t>(query + 1 + s_.keys - s_.queries, 0, s_.keys));
  }
  std::int64_t key_at(const Row& r, std::size_t j) const {
    return s_.at(r.batch, r.head / (s_.heads / s_.kv_heads), static_cast<std::int64_t>(j),
                 s_.kv_heads, s_.keys);
  }
  /// A magnitude as the adder aligns it (Operand::widened).
  double floored(double v) const {
    return v == 0 ? 0 : std::max(std::abs(v), half_ ? 0x1p-14 : 0x1p-126);
  }

  const AttentionShape s_;
  const Adder adder_;
  const bool half_;
  std::vector<double> q_, k_, v_;
};

}  // namespace

dsl::ErrorBound attention_bounds(const AttentionShape& shape, const ir::Tensor& q,
                                 const ir::Tensor& k, const ir::Tensor& v,
                                 std::span<const std::int64_t> places, Adder adder) {
  Attention attention(shape, q, k, v, adder);
  dsl::ErrorBound out;
  Row row;
  for (std::int64_t place : places) {
    if (Row here = attention.row_of(place); !(here == row)) {
      row = here;
      attention.weigh(row);
    }
    attention.output(row, place % shape.dim, out.value.emplace_back(), out.slack.emplace_back());
  }
  return out;
}

AttentionShape attention_shape(const std::map<std::string, std::int64_t>& n, float scale,
                               bool causal) {
  return {.batch = n.at("B"),
          .heads = n.at("H"),
          .kv_heads = n.at("G"),
          .queries = n.at("T"),
          .keys = n.at("S"),
          .dim = n.at("D"),
          .scale = scale,
          .causal = causal,
          .order = HeadOrder::HeadsFirst};
}

dsl::ErrorBound attention_bounds(const dsl::ReferenceArgs& a, bool causal) {
  const ir::Tensor& o = a.tensors.at("o");
  std::map<std::string, std::int64_t> sizes = a.sizes;
  sizes["D"] = o.shape.back();
  AttentionShape shape = attention_shape(sizes, static_cast<float>(a.scalars.at("scale")), causal);
  dsl::ErrorBound out =
      attention_bounds(shape, a.tensors.at("q"), a.tensors.at("k"), a.tensors.at("v"),
                       dsl::sample_places(o.count(), a.stride));
  for (std::size_t i = 0; i < out.value.size(); ++i)
    round_bound(out.value[i], out.slack[i], o.elem);
  return out;
}

void attend(const dsl::ReferenceArgs& a, bool causal) {
  ir::Tensor& o = a.tensors.at("o");
  std::vector<std::int64_t> places = dsl::sample_places(o.count(), a.stride);
  dsl::ErrorBound exact = attention_bounds(a, causal);
  for (std::size_t i = 0; i < places.size(); ++i)
    store_f32(o, places[i], std::vector<float>{static_cast<float>(exact.value[i])});
}

double attention_flops(const AttentionShape& s) {
  double pairs = 0;
  for (std::int64_t i = 0; i < s.queries; ++i)
    pairs += static_cast<double>(
        s.causal ? std::clamp<std::int64_t>(i + 1 + s.keys - s.queries, 0, s.keys) : s.keys);
  return 4 * pairs * static_cast<double>(s.batch * s.heads * s.dim);
}

}  // namespace barline::kernels::reference
