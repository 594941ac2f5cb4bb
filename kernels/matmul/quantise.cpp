// SPDX-License-Identifier: Apache-2.0
#include "kernels/matmul/quantise.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "ir/numerics.h"
#include "kernels/reference/elements.h"

namespace barline::kernels {
namespace {

/// The matrix's elements as f32, every one of them finite.
std::vector<float> finite_elements(const char* who, const ir::Tensor& t) {
  bool known = t.elem == ir::Elem::F32 || t.elem == ir::Elem::F16 || t.elem == ir::Elem::BF16;
  if (!known || t.shape.size() != 2)
    throw std::invalid_argument(fmt::format("{}: {} of {} axes; pass f32, f16 or bf16 of two axes",
                                            who, ir::name(t.elem), t.shape.size()));
  std::vector<float> v = reference::load_f32(t);
  for (std::size_t i = 0; i < v.size(); ++i)
    if (!std::isfinite(v[i]))
      throw std::invalid_argument(
          fmt::format("{}: element [{}, {}] is {}, which no code stands "
                      "for; mend the weights first",
                      who, i / t.shape[1], i % t.shape[1], v[i]));
  return v;
}

int rounded(float value, float scale, int least, int most) {
  if (scale == 0) return 0;
  return std::clamp(ir::num::to_int<std::int32_t>(value / scale, ir::Rounding::Rn), least, most);
}

/// Codes of rows x columns elements, each with the scale of its index by scale_at.
template <class ScaleAt>
Int8Matrix codes_of(const std::vector<float>& v, std::int64_t rows, std::int64_t columns,
                    std::int64_t scales, ScaleAt scale_at) {
  Int8Matrix q(rows, columns, scales);
  auto* scale = q.scales.as<float>();
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    float& most = scale[scale_at(i)];
    most = std::max(most, std::abs(v[i]));
  }
  for (std::int64_t s = 0; s < scales; ++s) scale[s] /= 127;
  for (std::int64_t i = 0; i < rows * columns; ++i)
    q.codes.as<std::int8_t>()[i] =
        static_cast<std::int8_t>(rounded(v[i], scale[scale_at(i)], -127, 127));
  return q;
}

}  // namespace

Int4Weights quantise_int4(const ir::Tensor& w, std::int64_t group) {
  std::vector<float> v = finite_elements("quantise_int4", w);
  std::int64_t k = w.shape[0], n = w.shape[1];
  Int4Weights q(n, k, group);
  for (std::int64_t g = 0; g < q.groups(); ++g)
    for (std::int64_t column = 0; column < n; ++column) {
      std::int64_t first = g * group, last = std::min(first + group, k);
      float most = 0;
      for (std::int64_t at = first; at < last; ++at)
        most = std::max(most, std::abs(v[at * n + column]));
      q.set_scale(column, g, most / 7);
      float scale = ir::num::to_f32(q.scale(column, first));
      if (!std::isfinite(scale))
        throw std::invalid_argument(
            fmt::format("quantise_int4: column {} from k = {} on reaches {}, and its scale is past "
                        "f16's 65504; divide the weights by a constant",
                        column, first, most));
      for (std::int64_t at = first; at < last; ++at)
        q.set_code(column, at, rounded(v[at * n + column], scale, -8, 7));
    }
  return q;
}

Int8Matrix quantise_int8(const ir::Tensor& w, ScaleOf scale_of) {
  std::vector<float> v = finite_elements("quantise_int8", w);
  std::int64_t k = w.shape[0], n = w.shape[1];
  if (scale_of == ScaleOf::Matrix)
    return codes_of(v, k, n, 1, [](std::int64_t) { return std::int64_t{0}; });
  return codes_of(v, k, n, n, [n](std::int64_t i) { return i % n; });
}

Int8Matrix quantise_rows(const ir::Tensor& x) {
  std::vector<float> v = finite_elements("quantise_rows", x);
  std::int64_t m = x.shape[0], k = x.shape[1];
  return codes_of(v, m, k, m, [k](std::int64_t i) { return i / k; });
}

}  // namespace barline::kernels
