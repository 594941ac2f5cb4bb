// SPDX-License-Identifier: Apache-2.0
#include "verify/proof/cost.h"

#include <algorithm>
#include <array>
#include <vector>

namespace barline::verify::proof {
namespace {

constexpr int banks = 32;
constexpr int word_bytes = 4;
constexpr int sector_bytes = 32;

/// One phase: the words that its lanes touch, each bank giving one word a cycle.
int phase_ways(std::vector<std::int64_t>& words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  std::array<int, banks> used{};
  int most = 0;
  for (std::int64_t w : words) most = std::max(most, ++used[w % banks]);
  return most;
}

}  // namespace

BankCost bank_cost(std::span<const std::int64_t> addresses, std::span<const int> lanes, int bytes) {
  BankCost cost;
  std::vector<std::int64_t> words;
  for (int piece = 0; piece < bytes; piece += 16) {
    int size = std::min(bytes - piece, 16);
    int phases = size <= 4 ? 1 : size <= 8 ? 2 : 4;
    int lanes_of_phase = banks / phases;
    for (int phase = 0; phase < phases; ++phase) {
      words.clear();
      for (std::size_t i = 0; i < addresses.size(); ++i) {
        if (lanes[i] / lanes_of_phase != phase) continue;
        std::int64_t first = (addresses[i] + piece) / word_bytes;
        std::int64_t last = (addresses[i] + piece + size - 1) / word_bytes;
        for (std::int64_t w = first; w <= last; ++w) words.push_back(w);
      }
      if (words.empty()) continue;
      int ways = phase_ways(words);
      cost.ways = std::max(cost.ways, ways);
      cost.extra_cycles += ways - 1;
    }
  }
  return cost;
}

int sectors(std::span<const std::int64_t> addresses, int bytes) {
  std::vector<std::int64_t> touched;
  touched.reserve(addresses.size() * 2);
  for (std::int64_t a : addresses)
    for (std::int64_t s = a / sector_bytes; s <= (a + bytes - 1) / sector_bytes; ++s)
      if (touched.empty() || touched.back() != s) touched.push_back(s);
  std::sort(touched.begin(), touched.end());
  return static_cast<int>(std::unique(touched.begin(), touched.end()) - touched.begin());
}

}  // namespace barline::verify::proof
