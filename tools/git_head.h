// SPDX-License-Identifier: Apache-2.0
// The commit of the tree that a measurement was made in, read from its .git folder.
#pragma once

#include <filesystem>
#include <string>

namespace barline::tools {

/// The hash that HEAD means in `from` or the nearest folder above it with a .git; empty if none.
std::string git_head(std::filesystem::path from);

}  // namespace barline::tools
