// SPDX-License-Identifier: Apache-2.0
// Swizzle: where an element of a box stands in its slot, so that eight neighbouring rows of 16 bytes
// (a phase of ldmatrix, or of 16-byte stores) meet in no shared-memory bank.
//
// A row is cut into chunks of 16 bytes; chunk c of row r stands where chunk c ^ f(r) would. Rows
// shorter than the 128 bytes of all banks share a line, so f advances once a line:
//
//   row of  32 bytes:  f = (r >> 2) & 1        row of 128 bytes and more:  f = r & 7
//   row of  64 bytes:  f = (r >> 1) & 3        any other row:              f = 0
#pragma once

#include <cstdint>

namespace barline::ir {

struct Swizzle {
  int shift = 0;  ///< f(r) = (r >> shift) & mask
  int mask = 0;
  int chunk = 1;  ///< elements of 16 bytes
  std::int64_t columns = 0;
  std::int64_t pitch = 0;  ///< > 0: columns past these stand in panels so many elements apart

  /// The position in the slot of element (row, col).
  constexpr std::int64_t at(std::int64_t row, std::int64_t col) const {
    std::int64_t f = (row >> shift) & mask, panel = 0;
    if (pitch) {
      panel = col / columns * pitch;
      col %= columns;
    }
    return panel + row * columns + ((col / chunk) ^ f) * chunk + col % chunk;
  }
};

/// The swizzle of rows of `columns` elements of `bytes` bytes. Only rows of a power of two of
/// chunks are swizzled.
constexpr Swizzle swizzle_of(std::int64_t columns, int bytes) {
  Swizzle s{.chunk = 16 / bytes, .columns = columns};
  switch (columns * bytes) {
    case 32: return {2, 1, s.chunk, columns};
    case 64: return {1, 3, s.chunk, columns};
    case 128:
    case 256:
    case 512: return {0, 7, s.chunk, columns};
    default: return s;
  }
}

}  // namespace barline::ir
