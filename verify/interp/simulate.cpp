// SPDX-License-Identifier: Apache-2.0
// Binds arguments to a kernel, compiles it for the launch, lets the workers run its blocks and
// joins what they found. Blocks of different workers meet only in tensors: their shadows are
// compared at the end, since nothing orders two such blocks.
#include "verify/interp/simulate.h"

#include <fmt/format.h>
#include <algorithm>
#include <random>
#include <thread>

#include "ir/diagnostic.h"
#include "ir/extents.h"
#include "verify/interp/compile.h"
#include "verify/interp/machine.h"
#include "verify/interp/value_types.h"

namespace barline::verify {
namespace {

using namespace ir;
using namespace sim;

/// Blocks that are launched: of a persistent kernel some, at most one a tile; whole clusters.
void set_grid(const Kernel& k, Geometry& g, int persistent_blocks) {
  for (int d = 0; d < 3; ++d) {
    g.grid[d] = blocks(k.launch.grid[d], g.axis_sizes);
    g.threads[d] = k.launch.threads[d];
  }
  const std::int64_t cluster = k.launch.cluster;
  if (k.launch.persistent) {
    std::int64_t n =
        std::clamp<std::int64_t>(persistent_blocks, 1, std::max<std::int64_t>(g.blocks(), 1));
    g.grid[0] = g.blocks() ? (n + cluster - 1) / cluster * cluster : 0;
    g.grid[1] = g.grid[2] = 1;
  }
  if (g.grid[0] % cluster)
    fail(Diag::BadLaunch, {},
         fmt::format("a grid of {} blocks along x in clusters of {} in @{}", g.grid[0], cluster,
                     k.name),
         "make the blocks along x a multiple of the cluster");
}

Geometry geometry_of(const Kernel& k, std::span<const std::int64_t> dynamic,
                     int persistent_blocks) {
  Geometry g;
  std::size_t next = 0;
  for (const Axis& a : k.axes) {
    if (is_dynamic(a) && next == dynamic.size())
      fail(Diag::BadDim, {}, fmt::format("no size for axis '{}' of @{}", a.name, k.name),
           "give a size for each axis that is not bound");
    g.axis_sizes.push_back(is_dynamic(a) ? dynamic[next++] : a.bound.value_or(0));
    if (g.axis_sizes.back() < 0 || g.axis_sizes.back() > INT32_MAX)
      fail(Diag::BadDim, {}, fmt::format("axis '{}' of size {}", a.name, g.axis_sizes.back()),
           "give it a size of 0 to 2^31 - 1");
  }
  if (next != dynamic.size())
    fail(Diag::BadDim, {}, fmt::format("{} sizes for {} axes of @{}", dynamic.size(), next, k.name),
         "give one size for each axis that is not bound");
  derive_sizes(k, g.axis_sizes);
  for (std::size_t i = 0; i < k.axes.size(); ++i)
    if (g.axis_sizes[i] > INT32_MAX)
      fail(Diag::BadDim, {}, fmt::format("axis '{}' of size {}", k.axes[i].name, g.axis_sizes[i]),
           fmt::format("make the axis '{}' smaller", k.axes[std::max(k.axes[i].of, 0)].name));
  set_grid(k, g, persistent_blocks);
  return g;
}

/// A tensor that is not as long along a derived axis as the axis it derives from asks for.
void check_derived(const Kernel& k, const Param& p, const Tensor& t, const Geometry& g) {
  for (std::size_t i = 0; i < p.axes.size() && t.shape.size() == p.axes.size(); ++i) {
    const Axis& axis = k.axes[p.axes[i]];
    std::int64_t want = g.axis_sizes[p.axes[i]];
    if (axis.of < 0 || t.shape[i] == want) continue;
    fail(Diag::BadDim, p.loc,
         fmt::format("tensor '{}' has {} along axis '{}'", p.name, t.shape[i], axis.name),
         fmt::format("pass {} = ceil({} / {}) * {}: the axis derives from '{}', which is {} here",
                     want, g.axis_sizes[axis.of], axis.per, axis.times, k.axes[axis.of].name,
                     g.axis_sizes[axis.of]));
  }
}

void check_argument(const Kernel& k, const Param& p, const SimArgument& a, const Geometry& g) {
  if (p.type.is_pointer() != (a.tensor != nullptr))
    fail(Diag::BadCall, p.loc,
         fmt::format("parameter '{}' is a {}", p.name, a.tensor ? "scalar" : "tensor"),
         "pass the kind of argument that the parameter is");
  Elem elem = a.tensor ? a.tensor->elem : a.scalar.elem;
  if (elem != p.type.elem)
    fail(Diag::TypeMismatch, p.loc,
         fmt::format("an argument of {} for '{}' of {}", name(elem), p.name, name(p.type.elem)),
         "pass the parameter's element type");
  if (!a.tensor) return;
  check_derived(k, p, *a.tensor, g);
  std::int64_t want = 1;
  for (int axis : p.axes) want *= g.axis_sizes[axis];
  if (a.tensor->count() != want ||
      a.tensor->data.size() < static_cast<std::size_t>(a.tensor->byte_size()))
    fail(Diag::BadDim, p.loc,
         fmt::format("a tensor of {} elements for '{}' of {}", a.tensor->count(), p.name, want),
         "pass a tensor of the shape that the axes' sizes give");
}

/// The distinct tensors, and for each parameter the index of its own (-1: a scalar).
std::vector<int> bind_tensors(const Kernel& k, std::span<const SimArgument> arguments,
                              std::vector<Memory>& memories) {
  std::vector<int> tensor_of_param;
  for (std::size_t i = 0; i < k.params.size(); ++i) {
    Tensor* t = arguments[i].tensor;
    tensor_of_param.push_back(-1);
    if (!t) continue;
    auto known = std::find_if(memories.begin(), memories.end(),
                              [&](const Memory& m) { return m.tensor == t; });
    tensor_of_param.back() = static_cast<int>(known - memories.begin());
    if (known == memories.end()) known = memories.insert(known, {t, t->count()});
    known->written |= k.params[i].access != ir::Access::In;
    known->writes_only &= k.params[i].access == ir::Access::Out;
  }
  return tensor_of_param;
}

void poison_outputs(const std::vector<Memory>& memories) {
  for (const Memory& m : memories)
    if (m.writes_only) std::fill(m.tensor->data.begin(), m.tensor->data.end(), std::byte{0xA5});
}

void order_blocks(Machine& m) {
  const std::int64_t cluster = m.program->kernel->launch.cluster;
  for (std::int64_t b = 0; b < m.program->geometry.blocks(); b += cluster)
    m.block_order.push_back(b);
  if (m.options->order == WarpOrder::Reverse)
    std::reverse(m.block_order.begin(), m.block_order.end());
  if (m.options->order == WarpOrder::Random)
    std::shuffle(m.block_order.begin(), m.block_order.end(), std::mt19937_64(m.options->seed));
}

/// Runs all blocks on as many host threads as the kernel allows; the workers when they are done.
std::vector<std::unique_ptr<Worker>> run_workers(Machine& m) {
  bool alone = m.program->kernel->launch.cooperative || m.program->blocks_talk;
  std::int64_t cores = alone ? 1 : std::clamp<std::int64_t>(m.options->cores, 1, 64);
  cores = std::clamp<std::int64_t>(std::ssize(m.block_order), 1, cores);
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::int64_t i = 0; i < cores; ++i)
    workers.push_back(
        std::make_unique<Worker>(m, m.options->seed + static_cast<std::uint64_t>(i) * 0x51ED270B));
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < workers.size(); ++i)
    threads.emplace_back([&workers, i] { workers[i]->run(); });
  workers[0]->run();
  threads.clear();
  return workers;
}

