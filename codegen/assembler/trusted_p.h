// SPDX-License-Identifier: Apache-2.0
// Which files may be run or loaded: whoever can replace the assembler decides what the GPU runs.
#pragma once

#include <string>

namespace barline::codegen {

/// Why `directory`/`file` may not be used, or empty: the path must be absolute, both belong to this
/// user or root, and no other user may write them.
std::string why_not_trusted(const std::string& directory, const std::string& file);

/// Why there is no regular file at the path, or empty.
std::string why_no_file(const std::string& path);

}  // namespace barline::codegen
