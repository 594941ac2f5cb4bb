// SPDX-License-Identifier: Apache-2.0
// Problems of the output projection at sizes that the simulator runs in a moment.
#pragma once

#include "tests/kernels/problem.h"

namespace barline::test {

struct WoSizes {
  std::int64_t batch = 2, n = 140, k = 512, slices = 8, split = 4;
};

/// The registered kernel of that name.
inline Problem wo_problem(const std::string& name, WoSizes s, float global_scale = 0.0123f) {
  static constexpr ir::Schedule bound{
      .name = "cta128_wo_split", .threads = 128, .budget = {.ctas_per_sm = 4}};
  Problem p(
      name, ir::Elem::BF16, bound,
      {{"B", s.batch}, {"N", s.n}, {"K", s.k}, {"slice_ctas", s.slices}, {"wo_split", s.split}});
  p.scalars["global_scale"] = global_scale;
  return p;
}

/// The lowered kernel of the problem.
ir::Kernel lowered(const Problem& p);
/// Its arguments in `tensors`, and the sizes of axes that are not bound.
std::vector<verify::SimArgument> arguments(const Problem& p, const ir::Kernel& k, Tensors& tensors);
std::vector<std::int64_t> axis_sizes(const Problem& p, const ir::Kernel& k);

}  // namespace barline::test
