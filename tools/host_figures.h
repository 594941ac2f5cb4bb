// SPDX-License-Identifier: Apache-2.0
// What a host pays for a kernel: a cold compile, a warm start from the cache directory, a launch.
#pragma once

#include "tools/execute.h"

namespace barline::tools {

struct HostFigures {
  double cold_jit_ms = 0;       ///< empty cache to a loaded kernel, median
  double warm_disk_ms = 0;      ///< filled cache directory, fresh process state, to a loaded kernel
  double warm_entry_ms = 0;     ///< the part of it before the driver: warm key to checked entry
  double memory_hit_us = 0;     ///< the entry again in the same runtime
  double launch_us = 0;         ///< Prepared::launch, host time
  double driver_launch_us = 0;  ///< cuLaunchKernel with the same arguments, host time
};

/// Medians over `rounds`; the cache directory is a fresh one below `scratch` and is removed.
HostFigures measure_host(const Context& context, const driver::Device& device,
                         const Session& session, const Job& job, const Problem& problem,
                         const std::string& scratch, int rounds);

}  // namespace barline::tools
