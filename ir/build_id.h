// SPDX-License-Identifier: Apache-2.0
// The build id that the linker wrote into a shared object: what tells one build of a library from
// another in cache keys.
#pragma once

#include <string>

namespace barline::ir {

/// In hex, of the loaded object that holds the address; empty where it has none.
std::string build_id(const void* address);

}  // namespace barline::ir
