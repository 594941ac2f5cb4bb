// SPDX-License-Identifier: Apache-2.0
// Kernels by name where nothing but files is known: the warm keys of a cache directory, which say
// what each entry was compiled from.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "runtime/cache/disk_cache.h"

namespace barline::runtime {

/// An entry that could be meant by a name.
struct NamedEntry {
  std::string name;    ///< "rms_norm.bf16@row256"
  std::string config;  ///< the whole config, bound sizes at its end
  std::string target;
  Hash256 key;  ///< of the entry
};

/// Every entry of the cache that the compiler of this build made, by its warm key. Reads the small
/// warm files, not the entries.
std::vector<NamedEntry> named_entries(const DiskCache& cache);
/// Those of one name; reads no other's files.
std::vector<NamedEntry> named_entries(const DiskCache& cache, std::string_view name);

}  // namespace barline::runtime
