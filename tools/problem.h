// SPDX-License-Identifier: Apache-2.0
// A problem: one config with sizes, scalars, inputs and the reference's outputs; what `run`,
// `verify`, `mutate` and `bench` put before a simulator or a GPU.
#pragma once

#include <map>

#include "tools/session.h"
#include "verify/compare.h"

namespace barline::tools {

struct ProblemOptions {
  std::string shape = "sim";                ///< of kernels.yaml; dims that it names
  std::map<std::string, double> set{};      ///< --set: dims and scalars over it
  std::map<std::string, std::string> in{};  ///< parameter -> .npy file
  std::uint64_t seed = 1;
  std::string where = "sim";  ///< `sim` or a target: what may differ there is the register's to say
  bool timing = false;        ///< of regions: the kernel takes a zeroed buffer of samples more
  const ir::Schedule* schedule =
      nullptr;  ///< instead of the job's own; lives as long as the problem
};

struct Problem {
  dsl::Config config;
  ir::Kernel kernel;                          ///< before the passes
  std::map<std::string, std::int64_t> sizes;  ///< of every axis
  std::map<std::string, double> scalars;
  std::map<std::string, ir::Tensor> tensors;   ///< inputs; outputs hold poison
  std::map<std::string, ir::Tensor> expected;  ///< what the reference makes of them, outputs only
  /// Where the register asks for bounds and not for bits: the outputs' in f64.
  std::map<std::string, dsl::ErrorBound> bounds;
  /// References and bounds hold at sample_places(count, stride) of an output.
  std::int64_t stride = 1;
  std::string where = "sim";

  /// Sizes of the axes that do not follow another's, for people.
  std::map<std::string, std::int64_t> own_sizes() const;
  /// Sizes of the dynamic axes, in the kernel's order.
  std::vector<std::int64_t> axis_sizes() const;
  /// The scalar parameter as its type's bits.
  ir::Scalar scalar(const ir::Param& param) const;
};

/// Throws UsageError for a shape, dimension, scalar or file that does not fit the kernel. A problem
/// of more operations than a reference does in seconds is compared at a sample of its outputs, if
/// its reference can leave the others out.
Problem make_problem(const Session& session, const Job& job, const ProblemOptions& options);

/// Throws for a shape, dimension or scalar as make_problem does, and makes no tensor.
void check_sizes(const Session& session, const Job& job, const ProblemOptions& options);

/// True if the config takes the shape's sizes of the axes that it does not bind: their multiples.
bool fits_multiples(const Session& session, const Job& job, const verify::Shape& shape);
bool fits_multiples(const ir::Kernel& kernel, const verify::Shape& shape);
/// The same, and the sizes of those that it binds.
bool fits_shape(const Session& session, const Job& job, const verify::Shape& shape);

/// What a comparison of every written tensor with the expected one, or with its bounds, says.
struct Judgement {
  bool ok = true;
  std::string text;      ///< the maxima, or the first mismatch: tensor, index, got, want, ulp
  std::string tensor{};  ///< of the first mismatch
  std::int64_t index = -1;
};
Judgement judge(const Problem& problem, const std::map<std::string, ir::Tensor>& got,
                const verify::CompareRule& rule);

/// The rule as the comparison takes it.
verify::Tolerance tolerance(const verify::CompareRule& rule);

}  // namespace barline::tools
