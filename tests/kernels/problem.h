// SPDX-License-Identifier: Apache-2.0
// A run of a library kernel on the host: inputs for a config and sizes, the reference, the
// simulator before and after the passes, and a comparison bit by bit.
#pragma once

#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "dsl/registry.h"
#include "verify/interp/simulate.h"

namespace barline::test {

using Sizes = std::map<std::string, std::int64_t>;
using Scalars = std::map<std::string, double>;
using Tensors = std::map<std::string, ir::Tensor>;

const std::vector<dsl::KernelEntry>& all_entries();
const dsl::KernelEntry& entry(const std::string& name);

/// The sizes, each rounded up to what the kernel under the schedule takes.
Sizes rounded_up(const std::string& name, ir::Elem type, const ir::Schedule& schedule, Sizes sizes);

struct Problem {
  const dsl::KernelEntry* kernel;
  dsl::Config config;
  dsl::KernelSource source;
  Sizes sizes;  ///< of every axis
  Scalars scalars;
  Tensors tensors;

  /// Inputs are the kernel's own or random normals (8-bit integers: the whole range), outputs zero.
  /// A schedule that binds an axis, as "_d8192" in its name says, binds it to the given size. Axes
  /// that follow others need no size.
  Problem(const std::string& name, ir::Elem type, const ir::Schedule& schedule, Sizes sizes);

  std::vector<float> get(const std::string& tensor) const;
  void set(const std::string& tensor, std::int64_t i, double value);
  /// Fills a tensor by element.
  void fill(const std::string& tensor, const std::function<double(std::int64_t)>& value);

  /// Runs the reference into `tensors`.
  void refer();
  /// Runs the simulator on a copy of the inputs, as written (its order bound) or, `lowered`, after
  /// all passes. Requires a clean run.
  Tensors simulated(bool lowered) const;
  /// Runs this kernel, made from `source`, on a copy of the inputs. Requires a clean run.
  Tensors run(const ir::Kernel& kernel, const verify::SimOptions& options) const;
};

/// "name[i]: got .. want .." for the first element whose bits differ (NaN equal), or "".
std::string first_difference(const Tensors& got, const Tensors& want);

/// Error bound of one rounding to `type`, relative.
inline double half_ulp(ir::Elem type) {
  return type == ir::Elem::F32 ? 0x1p-24 : type == ir::Elem::F16 ? 0x1p-11 : 0x1p-8;
}

}  // namespace barline::test