/// A race between blocks that different workers ran.
std::optional<Finding> race_between(const Machine& m, const Worker& a, const Worker& b) {
  for (std::size_t t = 0; t < m.memories.size(); ++t) {
    if (!m.memories[t].written) continue;
    for (std::int64_t cell = 0; cell < a.shadows[t].cells(); ++cell) {
      const Stamp* in_a = a.shadows[t].any_access(cell);
      const Stamp* in_b = b.shadows[t].any_access(cell);
      if (!in_a || !in_b) continue;
      if (in_a->touch < Touch::StrongWrite && in_b->touch < Touch::StrongWrite) continue;
      const Program& p = *m.program;
      Finding f;
      f.kind = FindingKind::Race;
      f.kernel = p.kernel->name;
      f.here = site_of(p, in_a->pc, in_a->warp, std::countr_zero(in_a->who));
      f.other = site_of(p, in_b->pc, in_b->warp, std::countr_zero(in_b->who));
      Elem elem = m.memories[t].tensor->elem;
      f.element = is_packed(elem) ? cell * 2 : cell;
      f.address = cell * bytes(elem);
      for (const sim::Access& access : p.accesses)
        if (access.tensor == static_cast<int>(t)) f.root = p.kernel->params[access.param].name;
      for (const sim::Access& access : p.accesses)
        for (const sim::Access::Choice& c : access.choices)
          if (c.tensor == static_cast<int>(t)) f.root = p.kernel->params[c.param].name;
      f.message =
          fmt::format("two blocks access element {} of '{}' without an order", f.element, f.root);
      return f;
    }
  }
  return std::nullopt;
}

