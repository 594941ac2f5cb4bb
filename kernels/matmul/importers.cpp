// SPDX-License-Identifier: Apache-2.0
#include "kernels/matmul/importers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <cmath>
#include <stdexcept>

namespace barline::kernels {
namespace {

constexpr int in_order[8] = {0, 1, 2, 3, 4, 5, 6, 7};
/// The column, within its 8, that a nibble of AWQ's words holds.
constexpr int awq_order[8] = {0, 2, 4, 6, 1, 3, 5, 7};

using Shape = std::vector<std::int64_t>;

[[noreturn]] void refuse(const char* who, const std::string& what, const std::string& fix) {
  throw std::invalid_argument(fmt::format("{}: {}; {}", who, what, fix));
}

void need_words(const char* who, const char* name, const ir::Tensor& t, std::size_t axes) {
  bool word = t.elem == ir::Elem::S32 || t.elem == ir::Elem::U32;
  if (!word || t.shape.size() != axes || t.count() == 0)
    refuse(who, fmt::format("{} is {} [{}]", name, ir::name(t.elem), fmt::join(t.shape, ", ")),
           fmt::format("pass 32-bit integers of {} ax{}s", axes, axes == 1 ? "i" : "e"));
}

void need_shape(const char* who, const char* name, const ir::Tensor& t, const Shape& shape) {
  if (t.shape != shape)
    refuse(who,
           fmt::format("{} has shape [{}], and qweight and scales ask for [{}]", name,
                       fmt::join(t.shape, ", "), fmt::join(shape, ", ")),
           "pass the tensors of one layer");
}

/// Sizes of a layer whose qweight says K and N; checks the scales and makes empty weights.
Int4Weights layer(const char* who, std::int64_t k, std::int64_t n, const ir::Tensor& scales) {
  if (scales.elem != ir::Elem::F16 || scales.shape.size() != 2 || scales.count() == 0)
    refuse(who,
           fmt::format("scales are {} [{}]", ir::name(scales.elem), fmt::join(scales.shape, ", ")),
           "pass f16 of two axes [K/group, N]");
  std::int64_t groups = scales.shape[0];
  if (k % groups != 0)
    refuse(who, fmt::format("{} rows of scales do not divide K = {}", groups, k),
           "pass the scales of this qweight");
  need_shape(who, "scales", scales, {groups, n});
  if (n % 8 != 0)
    refuse(who, fmt::format("N = {} is no multiple of 8, and a word of qzeros holds 8", n),
           "pad the columns");
  Int4Weights weights(n, k, k / groups);
  weights.scales = scales;
  const auto* s = scales.as<ir::f16_t>();
  for (std::int64_t i = 0; i < scales.count(); ++i)
    if (!std::isfinite(ir::num::to_f32(s[i])))
      refuse(who, fmt::format("scale [{}, {}] is no finite number", i / n, i % n),
             "mend the checkpoint");
  return weights;
}

/// Every zero point is 8. `stored_less`: a word holds z - stored_less.
void need_zeros(const char* who, const ir::Tensor& zeros, const Int4Weights& w, const int* order,
                int stored_less) {
  need_words(who, "qzeros", zeros, 2);
  need_shape(who, "qzeros", zeros, {w.groups(), w.n / 8});
  const auto* word = zeros.as<std::uint32_t>();
  for (std::int64_t i = 0; i < zeros.count(); ++i)
    for (int nibble = 0; nibble < 8; ++nibble) {
      int z = static_cast<int>(word[i] >> 4 * nibble & 15) + stored_less;
      if (z == 8) continue;
      std::int64_t column = i % (w.n / 8) * 8 + order[nibble];
      bool other_format = order == in_order && z == (stored_less == 1 ? 9 : 7);
      refuse(who,
             fmt::format("the zero point of group {}, column {} is {}, and int4 weights here are "
                         "symmetric (8)",
                         i / (w.n / 8), column, z),
             other_format ? "name the other GptqFormat, or quantise with sym=True"
                          : "quantise with sym=True, or use a kernel with zero points");
    }
}

void need_trivial(const char* who, const ir::Tensor& g_idx, const Int4Weights& w) {
  if (g_idx.shape.empty() || g_idx.count() == 0) return;
  need_words(who, "g_idx", g_idx, 1);
  need_shape(who, "g_idx", g_idx, {w.k});
  const auto* group = g_idx.as<std::int32_t>();
  for (std::int64_t k = 0; k < w.k; ++k)
    if (group[k] != k / w.group)
      refuse(who,
             fmt::format("g_idx[{}] is {}, and groups of {} neighbours make it {}", k, group[k],
                         w.group, k / w.group),
             "quantise with desc_act=False, or sort the rows of W (and the columns of X) by group");
}

}  // namespace

Int4Weights import_gptq(const GptqTensors& from) {
  constexpr const char* who = "import_gptq";
  need_words(who, "qweight", from.qweight, 2);
  std::int64_t k = from.qweight.shape[0] * 8, n = from.qweight.shape[1];
  Int4Weights w = layer(who, k, n, from.scales);
  need_zeros(who, from.qzeros, w, in_order, from.format == GptqFormat::V1 ? 1 : 0);
  need_trivial(who, from.g_idx, w);
  const auto* word = from.qweight.as<std::uint32_t>();
  auto* to = w.words.as<std::uint32_t>();
  for (std::int64_t row = 0; row < k / 8; ++row)
    for (std::int64_t column = 0; column < n; ++column)
      to[column * (k / 8) + row] = word[row * n + column] ^ 0x88888888u;  // u - 8 in 4 bits
  return w;
}

Int4Weights import_awq(const AwqTensors& from) {
  constexpr const char* who = "import_awq";
  need_words(who, "qweight", from.qweight, 2);
  std::int64_t k = from.qweight.shape[0], n = from.qweight.shape[1] * 8;
  Int4Weights w = layer(who, k, n, from.scales);
  need_zeros(who, from.qzeros, w, awq_order, 0);
  const auto* word = from.qweight.as<std::uint32_t>();
  for (std::int64_t at = 0; at < k; ++at)
    for (std::int64_t i = 0; i < n / 8; ++i)
      for (int nibble = 0; nibble < 8; ++nibble)
        w.set_code(i * 8 + awq_order[nibble], at,
                   static_cast<int>(word[at * (n / 8) + i] >> 4 * nibble & 15) - 8);
  return w;
}

}  // namespace barline::kernels
