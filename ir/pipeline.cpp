// SPDX-License-Identifier: Apache-2.0
#include "ir/pipeline.h"

#include "ir/check.h"
#define PASS(function, doc) void function(Kernel&);
namespace barline::ir {
#include "ir/passes.def"
}
#undef PASS

namespace barline::ir {
namespace {

constexpr Pass table[] = {
#define PASS(function, doc) {#function, doc, &function},
#include "ir/passes.def"
#undef PASS
};

}  // namespace

std::span<const Pass> passes() { return table; }

void run_pipeline(Kernel& k, const PassObserver& observe) {
  if (observe) observe("input", k);
  for (const Pass& pass : table) {
    pass.run(k);
    check(k);
    if (observe) observe(pass.name, k);
  }
  check_lowered(k);
}

}  // namespace barline::ir
