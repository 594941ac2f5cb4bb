// SPDX-License-Identifier: Apache-2.0
// Value: what the replay knows of an integer or boolean in all threads of a block at once.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "ir/team.h"

namespace barline::verify::proof {

/// Truth of a condition in one thread. MaybeWarp: not known, but the same in all lanes of a warp.
enum Truth : std::int64_t { No = 0, Yes = 1, Maybe = 2, MaybeWarp = 3 };

/// a and b.
constexpr std::int64_t both(std::int64_t a, std::int64_t b) {
  if (a == No || b == No) return No;
  if (a == Yes) return b;
  if (b == Yes) return a;
  return a == MaybeWarp && b == MaybeWarp ? MaybeWarp : Maybe;
}
constexpr std::int64_t negated(std::int64_t a) { return a <= Yes ? Yes - a : a; }

/// Integers are kept in 64 bits, extended by their type's sign.
struct Value {
  enum class State : std::uint8_t { Unknown, Uniform, Lanes };

  State state = State::Unknown;
  bool maybe = false;                ///< Lanes of an i1: some are Maybe or MaybeWarp
  ir::Team same = ir::Team::Thread;  ///< Unknown: over which team it is one value (up to Cta)
  std::uint64_t symbol = 0;          ///< Unknown, same over the block: equal symbols, equal values
  std::int64_t lo = std::numeric_limits<std::int64_t>::min();  ///< Unknown: its range
  std::int64_t hi = std::numeric_limits<std::int64_t>::max();
  std::int64_t uniform = 0;
  std::vector<std::int64_t> lanes;

  bool is_unknown() const { return state == State::Unknown; }
  bool is_uniform() const { return state == State::Uniform; }
  bool is_lanes() const { return state == State::Lanes; }
  bool is_known() const { return state != State::Unknown && !maybe; }
  std::int64_t at(int thread) const { return is_uniform() ? uniform : lanes[thread]; }

  void set_uniform(std::int64_t v) {
    state = State::Uniform;
    maybe = false;
    uniform = v;
  }
  /// Ready to write `threads` lanes.
  std::int64_t* set_lanes(int threads) {
    state = State::Lanes;
    maybe = false;
    lanes.resize(threads);
    return lanes.data();
  }
  void set_unknown(ir::Team team = ir::Team::Thread, std::uint64_t name = 0) {
    state = State::Unknown;
    maybe = false;
    same = team;
    symbol = name;
    lo = std::numeric_limits<std::int64_t>::min();
    hi = std::numeric_limits<std::int64_t>::max();
  }
  void set_range(std::int64_t from, std::int64_t to) {
    lo = from;
    hi = to;
  }
};

/// Mixes a number into a symbol.
constexpr std::uint64_t mix(std::uint64_t h, std::uint64_t x) {
  h ^= x + 0x9e3779b97f4a7c15ull + (h << 6) + (h >> 2);
  return h * 0xff51afd7ed558ccdull ^ (h >> 29);
}

}  // namespace barline::verify::proof
