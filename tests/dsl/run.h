// SPDX-License-Identifier: Apache-2.0
// Runs a kernel of the DSL on the simulator, as written and as lowered; both must agree.
#pragma once

#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "dsl/dsl.h"
#include "ir/passes/place_syncs.h"
#include "ir/pipeline.h"
#include "verify/interp/simulate.h"

namespace barline::test {

template <class T>
ir::Tensor host(ir::Elem e, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  ir::Tensor t(e, std::move(shape));
  std::memcpy(t.data.data(), values.data(), std::min(t.data.size(), values.size() * sizeof(T)));
  return t;
}

template <class T>
std::vector<T> values(const ir::Tensor& t) {
  std::vector<T> v(t.data.size() / sizeof(T));
  std::memcpy(v.data(), t.data.data(), v.size() * sizeof(T));
  return v;
}

/// What a run of the lowered kernel counts.
struct Ran {
  int barriers = 0;             ///< that stand in the code
  double barriers_a_block = 0;  ///< that a block completes
};

/// Runs `source` on the arguments; the lowered kernel's results stay in them.
inline Ran run(const dsl::KernelSource& source, std::vector<verify::SimArgument> args,
               const std::vector<std::int64_t>& sizes, const dsl::Config& config = {}) {
  ir::Kernel written = dsl::instantiate(source, config);
  ir::Kernel lowered = written;
  ir::run_pipeline(lowered);
  std::vector<ir::Tensor> first, second;
  std::vector<ir::Tensor*> tensors;
  for (const verify::SimArgument& a : args)
    if (a.tensor) tensors.push_back(a.tensor), first.push_back(*a.tensor);
  verify::SimReport r = verify::simulate(lowered, args, sizes, {});
  if (r.finding) FAIL(verify::to_string(*r.finding));
  for (std::size_t i = 0; i < tensors.size(); ++i)
    second.push_back(*tensors[i]), *tensors[i] = first[i];
  verify::SimReport w = verify::simulate(written, args, sizes, {.syncs_placed = false});
  if (w.finding) FAIL(verify::to_string(*w.finding));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    CHECK(tensors[i]->data == second[i].data);
    *tensors[i] = std::move(second[i]);
  }
  return {ir::count_barriers(lowered),
          static_cast<double>(r.counts.barriers) / static_cast<double>(r.counts.blocks)};
}

}  // namespace barline::test
