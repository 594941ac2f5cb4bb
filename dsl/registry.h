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
};

struct KernelEntry {
  std::string name;                     ///< family: "rms_norm"
  std::string doc;                      ///< one line
  std::vector<Elem> types;              ///< the first is the default
  std::vector<ir::Schedule> schedules;  ///< the first is the default
  std::function<KernelSource(Elem)> make;
  std::function<void(ReferenceArgs)> reference;
  /// Bytes that a run of these sizes must move (for bandwidth figures).
  std::function<double(Elem, const std::map<std::string, std::int64_t>&)> bytes;
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
