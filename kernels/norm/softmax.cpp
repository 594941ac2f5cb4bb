// SPDX-License-Identifier: Apache-2.0
// Softmax of rows of any length: y = exp(x - M) / sum(exp(x - M)), M the row's maximum.
//
// A row in registers takes its maximum first, then one exponential an element. A longer one is read
// twice: online, a pair (m, s) stands for a set of elements, s = sum(exp(x - m)), and of two pairs
// the one with the smaller maximum is scaled to the other's. A row with +infinity or a NaN is NaN,
// as is one of nothing but -infinity.
#include <cfloat>
#include <cmath>
#include <limits>

#include "dsl/dsl.h"
#include "dsl/portable/host_math.h"
#include "ir/numerics.h"
#include "kernels/kernels.h"
#include "kernels/reference/elements.h"
#include "kernels/reference/ordered.h"
#include "kernels/schedules.h"

namespace barline::kernels {
namespace {

using namespace dsl;

constexpr float infinity = std::numeric_limits<float>::infinity();

/// The pair of two sets of elements; commutes bit for bit.
std::vector<Value> join(std::vector<Value> p, std::vector<Value> q) {
  auto scale = exp_nonpositive(-abs(p[0] - q[0]));
  auto first = p[0] >= q[0];
  return {max(p[0], q[0]), select(first, p[1], q[1]) + select(first, q[1], p[1]) * scale};
}

KernelSource softmax(Elem type) {
  Axis rows{"rows"}, d{"d"};
  In x{"x", type, {rows, d}};
  Out y{"y", type, {rows, d}};
  return kernel("softmax", {x, y}, [=](Tiles& b) {
    auto row = b.index(rows);
    auto v = b.stripe(x(row, all));
    auto lowest = b.constant(f32, -FLT_MAX), zero = b.constant(f32, 0);
    Value top, total;
    if (in_registers(v)) {
      top = max(block_reduce_max(max(v)), lowest);
      total = block_reduce_sum(sum(exp_nonpositive(v - top)));
    } else {
      auto here = Here::current();
      auto ones = select(v > -infinity, 1, zero);
      auto share = b.reduce(ir::Team::Thread, {v, ones}, {lowest, zero}, join, here);
      auto whole = b.reduce(ir::Team::Cta, share, {lowest, zero}, join, here);
      top = whole[0], total = whole[1];
    }
    auto factor = select(top < infinity, 1 / total, NAN);
    b.store(y(row, all), exp_nonpositive(v - top) * factor);
  });
}

/// m and s of a set of elements.
struct Share {
  float max, sum;
};

Share join_shares(const Share& p, const Share& q) {
  float scale = portable::exp_nonpositive(-ir::num::abs(p.max - q.max));
  bool first = p.max >= q.max;
  return {ir::num::max(p.max, q.max), (first ? p.sum : q.sum) + (first ? q.sum : p.sum) * scale};
}

Share share_of_row(const ir::StripeShape& stripe, const std::vector<float>& v) {
  auto d = static_cast<std::int64_t>(v.size());
  const Share none{-FLT_MAX, 0};
  if (stripe.chunks == 0) {
    auto element = [&](std::int64_t i) { return Share{v[i], v[i] > -infinity ? 1.0f : 0.0f}; };
    return reference::fold_row(stripe, d, none, element, join_shares);
  }
  auto larger = [](float p, float q) { return ir::num::max(p, q); };
  auto value = [&](std::int64_t i) { return v[i]; };
  float top = reference::fold_row(stripe, d, -infinity, value, larger);
  top = ir::num::max(top, none.max);
  auto e = [&](std::int64_t i) { return portable::exp_nonpositive(v[i] - top); };
  return {top, reference::sum_row(stripe, d, e)};
}

void softmax_reference(ReferenceArgs a) {
  std::int64_t rows = a.sizes.at("rows"), d = a.sizes.at("d");
  ir::StripeShape stripe = reference::row_stripe(a.config, {"d"});
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<float> v = reference::load_f32(a.tensors.at("x"), r * d, d);
    Share whole = share_of_row(stripe, v);
    float factor = whole.max < infinity ? 1 / whole.sum : NAN;
    for (float& e : v) e = portable::exp_nonpositive(e - whole.max) * factor;
    reference::store_f32(a.tensors.at("y"), r * d, v);
  }
}

}  // namespace

void add_softmax(Registry& registry) {
  registry.add({.name = "softmax",
                .doc = "y[r, :] = exp(x[r, :] - max) / sum(exp(x[r, :] - max)), rows of any length",
                .types = {f32, f16, bf16},
                .schedules = {row256, row256_d8192, row512_d8192, row1024_d8192},
                .make = softmax,
                .reference = softmax_reference,
                .bytes = [](Elem e, const auto& n) {
                  return ir::bytes(e) * 2.0 * n.at("rows") * n.at("d");
                }});
}

}  // namespace barline::kernels
