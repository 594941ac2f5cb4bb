// SPDX-License-Identifier: Apache-2.0
// What the cache tests share: a directory that goes away, and entries whose cubin is a real, tiny
// ELF.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "runtime/cache/entry.h"
#include "runtime/cache/key.h"
#include "runtime/cache/options.h"
#include "tests/support/temp_dir.h"

namespace barline::runtime::test {

/// A folder for tests that make thousands of directories: in memory where the system has one.
std::filesystem::path fast_folder();

using barline::test::TempDir;

/// A CUDA ELF header, one section of `payload` bytes and its table.
std::vector<std::byte> tiny_cubin(std::size_t payload = 40, unsigned fill = 0xab);

KeyRecord sample_key(const std::string& ir = "kernel @k");
WarmKey sample_warm(const std::string& config = "row256");
Entry sample_entry(const KeyRecord& key = sample_key(), std::size_t payload = 40);

/// Options for `dir` whose warnings go to `warnings`.
CacheOptions options_for(const std::filesystem::path& dir,
                         std::vector<std::string>* warnings = nullptr);

/// Runs `body` in a child process; its return value is the exit status, -1 when a signal ended it.
int in_child(const std::function<int()>& body);

std::vector<std::byte> read_bytes(const std::filesystem::path& path);
void write_bytes(const std::filesystem::path& path, const std::vector<std::byte>& bytes);
/// Regular files below `dir` whose names end in `suffix`.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& dir,
                                               const std::string& suffix);

}  // namespace barline::runtime::test
