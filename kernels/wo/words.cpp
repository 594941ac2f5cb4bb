// SPDX-License-Identifier: Apache-2.0
#include "kernels/wo/words.h"

namespace barline::kernels {
namespace {

using dsl::Value;

/// Where an element's bits m, e0, e1 and its sign stand in a word.
std::array<int, 4> bits_of(int element) {
  const int h = element % 2 * 16, pair = element / 2;
  if (pair == 3) return {4 + h, 0 + h, 1 + h, 3 + h};
  const int m = 6 + 3 * pair + h;
  return {m, m + 1, m + 2, (15 + 3 * pair + h) % 32};
}

Value rotate_right(const Value& v, int by) { return v >> by | v << (32 - by); }

}  // namespace

void set_code(std::uint32_t& word, int element, ir::e2m1_t code) {
  const auto bits = bits_of(element);
  for (int i = 0; i < 4; ++i) {
    word &= ~(1u << bits[i]);
    word |= static_cast<std::uint32_t>(code.bits >> i & 1) << bits[i];
  }
}

ir::e2m1_t code_at(std::uint32_t word, int element) {
  const auto bits = bits_of(element);
  std::uint8_t code = 0;
  for (int i = 0; i < 4; ++i) code |= (word >> bits[i] & 1) << i;
  return {code};
}

std::array<Value, 4> decode_pairs(const Value& word) {
  constexpr std::int64_t mask = 0x81c081c0;
  return {word & mask, rotate_right(word, 3) & mask, rotate_right(word, 6) & mask,
          (word & 0x001b001b) * 4228 & mask};
}

}  // namespace barline::kernels
