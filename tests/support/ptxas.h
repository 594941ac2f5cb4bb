// SPDX-License-Identifier: Apache-2.0
// The assembler that the tests labelled ptxas use: where the environment says, or the toolkit's.
#pragma once

#include "codegen/assembler/ptxas.h"
#include "runtime/options.h"

namespace barline::test {

inline codegen::Ptxas find_ptxas() {
  runtime::Options options = runtime::options_from_environment();
  return codegen::Ptxas::find(
      {.explicit_path = options.ptxas.string(), .cuda_home = options.cuda_home.string()});
}

}  // namespace barline::test
