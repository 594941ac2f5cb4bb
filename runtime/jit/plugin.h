// SPDX-License-Identifier: Apache-2.0
// Loads kernels: a shared object that exports
//   extern "C" void barline_plugin(barline::dsl::Registry&);
// and includes dsl/plugin.h, which stamps it with the ABI that it was compiled for.
#pragma once

#include <string>

#include "dsl/registry.h"

namespace barline::jit {

/// Opens `path`, checks its stamp and lets it add its kernels. It is never closed: its kernels are
/// code. Throws std::invalid_argument that names the file, the rule and the fix.
void load_plugin(const std::string& path, dsl::Registry& registry);

}  // namespace barline::jit
