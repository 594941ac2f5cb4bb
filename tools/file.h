// SPDX-License-Identifier: Apache-2.0
// Whole files in and out: a missing input and a failing disk are told apart, and an output is
// whole or not there.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace barline::tools {

/// The bytes of a file of at most `limit` bytes. Throws UsageError when it is missing, no regular
/// file or longer, IoError when a read fails.
std::string read_file(const std::string& path, std::size_t limit);

/// Writes beside `path` and renames; a file that was there keeps its permissions, a link its name.
/// What is no regular file (a device, a pipe) is written to. Throws UsageError when the folder does
/// not exist, IoError when a write fails; then nothing of a file is left.
void write_file(const std::string& path, std::string_view bytes);

/// Throws UsageError unless a file can be put at `path`: its folder exists and is one. For asking
/// before long work.
void check_output(const std::string& path);

}  // namespace barline::tools
