// SPDX-License-Identifier: Apache-2.0
// What bench/peers/wo_rows.py recorded, as a table of docs/nvfp4.md.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace barline::test {

/// A line for each problem: the read of its weights, the fastest schedule of each order alone and
/// beside the next grid, cuBLAS.
std::string projection_peers_table(const nlohmann::json& record);

}  // namespace barline::test
