// SPDX-License-Identifier: Apache-2.0
// Attention of many queries at once: o = softmax(scale q k^T) v for grouped heads, f16 or bf16, by
// an online softmax in f32. A block takes rows of queries of one head and walks the keys in steps;
// the weights of a step are rounded to the operands' type for the second product.
//
//   attention_prefill          every query sees every key
//   attention_prefill_causal   query i sees the keys j <= i + S - T: the last query sees all
//
// `scale` is positive; H is a multiple of G. A query that sees no key gives 0.
#include <limits>

#include "dsl/dsl.h"
#include "kernels/attention/schedules.h"
#include "kernels/kernels.h"
#include "kernels/reference/attention.h"

namespace barline::kernels {
namespace {

using namespace dsl;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double log2_e = 1.4426950408889634;
constexpr double lowest = -0x1p100;  ///< below every score, and finite: differences stay numbers

KernelSource prefill(Elem type, bool causal) {
  Axis B{"B"}, H{"H"}, G{"G"}, T{"T"}, S{"S"}, D{"D", 16};
  In q{"q", type, {B, H, T, D}}, k{"k", type, {B, G, S, D}}, v{"v", type, {B, G, S, D}};
  Arg scale{"scale"};
  Out o{"o", type, {B, H, T, D}};
  return kernel("attention_prefill", {q, k, v, scale, o}, [=](Tiles& b) {
    Value head = b.index(H), batch = b.index(B), group = head * G / H;
    Index t = b.rows(T, causal);
    Value seen = b.size(S), behind = b.size(S) - T;  // keys before the first query's own
    if (causal) seen = min(seen, t.origin + t.extent + behind);
    Value per_score = b.constant(f32, log2_e) * scale;  // weights are powers of 2
    Var out = b.var(b.full(t, D, 0.0)), sum = b.var(b.full(t, 0.0)), top = b.var(b.full(t, lowest));
    b.each(S, seen, [&](Index s) {
      Var score = b.var(b.dot(q(batch, head, t, D), k(batch, group, s, D)));
      Value last = s.origin + s.extent, edge = last > S;
      if (causal) edge = edge || last > t.origin + behind + 1;
      b.when(edge, [&] {
        Value key = b.positions(s, score), sees = key < S;
        if (causal) sees = sees && key <= b.positions(t, score) + behind;
        score = select(sees, score, -infinity);
      });
      Value high = max(top, b.max_along(s, score));
      Value weight = ex2_approx((score - high) * per_score);
      Value kept = ex2_approx((top - high) * per_score);
      sum = sum * kept + b.sum_along(s, weight);
      out = b.dot(weight.to(type), v(batch, group, s, D), out * kept);
      top = high;
    });
    b.store(o(batch, head, t, D), out * select(sum > 0.0, 1.0 / sum, 0.0));
  });
}

KernelEntry entry(const std::string& name, bool causal) {
  return {
      .name = name,
      .doc = causal ? "o = softmax(scale q k^T) v, causal, grouped heads"
                    : "o = softmax(scale q k^T) v, grouped heads",
      .types = {f16, bf16},
      .schedules = {flash_64, flash_128, flash_256, unit_64, unit_128, unit_256},
      .make = [causal](Elem type) { return prefill(type, causal); },
      .reference = [causal](ReferenceArgs a) { reference::attend(a, causal); },
      .bytes =
          [](Elem, const auto& n) {
            double d = 2.0 * n.at("B") * n.at("D");
            return 2 * d * n.at("H") * n.at("T") + 2 * d * n.at("G") * n.at("S");
          },
      .flops =
          [causal](Elem, const auto& n) {
            return reference::attention_flops(reference::attention_shape(n, 1, causal));
          },
      .bound =
          [causal](const ReferenceArgs& a) {
            return std::map<std::string, ErrorBound>{{"o", reference::attention_bounds(a, causal)}};
          },
      .sample_flops =
          [](Elem, const auto& n) {
            return 4.0 * static_cast<double>(n.at("S")) * static_cast<double>(n.at("D"));
          }};
}

}  // namespace

void add_attention_prefill(Registry& registry) {
  registry.add(entry("attention_prefill", false));
  registry.add(entry("attention_prefill_causal", true));
}

}  // namespace barline::kernels
