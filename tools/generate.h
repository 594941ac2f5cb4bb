// SPDX-License-Identifier: Apache-2.0
// Inputs out of a seed, for kernels that are given none. Element i of the operand `name` is made of
//   u = mix(mix(seed) ^ fnv1a(name) + i * 0x9e3779b97f4a7c15)      (mix: SplitMix64's finaliser)
// as follows, so that any program can make the same data:
//   floats        (u >> 40) / 2^22 - 2: 2^24 values in [-2, 2), rounded to the element type
//   s8 s16 u8 u16 s4 u4   the low bits of u: the whole range
//   s32 s64       (u mod 2^21) - 2^20;   u32 u64: u mod 2^21
//   i1            the low bit of u
// A kernel may make its own of them (scales above 0, packed weights: KernelEntry::input).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ir/tensor.h"

namespace barline::tools {

/// The tensor of that seed, operand name and element type.
ir::Tensor generate(ir::Elem elem, std::vector<std::int64_t> shape, std::uint64_t seed,
                    std::string_view name);

}  // namespace barline::tools
