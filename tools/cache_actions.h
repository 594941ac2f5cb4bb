// SPDX-License-Identifier: Apache-2.0
// What `barline cache` does, one function a subcommand, and what they share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/cache/store.h"
#include "tools/context.h"

namespace barline::tools {

/// The store, or nothing when there is no folder yet: an empty cache is no failure. Throws
/// UsageError where no folder is named and IoError where it cannot be used.
std::unique_ptr<runtime::Store> open_store(const Context& context);

/// "1.5 MiB"
std::string size_text(std::uint64_t bytes);

ExitCode run_cache_stat(const Context& context);
ExitCode run_cache_list(const Context& context);
ExitCode run_cache_verify(const Context& context, bool repair);
ExitCode run_cache_clear(const Context& context);
/// Evicts down to the caps and removes what dead processes left.
ExitCode run_cache_gc(const Context& context, std::uint64_t max_bytes, std::uint64_t max_files);

struct ExtractOptions {
  std::string key;   ///< hex form, or enough of its front
  bool ptx = false;  ///< the PTX instead of the cubin
  std::string file;  ///< empty: named after kernel and target, in the working folder
};
ExitCode run_cache_extract(const Context& context, const ExtractOptions& options);

/// Whether each config is in the cache and, where it is not, what of its key differs from the
/// nearest entry.
ExitCode run_cache_explain(const Context& context, const std::vector<std::string>& kernels,
                           const std::string& arch);

}  // namespace barline::tools
