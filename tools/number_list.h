// SPDX-License-Identifier: Apache-2.0
// Lists of numbers on the command line: "1,2,4", "1 2 4" and several words mean the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace barline::tools {

/// Throws UsageError, naming `option`, for anything but positive whole numbers that differ.
std::vector<std::int64_t> parse_numbers(const std::string& option,
                                        const std::vector<std::string>& words);

}  // namespace barline::tools
