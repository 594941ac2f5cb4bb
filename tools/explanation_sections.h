// SPDX-License-Identifier: Apache-2.0
// Parts of an explanation that its text and its page share, each as lines.
#pragma once

#include <string>

#include "tools/explanation.h"

namespace barline::tools {

/// "file:line" of an op; empty where it is not known.
std::string place(const verify::OpText& op);
/// What each barrier orders.
std::string barriers_text(const Explanation& e);
/// Findings and launch preconditions.
std::string proof_text(const Explanation& e);
/// Bank conflicts and sectors of each access.
std::string costs_text(const Explanation& e);

}  // namespace barline::tools
