// SPDX-License-Identifier: Apache-2.0
#include "ir/packing.h"

namespace barline::ir {
namespace {

constexpr int lane_words = 4;  ///< 16 bytes a lane
constexpr int columns = 8;     ///< of n that a B fragment's lanes stand on

std::uint32_t mask(const Packing& p) { return (1u << bits(p.code)) - 1; }

}  // namespace

PackedPlace place_of(const Packing& p, std::int64_t n, std::int64_t k) {
  std::int64_t in_n = n % p.unit_n(), in_k = k % Packing::unit_k;
  std::int64_t lane = in_n % columns * 4 + in_k % 8 / 2;
  // Registers of one n: pairs along k, 8 apart; then those of n + 8.
  std::int64_t reg = in_n / columns * (Packing::unit_k / 4) + in_k / 8 * 2 + in_k % 2;
  std::int64_t word = lane * lane_words + reg / p.per_word();
  return {n / p.unit_n(), k / Packing::unit_k * Packing::unit_words + word,
          static_cast<int>(reg % p.per_word())};
}

int code_of(const Packing& p, std::uint32_t word, int element) {
  return static_cast<int>(word >> p.shift(element) & mask(p)) - p.bias();
}

Tensor pack(const Packing& p, std::int64_t n, std::int64_t k,
            const std::function<int(std::int64_t n, std::int64_t k)>& code) {
  std::int64_t rows = (n + p.unit_n() - 1) / p.unit_n();
  Tensor words(Elem::U32, {rows, k / Packing::unit_k * Packing::unit_words});
  auto* data = words.as<std::uint32_t>();
  for (std::int64_t i = 0; i < rows * p.unit_n(); ++i)
    for (std::int64_t j = 0; j < k; ++j) {
      PackedPlace at = place_of(p, i, j);
      auto stored = static_cast<std::uint32_t>((i < n ? code(i, j) : 0) + p.bias()) & mask(p);
      data[at.row * words.shape[1] + at.column] |= stored << p.shift(at.element);
    }
  return words;
}

int unpack(const Packing& p, const Tensor& words, std::int64_t n, std::int64_t k) {
  PackedPlace at = place_of(p, n, k);
  return code_of(p, words.as<std::uint32_t>()[at.row * words.shape[1] + at.column], at.element);
}

}  // namespace barline::ir
