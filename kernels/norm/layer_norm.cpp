// SPDX-License-Identifier: Apache-2.0
// LayerNorm: y[r, :] = (x[r, :] - mean) * rsqrt(var + eps) * w[:] + b[:]. The variance is the mean
// of the squared distances from the mean: no cancellation, at the price of a second reduction.
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

KernelSource layer_norm(Elem type) {
  Axis rows{"rows"}, d{"d"};
  In x{"x", type, {rows, d}}, w{"w", type, {d}}, bias{"b", type, {d}};
  Out y{"y", type, {rows, d}};
  Arg eps{"eps"};
  return kernel("layer_norm", {x, w, bias, y, eps}, [=](Tiles& b) {
    auto row = b.index(rows);
    auto v = b.stripe(x(row, all));
    auto weight = b.load(w(all)), shift = b.load(bias(all));
    auto centred = v - block_reduce_sum(sum(v)) / d;
    auto inv = rsqrt(block_reduce_sum(sum(centred * centred)) / d + eps);
    b.store(y(row, all), fma(centred * inv, weight.to(f32), shift.to(f32)));
  });
}

void layer_norm_reference(ReferenceArgs a) {
  std::int64_t rows = a.sizes.at("rows"), d = a.sizes.at("d");
  ir::StripeShape stripe = reference::row_stripe(a.config, {"d"});
  auto eps = static_cast<float>(a.scalars.at("eps")), n = static_cast<float>(d);
  std::vector<float> w = reference::load_f32(a.tensors.at("w"));
  std::vector<float> b = reference::load_f32(a.tensors.at("b"));
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<float> v = reference::load_f32(a.tensors.at("x"), r * d, d);
    float mean = reference::sum_row(stripe, d, [&](std::int64_t i) { return v[i]; }) / n;
    for (float& c : v) c -= mean;
    float squares = reference::sum_row(stripe, d, [&](std::int64_t i) { return v[i] * v[i]; });
    float inv = portable::rsqrt(squares / n + eps);
    for (std::int64_t i = 0; i < d; ++i) v[i] = ir::num::fma(v[i] * inv, w[i], b[i]);
    reference::store_f32(a.tensors.at("y"), r * d, v);
  }
}

}  // namespace

void add_layer_norm(Registry& registry) {
  registry.add({.name = "layer_norm",
                .doc = "y[r, :] = (x[r, :] - mean) * rsqrt(var + eps) * w[:] + b[:]",
                .types = {f32, f16, bf16},
                .schedules = {row256, row512_d8192, row640_d5120},
                .make = layer_norm,
                .reference = layer_norm_reference,
                .bytes = [](Elem e, const auto& n) {
                  return ir::bytes(e) * (2.0 * n.at("rows") + 2) * n.at("d");
                }});
}

}  // namespace barline::kernels
