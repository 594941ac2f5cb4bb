// SPDX-License-Identifier: Apache-2.0
#include "wo_problem.h"

#include <bit>

#include "ir/pipeline.h"

namespace barline::test {

ir::Kernel lowered(const Problem& p) {
  ir::Kernel k = dsl::instantiate(p.source, p.config);
  ir::run_pipeline(k);
  return k;
}

std::vector<verify::SimArgument> arguments(const Problem& p, const ir::Kernel& k,
                                           Tensors& tensors) {
  std::vector<verify::SimArgument> all;
  for (const ir::Param& q : k.params)
    if (q.type.is_pointer())
      all.emplace_back(tensors.at(q.name));
    else
      all.emplace_back(ir::Scalar{
          q.type.elem, std::bit_cast<std::uint32_t>(static_cast<float>(p.scalars.at(q.name)))});
  return all;
}

std::vector<std::int64_t> axis_sizes(const Problem& p, const ir::Kernel& k) {
  std::vector<std::int64_t> sizes;
  for (const ir::Axis& a : k.axes)
    if (!a.bound && a.of < 0) sizes.push_back(p.sizes.at(a.name));
  return sizes;
}

}  // namespace barline::test
