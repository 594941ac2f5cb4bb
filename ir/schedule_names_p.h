// SPDX-License-Identifier: Apache-2.0
// Spellings of the enumerators in a schedule's fields, by enumerator.
#pragma once

#include <span>

#include "ir/attr.h"
#include "ir/schedule.h"

namespace barline::ir {

using Spellings = std::span<const std::string_view>;

inline constexpr std::string_view segments_names[] = {"grid", "inner"};
inline constexpr std::string_view store_names[] = {"smem", "reg", "none"};
inline constexpr std::string_view unit_names[] = {"mma", "wgmma"};
inline constexpr std::string_view walk_names[] = {"grid", "persistent"};
inline constexpr std::string_view merge_names[] = {"none", "smem", "dsmem"};
inline constexpr std::string_view team_names[] = {"thread", "warp",    "warpgroup",
                                                  "cta",    "cluster", "grid"};

constexpr Spellings spellings(Segments) { return segments_names; }
constexpr Spellings spellings(Store) { return store_names; }
constexpr Spellings spellings(MatrixUnit) { return unit_names; }
constexpr Spellings spellings(Walk) { return walk_names; }
constexpr Spellings spellings(Merge) { return merge_names; }
constexpr Spellings spellings(Team) { return team_names; }
inline Spellings spellings(Agent) { return spellings(AttrKind::AgentKind); }

}  // namespace barline::ir
