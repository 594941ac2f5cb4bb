// SPDX-License-Identifier: Apache-2.0
// The README's table of products on tensor cores: every schedule of a problem side by side, with
// PyTorch's time for the same numbers and the rate of mma.sync from registers.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace barline::test {

std::string product_table(const nlohmann::json& bench, const std::vector<nlohmann::json>& peers,
                          const std::vector<nlohmann::json>& peaks);

}  // namespace barline::test
