// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/names.h"

#include <barline_codegen_id.h>

#include "runtime/cache/walk_p.h"
#include "runtime/cache/warm_file.h"

namespace barline::runtime {
namespace {

std::vector<NamedEntry> read(const Store& store, const std::vector<CacheFile>& files) {
  std::vector<NamedEntry> out;
  for (const CacheFile& file : files) {
    if (file.kind != FileKind::Warm) continue;
    const ReadFile read = store.read(file.name, max_warm_bytes);
    if (read.status != ReadStatus::Ok) continue;
    const auto warm = parse_warm(read.bytes);
    // Another compiler's code for the same config is another kernel.
    if (!warm || warm->warm.value("codegen_id") != BARLINE_CODEGEN_ID) continue;
    const std::string config(warm->warm.value("config"));
    out.push_back({.name = std::string(name_of_config(config)),
                   .config = config,
                   .target = std::string(warm->warm.value("target")),
                   .key = warm->entry});
  }
  return out;
}

}  // namespace

std::vector<NamedEntry> named_entries(const DiskCache& cache) {
  const Store* store = cache.store();
  return store ? read(*store, walk(*store)) : std::vector<NamedEntry>{};
}

std::vector<NamedEntry> named_entries(const DiskCache& cache, std::string_view name) {
  const Store* store = cache.store();
  if (store == nullptr) return {};
  return read(*store, walk_warm(*store, named_hash(name, BARLINE_CODEGEN_ID)));
}

}  // namespace barline::runtime
