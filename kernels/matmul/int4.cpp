// SPDX-License-Identifier: Apache-2.0
#include "kernels/matmul/int4.h"

#include <fmt/format.h>
#include <stdexcept>

#include "ir/packing.h"

namespace barline::kernels {
namespace {

constexpr ir::Packing image_of{.code = ir::Elem::S4};

std::int64_t whole_units(std::int64_t k) {
  return (k + ir::Packing::unit_k - 1) / ir::Packing::unit_k * ir::Packing::unit_k;
}

void set(std::uint32_t* row, std::int64_t at, int code) {
  int shift = static_cast<int>(4 * (at % 8));
  std::uint32_t& word = row[at / 8];
  word = (word & ~(15u << shift)) | (static_cast<std::uint32_t>(code) & 15) << shift;
}

}  // namespace

void check_int4(std::int64_t k, std::int64_t group) {
  if (k < 8 || k % 8 != 0)
    throw std::invalid_argument(
        fmt::format("int4 weights: K = {} is no multiple of 8, and a word holds 8 codes; pad K "
                    "with zeros",
                    k));
  bool known = group == 32 || group == 64 || group == 128 || group == 256 || group == k;
  if (!known)
    throw std::invalid_argument(fmt::format(
        "int4 weights: group {}; use 32, 64, 128, 256 or K = {} (one scale a column)", group, k));
}

Int4Weights::Int4Weights(std::int64_t n, std::int64_t k, std::int64_t group)
    : n(n), k(k), group(group) {
  check_int4(k, group);
  words = ir::Tensor(ir::Elem::U32, {n, k / 8});
  scales = ir::Tensor(ir::Elem::F16, {(k + group - 1) / group, n});
}

int Int4Weights::code(std::int64_t row, std::int64_t at) const {
  return code_of(words.as<std::uint32_t>() + row * (k / 8), at);
}

void Int4Weights::set_code(std::int64_t row, std::int64_t at, int code) {
  set(words.as<std::uint32_t>() + row * (k / 8), at, code);
}

ir::f16_t Int4Weights::scale(std::int64_t row, std::int64_t at) const {
  return scales.as<ir::f16_t>()[at / group * n + row];
}

void Int4Weights::set_scale(std::int64_t row, std::int64_t of_group, float value) {
  scales.as<ir::f16_t>()[of_group * n + row] = ir::num::to_f16(value);
}

ir::f16_t Int4Weights::value(std::int64_t row, std::int64_t at) const {
  return dequantised(code(row, at), scale(row, at));
}

ir::Tensor pack_int4_words(const ir::Tensor& words) {
  std::int64_t n = words.shape[0], k = words.shape[1] * 8;
  const auto* from = words.as<std::uint32_t>();
  return ir::pack(image_of, n, whole_units(k), [=](std::int64_t row, std::int64_t at) {
    return at < k ? code_of(from + row * (k / 8), at) : 0;
  });
}

ir::Tensor pack(const Int4Weights& weights) { return pack_int4_words(weights.words); }

ir::Tensor unpack_int4_words(const ir::Tensor& image, std::int64_t n, std::int64_t k) {
  ir::Tensor words(ir::Elem::U32, {n, k / 8});
  for (std::int64_t row = 0; row < n; ++row)
    for (std::int64_t at = 0; at < k; ++at)
      set(words.as<std::uint32_t>() + row * (k / 8), at, ir::unpack(image_of, image, row, at));
  return words;
}

}  // namespace barline::kernels
