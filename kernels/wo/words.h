// SPDX-License-Identifier: Apache-2.0
// A u32 word of eight e2m1 codes, as images of NVFP4 weights have them: a rotation and a mask give
// two codes as bf16 of value * 2^-126, subnormal where the code is 0.5. Element e stands in half
// e % 2 of the word, at h = 16 (e % 2):
//
//   e / 2   0: magnitude at 6..8 + h, sign at 15 + h      1: 9..11 + h, 18 + h     2: 12..14 + h,
//   21 + h
//           3: its bits e1 e0 m at 1, 0, 4 + h, sign at 3 + h                   (bits modulo 32)
#pragma once

#include <array>

#include "dsl/value.h"
#include "ir/numerics.h"

namespace barline::kernels {

void set_code(std::uint32_t& word, int element, ir::e2m1_t code);
ir::e2m1_t code_at(std::uint32_t word, int element);

/// Elements 2i and 2i + 1, each a bf16 of value * 2^-126, the even one in the low half.
std::array<dsl::Value, 4> decode_pairs(const dsl::Value& word);

/// UE5M3, a scale without its sign: (8 + low three bits) * 2^(high five bits - 13), and 0. Its
/// fields begin at bit 4 of bf16's, whose exponents reach to what stands here for NaN.
std::uint8_t to_ue5m3(ir::e4m3_t scale);
ir::e4m3_t from_ue5m3(std::uint8_t byte);

/// Byte `byte` of a word, a UE5M3 scale, as two bf16 of scale * 2^119.
dsl::Value decode_scale(const dsl::Value& word, const dsl::Value& byte);

}  // namespace barline::kernels
