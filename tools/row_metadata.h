// SPDX-License-Identifier: Apache-2.0
// The resource row that the metadata of a cache entry says, so that a warm gate needs neither the
// compiler nor ptxas's log.
#pragma once

#include "codegen/compile.h"
#include "runtime/cache/metadata.h"
#include "tools/selection.h"
#include "verify/gate/resource_row.h"

namespace barline::tools {

/// The row of an entry with this metadata; `ptx_bytes` and `cache` are the caller's to fill.
verify::ResourceRow to_row(const runtime::Metadata& metadata, const Job& job);

/// Blocks of `threads` that fit an SM with the row's registers and shared memory; empty where the
/// target's limits or the threads (0) are not known. Where not even a block of one thread fits, it
/// is 0 whatever the threads are.
std::optional<int> ctas_per_sm(const verify::ResourceRow& row, int threads);

/// The figures of the machine code that the row prints and the gate judges.
void add_skeleton(verify::ResourceRow& row, const codegen::SassSkeleton& skeleton);

}  // namespace barline::tools
