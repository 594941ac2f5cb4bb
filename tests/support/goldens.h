// SPDX-License-Identifier: Apache-2.0
// Golden files: the text that is expected stands in a file beside the test. With
// BARLINE_UPDATE_GOLDENS=1 in the environment the files are written instead of compared.
#pragma once

#include <string>

namespace barline::test {

std::string read_file(const std::string& path);

/// Empty if the file holds this text (or was just rewritten), else both texts from their first
/// different line on, and how to accept the new one.
std::string golden_difference(const std::string& path, const std::string& text);

}  // namespace barline::test
