// SPDX-License-Identifier: Apache-2.0
// The kernel library as a plugin, for hosts that compile from it.
#include "dsl/plugin.h"

#include "kernels/kernels.h"

extern "C" [[gnu::visibility("default")]] void barline_plugin(barline::dsl::Registry& registry) {
  barline::kernels::register_all(registry);
}
