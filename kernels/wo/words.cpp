// SPDX-License-Identifier: Apache-2.0
#include "kernels/wo/words.h"

#include <cmath>

#include "dsl/body.h"

namespace barline::kernels {
namespace {

using dsl::Value;
namespace num = ir::num;

constexpr int bias = 10, mantissa = 3, significand = 1 << mantissa;
constexpr std::uint8_t not_a_number = 0x9f;  // bf16's highest exponent

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

std::uint8_t to_ue5m3(ir::e4m3_t scale) {
  const float value = std::fabs(num::to_f32(scale));
  if (std::isnan(value)) return not_a_number;
  if (value == 0) return 0;
  int exponent = 0;
  const float half = std::frexp(value, &exponent);  // value = half * 2^exponent, half in [0.5, 1)
  const int bits = static_cast<int>(half * 2 * significand) - significand;
  return static_cast<std::uint8_t>((exponent - 1 + bias) << mantissa | bits);
}

ir::e4m3_t from_ue5m3(std::uint8_t byte) {
  if (byte == 0) return {0};
  if (byte == not_a_number) return num::to_e4m3(NAN);
  const int bits = significand + byte % significand, exponent = byte / significand;
  return num::to_e4m3(std::ldexp(static_cast<float>(bits), exponent - bias - mantissa));
}

Value decode_scale(const Value& word, const Value& byte) {
  constexpr std::int64_t zero = 4;  // a byte of prmt's second operand
  dsl::Body& body = word.body();
  Value selector = byte | byte << 8 | (zero << 4 | zero << 12);
  Value twice = byte_permute(word, body.constant(dsl::u32, 0), selector);
  return body.emit(ir::Op::Bitcast, ir::vector(dsl::bf16, 2), {twice * 16 + 0x76007600},
                   dsl::Here::current());
}

}  // namespace barline::kernels
