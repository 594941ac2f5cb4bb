// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/names.h"

#include <barline_codegen_id.h>

#include "runtime/cache/walk_p.h"
#include "runtime/cache/warm_file.h"

namespace barline::runtime {

std::vector<NamedEntry> named_entries(const DiskCache& cache) {
  std::vector<NamedEntry> out;
  const Store* store = cache.store();
  if (store == nullptr) return out;
  for (const CacheFile& file : walk(*store)) {
    if (file.kind != FileKind::Warm) continue;
    const ReadFile read = store->read(file.name, max_warm_bytes);
    if (read.status != ReadStatus::Ok) continue;
    const auto warm = parse_warm(read.bytes);
    // Another compiler's code for the same config is another kernel.
    if (!warm || warm->warm.value("codegen_id") != BARLINE_CODEGEN_ID) continue;
    std::string config(warm->warm.value("config"));
    out.push_back({.name = config.substr(0, config.find(' ')),
                   .config = config,
                   .target = std::string(warm->warm.value("target")),
                   .key = warm->entry});
  }
  return out;
}

}  // namespace barline::runtime
