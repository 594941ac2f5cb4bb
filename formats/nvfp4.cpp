// SPDX-License-Identifier: Apache-2.0
#include "formats/nvfp4.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace barline::formats {
namespace {

using ir::Elem;
namespace num = ir::num;

constexpr float most_code = 6, most_scale = 448;

std::vector<std::int64_t> shape_of(ScaleOrder order, std::int64_t rows, std::int64_t groups) {
  auto shape = scale_shape(order, rows, groups);
  return {shape.begin(), shape.end()};
}

template <ScaleOrder To, ScaleOrder From>
Nvfp4Scales<To> reorder(const Nvfp4Scales<From>& from) {
  Nvfp4Scales<To> to(from.rows(), from.groups());
  for (std::int64_t row = 0; row < from.rows(); ++row)
    for (std::int64_t group = 0; group < from.groups(); ++group)
      to.set(row, group, from.at(row, group));
  return to;
}

void check_weights(const ir::Tensor& w, std::optional<float> global) {
  if (!ir::is_float(w.elem) || w.elem == Elem::F64 || w.shape.size() != 2)
    throw std::invalid_argument(
        fmt::format("quantise_nvfp4: weights {} [{}]; pass f32, f16 or bf16 [N, K]",
                    ir::name(w.elem), fmt::join(w.shape, ", ")));
  if (w.shape[1] % nvfp4_group != 0)
    throw std::invalid_argument(
        fmt::format("quantise_nvfp4: K = {}; pass a multiple of {}, the weights of a block scale",
                    w.shape[1], nvfp4_group));
  if (global && !(*global > 0 && std::isfinite(*global)))
    throw std::invalid_argument(fmt::format(
        "quantise_nvfp4: global scale {}; pass a positive finite one, or none", *global));
}

/// The largest magnitude; NaN where one of them is not finite.
float largest(std::span<const float> values) {
  float most = 0;
  for (float v : values) {
    if (!std::isfinite(v)) return NAN;
    most = std::max(most, std::fabs(v));
  }
  return most;
}

float default_global(std::span<const float> weights) {
  float most = 0;
  for (float v : weights)
    if (std::isfinite(v)) most = std::max(most, std::fabs(v));
  const float global = most / (most_code * most_scale);
  return global > 0 ? global : 1.0f;
}

}  // namespace

template <ScaleOrder Order>
Nvfp4Scales<Order>::Nvfp4Scales(std::int64_t rows, std::int64_t groups)
    : rows_(rows), groups_(groups), bytes_(Elem::E4M3, shape_of(Order, rows, groups)) {}

template <ScaleOrder Order>
Nvfp4Scales<Order>::Nvfp4Scales(ir::Tensor bytes, std::int64_t rows, std::int64_t groups)
    : rows_(rows), groups_(groups), bytes_(std::move(bytes)) {
  auto want = shape_of(Order, rows, groups);
  if (bytes_.elem != Elem::E4M3 || bytes_.shape != want)
    throw std::invalid_argument(
        fmt::format("{} scales of {} rows x {} groups in a tensor {} [{}]; pass e4m3 [{}]",
                    Order == ScaleOrder::Linear ? "linear" : "swizzled", rows, groups,
                    ir::name(bytes_.elem), fmt::join(bytes_.shape, ", "), fmt::join(want, ", ")));
}

template class Nvfp4Scales<ScaleOrder::Linear>;
template class Nvfp4Scales<ScaleOrder::Swizzled>;

SwizzledScales swizzle(const LinearScales& scales) { return reorder<ScaleOrder::Swizzled>(scales); }
LinearScales unswizzle(const SwizzledScales& scales) { return reorder<ScaleOrder::Linear>(scales); }

Nvfp4Matrix<ScaleOrder::Linear> quantise_nvfp4(const ir::Tensor& w,
                                               std::optional<float> global_scale) {
  check_weights(w, global_scale);
  const std::int64_t n = w.shape[0], k = w.shape[1];
  std::vector<float> weights(static_cast<std::size_t>(w.count()));
  for (std::int64_t i = 0; i < w.count(); ++i)
    weights[i] = static_cast<float>(ir::value_as_f64(w, i));
  Nvfp4Matrix<ScaleOrder::Linear> q{.codes = ir::Tensor(Elem::E2M1, {n, k}),
                                    .scales = LinearScales(n, k / nvfp4_group),
                                    .global_scale = global_scale.value_or(default_global(weights))};
  for (std::int64_t first = 0; first < n * k; first += nvfp4_group) {
    const std::span<const float> group(&weights[first], nvfp4_group);
    const float most = largest(group);
    const ir::e4m3_t scale = num::to_e4m3(most / most_code / q.global_scale);
    q.scales.set(first / k, first % k / nvfp4_group, scale);
    const float step = num::to_f32(scale) * q.global_scale;
    if (!(step > 0)) continue;
    for (std::int64_t i = 0; i < nvfp4_group; ++i)
      set_e2m1(q.codes.data.data(), first + i, num::to_e2m1(group[i] / step));
  }
  return q;
}

}  // namespace barline::formats
