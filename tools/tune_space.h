// SPDX-License-Identifier: Apache-2.0
// The schedules that tuning considers: the register's, and their neighbours by one move (a tile's
// side, the warps that share it, the depth of the rings, the blocks of an SM).
#pragma once

#include <string>
#include <vector>

#include "ir/schedule_text.h"

namespace barline::tools {

struct Candidate {
  ir::OwnedSchedule schedule{};  ///< named "seed" or "seed~tile.m=128"
  std::string seed{};            ///< the registered schedule that it comes from
  bool registered = false;

  std::string_view name() const { return schedule.value.name; }
};

/// What decides the bits of a float sum: schedules of one class give the same. (A product adds
/// along k in order, but for the parts that warps or blocks share out.)
std::string order_class(const ir::Schedule& schedule);

struct SpaceOptions {
  int moves = 1;           ///< away from a registered schedule; 0: these alone
  bool any_order = false;  ///< neighbours may leave their seed's order class
};

/// The seeds first, then neighbours, breadth first; no two are equal but for their names.
/// Structural nonsense is left out; what a pass refuses is not.
std::vector<Candidate> tune_space(const std::vector<ir::Schedule>& seeds,
                                  const SpaceOptions& options);

}  // namespace barline::tools
