// SPDX-License-Identifier: Apache-2.0
// Schedule: how a kernel runs, as one constexpr value. Each field is an adjective of a concept
// (stream, split, team, budget), never of a kernel.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "ir/stream.h"

namespace barline::ir {

/// A list of fixed capacity, so that a Schedule is constexpr.
template <class T, int N>
struct List {
  std::array<T, N> items{};
  int count = 0;

  constexpr List() = default;
  constexpr List(std::initializer_list<T> init) {
    for (const T& t : init) items[count++] = t;
  }
  constexpr const T* begin() const { return items.data(); }
  constexpr const T* end() const { return items.data() + count; }
  constexpr bool operator==(const List&) const = default;
};

/// Promises about resources, checked against the ptxas report.
struct Budget {
  std::uint8_t ctas_per_sm = 0;  ///< at least so many blocks an SM; 0: no promise
  std::uint16_t regs = 0;        ///< register cap handed to ptxas; 0: none
  constexpr bool operator==(const Budget&) const = default;
};

struct Schedule {
  std::string_view name;
  std::uint16_t threads = 256;    ///< of a tile kernel's block
  std::uint8_t vec = 1;           ///< neighbouring elements of a stripe a thread holds
  std::uint16_t stripe_cap = 64;  ///< elements a thread keeps in registers; a longer stripe loops
  std::uint8_t chunks = 1;  ///< chunks of threads*vec a block takes of an axis split over the grid
  std::uint8_t unroll = 1;  ///< chunks a trip of a looping stripe handles
  List<Stream, 4> streams{};  ///< operands that do not take the default stream
  Budget budget{};
  constexpr bool operator==(const Schedule&) const = default;
};

/// Visits every field by name: the one place that printing, hashing and the schema draw from.
template <class Visitor>
constexpr void fields(const Schedule& s, Visitor&& visit) {
  visit("threads", s.threads);
  visit("vec", s.vec);
  visit("stripe_cap", s.stripe_cap);
  visit("chunks", s.chunks);
  visit("unroll", s.unroll);
  visit("ctas_per_sm", s.budget.ctas_per_sm);
  visit("regs", s.budget.regs);
}

}  // namespace barline::ir
