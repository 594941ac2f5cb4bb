// SPDX-License-Identifier: Apache-2.0
// The pipeline: passes.def in order, the checker after every pass.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "ir/kernel.h"

namespace barline::ir {

struct Pass {
  std::string_view name;
  std::string_view doc;
  void (*run)(Kernel&);
};

/// The rows of passes.def.
std::span<const Pass> passes();

/// Called with "input" before the first pass, then with each pass' name after it has run.
using PassObserver = std::function<void(std::string_view, const Kernel&)>;

/// Takes a kernel from instantiate() to thread level, ready for codegen, the proof and the
/// simulator. Throws Error where a pass refuses the kernel or leaves it broken.
void run_pipeline(Kernel& k, const PassObserver& observe = {});

}  // namespace barline::ir
