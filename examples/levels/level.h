// SPDX-License-Identifier: Apache-2.0
// What every level's main() does: builds the level's kernel, lowers it, runs it on the CPU
// simulator and compares with the level's reference, bit for bit. Compiled with -DBARLINE_PLUGIN as
// a shared object, the same file serves `barline --plugin`.
#pragma once

#include <fmt/format.h>
#include <bit>
#include <cstring>
#include <exception>

#include "dsl/dsl.h"
#include "dsl/plugin.h"
#include "ir/pipeline.h"
#include "verify/interp/simulate.h"

extern "C" void barline_plugin(barline::dsl::Registry& registry);

namespace level {

using Sizes = std::map<std::string, std::int64_t>;
using Tensors = std::map<std::string, barline::ir::Tensor>;

/// Small whole numbers, which every type holds: 0, 7, 14, .. mod 23, less 11.
inline void fill(barline::ir::Tensor& t) {
  for (std::int64_t i = 0; i < t.count(); ++i) {
    auto value = static_cast<std::int32_t>(i * 7 % 23 - 11);
    if (t.elem == barline::ir::Elem::F32)
      t.as<float>()[i] = static_cast<float>(value);
    else
      std::memcpy(&t.data[i * barline::ir::bytes(t.elem)], &value, barline::ir::bytes(t.elem));
  }
}

inline int barriers(const barline::ir::Kernel& k) {
  int n = 0;
  barline::ir::walk(
      k.body, [&](const barline::ir::Operation& op) { n += op.is(barline::ir::Op::Barrier); });
  return n;
}

struct Options {
  bool debug = false;                                ///< keep print and check
  std::function<void(std::string_view)> print = {};  ///< takes printed lines
};

/// Runs `entry` on the simulator and says whether its outputs are the reference's.
inline bool agrees(const barline::dsl::KernelEntry& entry, const Sizes& sizes,
                   const Options& options) {
  namespace ir = barline::ir;
  auto source = entry.make(entry.types.front());
  barline::dsl::Config config{.schedule = entry.schedules.front(), .debug = options.debug};
  ir::Kernel k = barline::dsl::instantiate(source, config);
  ir::run_pipeline(k);

  Tensors got, want;
  std::vector<barline::verify::SimArgument> arguments;
  for (const ir::Param& p : k.params) {
    std::vector<std::int64_t> shape;
    for (int axis : p.axes) shape.push_back(sizes.at(k.axes[axis].name));
    got[p.name] = ir::Tensor(p.type.elem, shape);
    if (p.access == ir::Access::In) fill(got[p.name]);
  }
  want = got;
  for (const ir::Param& p : k.params) arguments.emplace_back(got.at(p.name));
  std::vector<std::int64_t> dynamic;
  for (const ir::Axis& axis : k.axes) dynamic.push_back(sizes.at(axis.name));
  barline::verify::SimOptions sim;
  sim.print = options.print;
  auto report = barline::verify::simulate(k, arguments, dynamic, sim);
  if (report.finding) {
    fmt::print("{}\n", barline::verify::to_string(*report.finding));
    return false;
  }
  std::map<std::string, double> no_scalars;
  entry.reference({want, no_scalars, sizes, config});
  bool same = true;
  for (const auto& [name, tensor] : want) same = same && got.at(name).data == tensor.data;
  fmt::print("{}: {} barriers, {} lane ops on the simulator, {}\n", entry.name, barriers(k),
             report.counts.lane_ops, same ? "PASS" : "FAIL: not the reference's bits");
  return same;
}

/// main() of a level: every kernel that it registers.
inline int run(const Sizes& sizes, const Options& options = {}) {
  try {
    barline::dsl::Registry registry;
    barline_plugin(registry);
    bool all = true;
    for (const auto& entry : registry.entries()) all = agrees(entry, sizes, options) && all;
    return all ? 0 : 1;
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  }
}

}  // namespace level
