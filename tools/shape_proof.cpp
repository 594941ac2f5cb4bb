// SPDX-License-Identifier: Apache-2.0
#include "tools/shape_proof.h"

namespace barline::tools {

verify::ProofReport prove_at_sim_shape(const ir::Kernel& lowered, const Job& job) {
  verify::ProofOptions options;
  options.minimal = false;
  if (const verify::Shape* sim = job.kernel->shape("sim")) {
    for (const verify::Dim& d : sim->dims) options.sizes[d.name] = d.value;
  }
  return verify::prove(lowered, options);
}

}  // namespace barline::tools
