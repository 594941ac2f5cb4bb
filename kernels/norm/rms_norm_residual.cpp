// SPDX-License-Identifier: Apache-2.0
// Residual add and RMSNorm: sum = x + r, rounded to the tensor's type; y = rms_norm(sum). The bits
// of y are those of rms_norm on the stored sum.
#include "dsl/dsl.h"
#include "dsl/portable/host_math.h"
#include "kernels/kernels.h"
#include "kernels/reference/elements.h"
#include "kernels/reference/ordered.h"
#include "kernels/schedules.h"

namespace barline::kernels {
namespace {

using namespace dsl;

KernelSource rms_norm_residual(Elem type) {
  Axis rows{"rows"}, d{"d"};
  In x{"x", type, {rows, d}}, r{"r", type, {rows, d}}, w{"w", type, {d}};
  Out total{"sum", type, {rows, d}}, y{"y", type, {rows, d}};
  Arg eps{"eps"};
  return kernel("rms_norm_residual", {x, r, w, total, y, eps}, [=](Tiles& b) {
    auto row = b.index(rows);
    auto s = (b.stripe(x(row, all)) + b.stripe(r(row, all))).to(type);
    auto weight = b.load(w(all));  // before the reduction, which its latency then overlaps
    b.store(total(row, all), s);
    auto v = s.to(f32);
    auto inv = rsqrt(block_reduce_sum(sum(v * v)) / d + eps);
    b.store(y(row, all), v * inv * weight.to(f32));
  });
}

void rms_norm_residual_reference(ReferenceArgs a) {
  std::int64_t rows = a.sizes.at("rows"), d = a.sizes.at("d");
  ir::StripeShape stripe = reference::row_stripe(a.config, {"d"});
  auto eps = static_cast<float>(a.scalars.at("eps"));
  std::vector<float> w = reference::load_f32(a.tensors.at("w"));
  for (std::int64_t row = 0; row < rows; ++row) {
    std::vector<float> v = reference::load_f32(a.tensors.at("x"), row * d, d);
    std::vector<float> r = reference::load_f32(a.tensors.at("r"), row * d, d);
    for (std::int64_t i = 0; i < d; ++i) v[i] += r[i];
    reference::store_f32(a.tensors.at("sum"), row * d, v);
    v = reference::load_f32(a.tensors.at("sum"), row * d, d);
    float total = reference::sum_row(stripe, d, [&](std::int64_t i) { return v[i] * v[i]; });
    float inv = portable::rsqrt(total / static_cast<float>(d) + eps);
    for (std::int64_t i = 0; i < d; ++i) v[i] = v[i] * inv * w[i];
    reference::store_f32(a.tensors.at("y"), row * d, v);
  }
}

}  // namespace

void add_rms_norm_residual(Registry& registry) {
  registry.add({.name = "rms_norm_residual",
                .doc = "sum = x + r; y[r, :] = sum[r, :] * rsqrt(mean(sum[r, :]^2) + eps) * w[:]",
                .types = {f32, f16, bf16},
                .schedules = {row256, row256_d8192, row512_d8192, row640_d5120},
                .make = rms_norm_residual,
                .reference = rms_norm_residual_reference,
                .bytes = [](Elem e, const auto& n) {
                  return ir::bytes(e) * (4.0 * n.at("rows") + 1) * n.at("d");
                }});
}

}  // namespace barline::kernels
