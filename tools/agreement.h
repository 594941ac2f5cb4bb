// SPDX-License-Identifier: Apache-2.0
// How an output stands to a reference, over the elements that were compared.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "ir/tensor.h"

namespace barline::tools {

struct Agreement {
  std::string reference{};  ///< "split_order"
  bool gate = false;        ///< decides whether the arm is timed; the others are diagnostics
  bool ok = true;
  double max_abs = 0, mean_abs = 0, max_rel = 0;  ///< measured where `elements` is not 0
  std::int64_t elements = 0;                      ///< that were compared
  std::int64_t stride = 1;                        ///< one in how many of the output
  std::string text{};
};

/// Adds one output's elements at sample_places(count, stride).
void add_distances(Agreement& agreement, const ir::Tensor& got, const ir::Tensor& want);

/// The distances are null where no element was compared: 0 would be a claim.
nlohmann::ordered_json to_json(const Agreement& agreement);
/// What to_json wrote. Throws nlohmann::json::exception for anything else.
Agreement parse_agreement(const nlohmann::ordered_json& json);

}  // namespace barline::tools
