// SPDX-License-Identifier: Apache-2.0
// Packed weights: the registers of a B fragment, laid down in memory as a lane reads them. A unit
// is 512 bytes, 16 a lane, over 64 elements of k; the units of one n stand side by side along k:
//
//   s4   unit 16 n x 64 k   four words a lane: two for n = g, then two for n = g + 8
//   s8   unit  8 n x 64 k   four words a lane, n = g
//
// with g = lane / 4. A lane's elements are those of ir/fragment.h's B over a tile of k = 64, in the
// order of its registers. A word holds 8 nibbles or 4 bytes; to become pairs of f16 by one mask
// each, nibble e of a word stands at bit {0, 16, 4, 20, 8, 24, 12, 28}[e]; bytes stand in order.
// Both are stored with the sign bit flipped (q + 8, q + 128). One description serves the host
// packer (pack), the kernel's view (expand_fragments) and docs/packing.md.
#pragma once

#include <cstdint>
#include <functional>

#include "ir/layout.h"
#include "ir/tensor.h"

namespace barline::ir {

struct Packing {
  Elem code = Elem::S4;  ///< s4 or s8
  static constexpr int unit_k = 64;
  static constexpr int unit_words = 128;
  constexpr int unit_n() const { return code == Elem::S4 ? 16 : 8; }
  constexpr int per_word() const { return code == Elem::S4 ? 8 : 4; }
  /// Bits that an element e of a word is shifted left by.
  constexpr int shift(int e) const { return code == Elem::S8 ? 8 * e : 16 * (e % 2) + 4 * (e / 2); }
  /// Added to a code before it is stored, so that it is not negative.
  constexpr int bias() const { return code == Elem::S4 ? 8 : 128; }
};

/// Where a packed image holds a code: nibble or byte `element` of the word at (row, column).
struct PackedPlace {
  std::int64_t row = 0;
  std::int64_t column = 0;
  int element = 0;
};
PackedPlace place_of(const Packing& packing, std::int64_t n, std::int64_t k);
/// The code that element `element` of a word holds.
int code_of(const Packing& packing, std::uint32_t word, int element);

/// Words of the packed image of codes q(n, k), n < N, k < K (K a multiple of 64; n past N packs 0):
/// u32 [ceil(N / unit_n), K / 64 * 128].
Tensor pack(const Packing& packing, std::int64_t n, std::int64_t k,
            const std::function<int(std::int64_t n, std::int64_t k)>& code);
/// The code that a packed image holds at (n, k).
int unpack(const Packing& packing, const Tensor& words, std::int64_t n, std::int64_t k);

}  // namespace barline::ir
