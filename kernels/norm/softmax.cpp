// SPDX-License-Identifier: Apache-2.0
// Softmax of rows of any length: y = exp(x - M) / sum(exp(x - M)), M the row's maximum.
//
// A thread takes exponentials relative to the maximum m of its own share, so one reduction of the
// pairs (m, s) over the block is enough: each of two partial sums is scaled to the larger maximum.
// An element costs one exponential; the block meets once. A row with +infinity or a NaN is NaN, as
// is one of nothing but -infinity.
#include <cfloat>

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

KernelSource softmax(Elem type) {
  Axis rows{"rows"}, d{"d"};
  In x{"x", type, {rows, d}};
  Out y{"y", type, {rows, d}};
  return kernel("softmax", {x, y}, [=](Tiles& b) {
    auto row = b.index(rows);
    auto v = b.stripe(x(row, all));
    auto m = max(max(v), -FLT_MAX);  // finite where the share is empty or all -infinity
    auto e = exp_nonpositive(v - m);
    auto scaled_sum = [](std::vector<Value> p, std::vector<Value> q) {
      auto top = max(p[0], q[0]);
      return std::vector{top,
                         p[1] * exp_nonpositive(p[0] - top) + q[1] * exp_nonpositive(q[0] - top)};
    };
    auto all_of_row =
        b.reduce(ir::Team::Cta, {m, sum(e)}, {b.constant(f32, -FLT_MAX), b.constant(f32, 0)},
                 scaled_sum, Here::current());
    auto factor = exp_nonpositive(m - all_of_row[0]) / all_of_row[1];
    b.store(y(row, all), e * factor);
  });
}

struct Share {
  float max, sum;
};

Share scaled_sum(const Share& p, const Share& q) {
  float top = ir::num::max(p.max, q.max);
  return {top, p.sum * portable::exp_nonpositive(p.max - top) +
                   q.sum * portable::exp_nonpositive(q.max - top)};
}

void softmax_reference(ReferenceArgs a) {
  std::int64_t rows = a.sizes.at("rows"), d = a.sizes.at("d");
  ir::StripeShape stripe = reference::row_stripe(a.config, {"d"});
  std::int64_t pitch = std::int64_t{stripe.vec} * stripe.threads;
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<float> v = reference::load_f32(a.tensors.at("x"), r * d, d);
    auto value = [&](std::int64_t i) { return v[i]; };
    auto larger = [](float p, float q) { return ir::num::max(p, q); };
    std::vector<Share> shares;
    for (int t = 0; t < stripe.threads; ++t) {
      float m = reference::fold_thread(stripe, d, t, -INFINITY, value, larger);
      shares.push_back({ir::num::max(m, -FLT_MAX), 0});
    }
    for (std::int64_t i = 0; i < d; ++i)
      v[i] = portable::exp_nonpositive(v[i] - shares[i % pitch / stripe.vec].max);
    for (int t = 0; t < stripe.threads; ++t)
      shares[t].sum = reference::fold_thread(stripe, d, t, 0.0f, value, std::plus<float>());
    Share whole = reference::fold_block(shares, scaled_sum);
    for (Share& s : shares) s.sum = portable::exp_nonpositive(s.max - whole.max) / whole.sum;
    for (std::int64_t i = 0; i < d; ++i) v[i] *= shares[i % pitch / stripe.vec].sum;
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
