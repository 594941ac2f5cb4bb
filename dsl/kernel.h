// SPDX-License-Identifier: Apache-2.0
// KernelSource: what an author writes (parameters and a body); instantiate() runs the body under a
// config {schedule, bound dims} and gives the kernel's IR before any pass.
#pragma once

#include <map>

#include "dsl/thread.h"
#include "dsl/tiles.h"

namespace barline::dsl {

/// A listed parameter: a tensor, a scalar or a quantised weight.
using ParamRef = std::variant<Tensor, Arg, Quantised>;
struct ParamList {
  std::vector<ParamRef> items;
  ParamList(std::initializer_list<ParamRef> items) : items(items) {}
};

/// Blocks along one grid dimension: ceil(size(axis) / per_block), or a count.
struct Blocks {
  std::optional<Axis> axis;
  std::int64_t per_block = 1;
  std::int64_t count = 1;
  Blocks(std::int64_t count) : count(count) {}
  Blocks(int count) : count(count) {}
  Blocks(Axis axis, std::int64_t per_block = 1) : axis(std::move(axis)), per_block(per_block) {}
};

/// Launch shape of a thread-level kernel, in 1 to 3 dimensions. No threads: the schedule's.
struct LaunchShape {
  std::vector<std::int32_t> threads{};
  std::vector<Blocks> grid{};
  bool cooperative = false;
};

struct KernelSource {
  std::string name;
  std::vector<ParamRef> params;
  std::optional<LaunchShape> launch;  ///< thread-level kernels only
  std::function<void(Tiles&)> tile_body;
  std::function<void(Thread&)> thread_body;
  ir::Loc loc;
};

/// A tile kernel: launch shape, layouts, copies and barriers follow from the schedule.
KernelSource kernel(std::string name, ParamList params, std::function<void(Tiles&)> body,
                    Here here = Here::current());
/// A thread-level kernel over a launch shape.
KernelSource kernel(std::string name, ParamList params, LaunchShape launch,
                    std::function<void(Thread&)> body, Here here = Here::current());

/// What names, budgets and the cache key speak of, beside the kernel and its element type.
struct Config {
  ir::Schedule schedule{.name = "default"};
  std::map<std::string, std::int64_t> dims{};  ///< axes bound at compile time
  std::string label{};                         ///< "family.type@schedule", for people
  bool debug = false;                          ///< keep print and check
  bool timing = false;                         ///< take the time of regions (Kernel::timed)
};

/// Builds the kernel's IR: checked, before any pass. Throws ir::Error at the author's source line.
ir::Kernel instantiate(const KernelSource& source, const Config& config);

}  // namespace barline::dsl
