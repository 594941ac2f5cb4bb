// SPDX-License-Identifier: Apache-2.0
// What a foreign host needs to launch a cubin, as JSON: entry, block, cluster, shared memory, and
// the rules for the grid, the tensors' shapes and their maps. bench/peers/barline_cubin.py reads
// it.
#pragma once

#include <nlohmann/json.hpp>

#include "ir/kernel.h"
#include "runtime/cache/metadata.h"

namespace barline::tools {

/// One row of `launches.json`. `lowered` is the kernel after the passes, as the cubin was made of
/// it. A size is {"axis": name} or {"count": n}, with "rules": [[per, times], ..] for
/// ceil(size / per) * times, one after the other.
nlohmann::ordered_json launch_json(const ir::Kernel& lowered, const runtime::Metadata& metadata);

}  // namespace barline::tools
