// SPDX-License-Identifier: Apache-2.0
// A kernel's table of regions as text, as its cache entry carries it: one region a line.
#pragma once

#include <span>
#include <vector>

#include "runtime/regions/layout.h"

namespace barline::regions {

/// The name under which an entry's metadata keeps the table. Only timed kernels have one.
inline constexpr std::string_view metadata_name = "regions";

/// "name class where", one a line.
std::string to_text(std::span<const Region> table);
/// Throws std::invalid_argument on text that to_text did not write.
std::vector<Region> parse_table(std::string_view text);

}  // namespace barline::regions
