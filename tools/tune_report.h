// SPDX-License-Identifier: Apache-2.0
// What `barline tune` says: tables for people, rows for JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "tools/tune_time.h"

namespace barline::tools {

std::string table(const std::vector<Tried>& space);
std::string table(const TunedShape& shape);
nlohmann::ordered_json to_json(const Tried& tried);
nlohmann::ordered_json to_json(const TunedShape& shape);

}  // namespace barline::tools
