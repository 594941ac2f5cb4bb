// SPDX-License-Identifier: Apache-2.0
// Turns ptxas's complaints into text for a person: each error with the PTX line that it speaks of.
#pragma once

#include <string>
#include <string_view>

namespace barline::codegen {

/// The errors of `log`, one below the other, each followed by its line of `ptx`; all of `log` when
/// it holds nothing that looks like an error.
std::string explain_errors(std::string_view log, std::string_view ptx);

}  // namespace barline::codegen
