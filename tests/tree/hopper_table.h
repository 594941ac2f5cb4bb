// SPDX-License-Identifier: Apache-2.0
// docs/hopper.md out of a record of bench/peers/qkv_rows.py: weight-only projections beside the
// read of their weights and beside peers, one launch against three, and square products.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace barline::test {

/// True where the record has rows of barline's beside its peers'.
bool compares(const nlohmann::json& record);

/// The whole page.
std::string hopper_page(const nlohmann::json& record);

}  // namespace barline::test
