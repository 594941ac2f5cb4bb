// SPDX-License-Identifier: Apache-2.0
// The gate's answer as text for people and as JSON for programs; the same JSON row serves build and
// explain.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "verify/gate/gate.h"

namespace barline::verify {

/// The fields of design/cli.md, snake_case; figures that a kernel does not have are left out.
nlohmann::ordered_json to_json(const ResourceRow& row);
/// {"schema": "barline.gate/1", ...}
nlohmann::ordered_json to_json(const GateReport& report);
/// A table of all rows, then what is wrong with its place, worst first, and one closing line.
std::string to_text(const GateReport& report);

}  // namespace barline::verify
