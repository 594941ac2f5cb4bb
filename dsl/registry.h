// SPDX-License-Identifier: Apache-2.0
// Registry: the kernels that a library or a plugin offers, each with its element types, schedules
// and reference. Shapes, tolerances and budgets stand in kernels.yaml.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "dsl/kernel.h"
#include "ir/tensor.h"

namespace barline::dsl {

/// What a reference computes from: host tensors and scalars by parameter name, axis sizes, and the
/// config, since a float reduction's order follows from it.
struct ReferenceArgs {
  std::map<std::string, ir::Tensor>& tensors;  ///< inputs filled; writes its outputs here
  const std::map<std::string, double>& scalars;
  const std::map<std::string, std::int64_t>& sizes;
  const Config& config;
  /// Of each output only the elements at sample_places(count, stride) are asked for; 1: all. A
  /// reference may compute more.
  std::int64_t stride = 1;
};

/// Bounds of an output: value[i] and the largest error that rounding explains, of the element at
/// place i of sample_places(count, stride).
struct ErrorBound {
  std::vector<double> value, slack;
};

/// One input tensor to be generated. `random` is the tool's generator: elements of that type, shape
/// and name, spread over the type's range (floats over [-2, 2)).
struct InputArgs {
  const std::string& name;
  ir::Tensor& tensor;  ///< of the parameter's type and shape; zeros
  const std::map<std::string, std::int64_t>& sizes;
  const Config& config;
  const std::function<ir::Tensor(Elem, std::vector<std::int64_t>, std::string_view)>& random;
};

using SizedFigure = std::function<double(Elem, const std::map<std::string, std::int64_t>&)>;

struct KernelEntry {
  std::string name;                     ///< family: "rms_norm"
  std::string doc;                      ///< one line
  std::vector<Elem> types;              ///< the first is the default
  std::vector<ir::Schedule> schedules;  ///< the first is the default
  std::function<KernelSource(Elem)> make;
  std::function<void(ReferenceArgs)> reference;
  /// Bytes that a run of these sizes must move (for bandwidth figures).
  SizedFigure bytes;
  /// Floating-point or integer operations of a run, a multiply-add as two; none: not a figure of
  /// this kernel.
  SizedFigure flops{};
  /// Fills an input that plain random elements would not do for; false: they do.
  std::function<bool(const InputArgs&)> input{};
  /// The outputs in f64 from the inputs alone, with error bounds, by parameter name.
  std::function<std::map<std::string, ErrorBound>(const ReferenceArgs&)> bound{};
  /// Operations of the reference for one sampled element, where these are more than the element's
  /// share of `flops` (a row that is computed for one of its elements).
  SizedFigure sample_flops{};
  std::string library{};  ///< build id of the object it came in; set by add
};

class Registry {
 public:
  /// The entries to come are from the shared object that holds this address. Its build id tells a
  /// cache the kernels of one build from those of another.
  void from_library(const void* address);
  /// Throws std::invalid_argument on a name that is taken.
  void add(KernelEntry entry);
  const std::vector<KernelEntry>& entries() const { return entries_; }
  const KernelEntry* find(std::string_view name) const;

 private:
  std::vector<KernelEntry> entries_;
  std::string library_;
};

}  // namespace barline::dsl