std::optional<Finding> first_finding(const Machine& m,
                                     std::vector<std::unique_ptr<Worker>>& workers) {
  auto first = std::min_element(workers.begin(), workers.end(), [](const auto& a, const auto& b) {
    return a->finding_position < b->finding_position;
  });
  if ((*first)->finding) return std::move((*first)->finding);
  if (!m.options->detect_races) return std::nullopt;
  for (std::size_t i = 0; i < workers.size(); ++i)
    for (std::size_t j = i + 1; j < workers.size(); ++j)
      if (auto f = race_between(m, *workers[i], *workers[j])) return f;
  return std::nullopt;
}

std::vector<std::int64_t> writers_of(const Machine& m, int tensor,
                                     const std::vector<std::unique_ptr<Worker>>& workers) {
  const Memory& memory = m.memories[tensor];
  const Geometry& g = m.program->geometry;
  auto warps = static_cast<std::uint32_t>(g.warps());
  bool packed = is_packed(memory.tensor->elem);
  std::vector<std::int64_t> writers(static_cast<std::size_t>(memory.count), -1);
  for (std::int64_t i = 0; i < memory.count; ++i)
    for (const auto& worker : workers)
      if (const Stamp* s = worker->shadows[tensor].last_write(packed ? i / 2 : i))
        writers[i] = std::int64_t{s->warp / warps} * g.block_threads() + (s->warp % warps) * lanes +
                     std::countr_zero(s->who);
  return writers;
}

}  // namespace

SimReport simulate(const Kernel& k, std::span<const SimArgument> arguments,
                   std::span<const std::int64_t> axis_sizes, const SimOptions& options) {
  Geometry geometry = geometry_of(k, axis_sizes, options.persistent_blocks);
  if (arguments.size() != k.params.size())
    fail(Diag::BadCall, {},
         fmt::format("{} arguments for {} parameters of @{}", arguments.size(), k.params.size(),
                     k.name),
         "pass one argument a parameter, in order");
  for (std::size_t i = 0; i < arguments.size(); ++i)
    check_argument(k, k.params[i], arguments[i], geometry);
  Machine m;
  std::vector<int> tensor_of_param = bind_tensors(k, arguments, m.memories);
  if (options.poison) poison_outputs(m.memories);
  Compiler compiler(k, geometry, arguments, tensor_of_param, options.syncs_placed);
  compiler.leave_before(options.leave_before);
  const Program program = compiler.run();
  for (const sim::Access& a : program.accesses) {
    if (a.tensor >= 0 && a.strong()) m.memories[a.tensor].writes_only = false;
    for (const sim::Access::Choice& c : a.choices)
      if (a.strong()) m.memories[c.tensor].writes_only = false;
  }
  m.program = &program;
  m.options = &options;
  order_blocks(m);
  auto workers = run_workers(m);
  SimReport report;
  report.approximate = program.approximate;
  report.finding = first_finding(m, workers);
  for (const auto& w : workers) {
    report.counts.lane_ops += w->counts.lane_ops;
    report.counts.warp_steps += w->counts.warp_steps;
    report.counts.blocks += w->counts.blocks;
    report.counts.barriers += w->counts.barriers;
  }
  for (std::size_t i = 0; options.record_writers && i < k.params.size(); ++i) {
    bool written = k.params[i].type.is_pointer() && k.params[i].access != ir::Access::In;
    report.writers.push_back(written ? writers_of(m, tensor_of_param[i], workers)
                                     : std::vector<std::int64_t>{});
  }
  return report;
}

}  // namespace barline::verify
