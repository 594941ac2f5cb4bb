// SPDX-License-Identifier: Apache-2.0
// How a block's threads share the copy of a box of rows into a slot (`fill`): vectors of up to 16
// bytes, the neighbouring vectors of a row to neighbouring threads.
//
//   vector q of the box, row by row, is thread q mod threads' in round q / threads
#pragma once

#include <cstdint>
#include <optional>

namespace barline::ir {

struct CopyShare {
  std::int64_t rows = 1, columns = 1;
  std::int64_t threads = 1;
  /// Elements of a vector: the widest of 16 bytes that divides a row; of a box that would leave
  /// threads idle, narrower, down to 4 bytes.
  int vec = 1;

  struct Chunk {
    std::int64_t row = 0, col = 0;  ///< of its first element, in the box
  };
  constexpr std::int64_t chunks() const { return rows * (columns / vec); }
  /// Vectors of a thread, the last of which may not be there.
  constexpr std::int64_t rounds() const { return (chunks() + threads - 1) / threads; }
  /// The thread's vector of a round, or nothing past the box.
  constexpr std::optional<Chunk> at(std::int64_t thread, std::int64_t round) const {
    std::int64_t q = thread + round * threads, of_row = columns / vec;
    if (q >= chunks()) return std::nullopt;
    return Chunk{q / of_row, q % of_row * vec};
  }
};

/// The share of a box whose elements are of `bytes` bytes.
constexpr CopyShare copy_share(std::int64_t rows, std::int64_t columns, int bytes,
                               std::int64_t threads) {
  int vec = 16 / bytes;
  while (columns % vec != 0) vec /= 2;
  while (vec * bytes > 4 && rows * columns / vec < threads) vec /= 2;
  return {rows, columns, threads, vec};
}

}  // namespace barline::ir
