// SPDX-License-Identifier: Apache-2.0
// Tuned schedules in the cubin cache, so that a host finds what was tuned on its machine without
// any file of its own: one entry a kernel, type, target, device and sizes.
#pragma once

#include <optional>

#include "dsl/tuned.h"
#include "runtime/cache/kernel_cache.h"

namespace barline::jit {

/// Keeps the row; a later one of the same sizes on the same device takes its place.
void keep_tuned(runtime::KernelCache& cache, const dsl::TunedRow& row);

/// The row that was kept for exactly these sizes; nothing where there is none, or where it was
/// written by a build whose schedules have other fields.
std::optional<dsl::TunedRow> find_tuned(runtime::KernelCache& cache, const std::string& kernel,
                                        const std::string& type, const std::string& target,
                                        const std::string& device, const dsl::Sizes& sizes);

}  // namespace barline::jit
