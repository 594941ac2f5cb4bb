// SPDX-License-Identifier: Apache-2.0
// RMSNorm: y[r, :] = x[r, :] * rsqrt(mean(x[r, :]^2) + eps) * w[:].
#include "dsl/dsl.h"
#include "dsl/portable/host_math.h"
#include "kernels/kernels.h"
#include "kernels/reference/elements.h"
#include "kernels/reference/ordered.h"
#include "kernels/schedules.h"

namespace barline::kernels {
namespace {

using namespace dsl;

KernelSource rms_norm(Elem type) {
  Axis rows{"rows"}, d{"d"};
  In x{"x", type, {rows, d}}, w{"w", type, {d}};
  Out y{"y", type, {rows, d}};
  Arg eps{"eps"};
  return kernel("rms_norm", {x, w, y, eps}, [=](Tiles& b) {
    auto row = b.index(rows);
    auto v = b.stripe(x(row, all));
    auto weight = b.load(w(all));  // before the reduction, which its latency then overlaps
    auto inv = rsqrt(block_reduce_sum(sum(v * v)) / d + eps);
    b.store(y(row, all), v * inv * weight.to(f32));
  });
}

void rms_norm_reference(ReferenceArgs a) {
  std::int64_t rows = a.sizes.at("rows"), d = a.sizes.at("d");
  ir::StripeShape stripe = reference::row_stripe(a.config, {"d"});
  auto eps = static_cast<float>(a.scalars.at("eps"));
  std::vector<float> w = reference::load_f32(a.tensors.at("w"));
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<float> v = reference::load_f32(a.tensors.at("x"), r * d, d);
    float total = reference::sum_row(stripe, d, [&](std::int64_t i) { return v[i] * v[i]; });
    float inv = portable::rsqrt(total / static_cast<float>(d) + eps);
    for (std::int64_t i = 0; i < d; ++i) v[i] = v[i] * inv * w[i];
    reference::store_f32(a.tensors.at("y"), r * d, v);
  }
}

}  // namespace

void add_rms_norm(Registry& registry) {
  registry.add({.name = "rms_norm",
                .doc = "y[r, :] = x[r, :] * rsqrt(mean(x[r, :]^2) + eps) * w[:]",
                .types = {f32, f16, bf16},
                .schedules = {row256, row256_d8192, row512_d8192, row1024_d8192, row640_d5120},
                .make = rms_norm,
                .reference = rms_norm_reference,
                .bytes = [](Elem e, const auto& n) {
                  return ir::bytes(e) * (2.0 * n.at("rows") + 1) * n.at("d");
                }});
}

}  // namespace barline::kernels
