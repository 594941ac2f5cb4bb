// SPDX-License-Identifier: Apache-2.0
#include "tools/measure.h"

#include <algorithm>
#include <random>

#include "runtime/driver/timing.h"

namespace barline::tools {
namespace {

constexpr int max_copies = 4096;

constexpr ir::Schedule copy_schedule{.name = "copy", .threads = 256, .vec = 4, .chunks = 4};

/// y[i] = x[i]: the yardstick of a bandwidth-bound kernel.
const dsl::KernelEntry& copy_kernel() {
  static const dsl::KernelEntry entry{.name = "copy",
                                      .doc = "y[i] = x[i]",
                                      .types = {ir::Elem::U32},
                                      .schedules = {copy_schedule},
                                      .make =
                                          [](ir::Elem e) {
                                            dsl::Axis n{"n"};
                                            dsl::In x{"x", e, {n}};
                                            dsl::Out y{"y", e, {n}};
                                            return dsl::kernel("copy", {x, y}, [=](dsl::Tiles& b) {
                                              b.store(y(dsl::part), b.load(x(dsl::part)));
                                            });
                                          },
                                      .reference = {},
                                      .bytes = {},
                                      .library = {}};
  return entry;
}

/// 0 .. copies-1, over and over, shuffled anew each time round (with a fixed seed).
std::vector<int> visiting_order(int copies, int launches) {
  std::mt19937 random(1);
  std::vector<int> order, once(static_cast<std::size_t>(copies));
  for (int i = 0; i < copies; ++i) once[static_cast<std::size_t>(i)] = i;
  while (static_cast<int>(order.size()) < launches) {
    std::shuffle(once.begin(), once.end(), random);
    order.insert(order.end(), once.begin(), once.end());
  }
  order.resize(static_cast<std::size_t>(launches));
  return order;
}

}  // namespace

int rotation(std::size_t operand_bytes, const MeasureOptions& o) {
  std::size_t n = (o.rotate_bytes + operand_bytes - 1) / std::max<std::size_t>(operand_bytes, 1);
  return static_cast<int>(std::clamp<std::size_t>(n, 2, max_copies));
}

std::size_t operand_bytes(const Problem& problem) {
  std::size_t bytes = 0;
  for (const auto& [name, t] : problem.tensors) bytes += t.data.size();
  return bytes;
}

Timing time_graph(const driver::Device& device, int launches, const MeasureOptions& o,
                  const std::function<void(const driver::Stream&)>& record) {
  driver::Stream stream(device);
  // `record` enqueues all launches itself, so the driver's harness times it once a graph.
  driver::Timing t =
      driver::time_graph(stream, record, {.launches_per_graph = 1, .samples = o.replays});
  return {.median_us = t.median / launches,
          .min_us = t.min / launches,
          .max_us = t.max / launches,
          .copies = 0,
          .launches = launches};
}

Timing time_launches(const driver::Device& device, const Problem& problem,
                     const jit::Prepared& prepared, const MeasureOptions& o) {
  return time_launches(device, DeviceProblem(device, problem, rotation(operand_bytes(problem), o)),
                       prepared, o);
}

Timing time_launches(const driver::Device& device, const DeviceProblem& operands,
                     const jit::Prepared& prepared, const MeasureOptions& o) {
  int launches = std::max(o.min_launches, operands.copies());
  std::vector<int> order = visiting_order(operands.copies(), launches);
  Timing t = time_graph(device, launches, o, [&](const driver::Stream& stream) {
    for (int i : order) operands.launch(prepared, stream.handle(), i);
  });
  t.copies = operands.copies();
  return t;
}

double copy_rate(const driver::Device& device, jit::Runtime& runtime, std::size_t bytes,
                 const MeasureOptions& o) {
  jit::Prepared copy = runtime.prepare(device, copy_kernel(), ir::Elem::U32,
                                       {.schedule = copy_schedule, .label = "copy.u32@copy"});
  int copies = rotation(2 * bytes, o);
  std::vector<driver::Buffer> from, to;
  for (int i = 0; i < copies; ++i) {
    from.emplace_back(device, bytes);
    to.emplace_back(device, bytes);
  }
  std::int64_t words = static_cast<std::int64_t>(bytes / 4);
  int launches = std::max(o.min_launches, copies);
  std::vector<int> order = visiting_order(copies, launches);
  Timing t = time_graph(device, launches, o, [&](const driver::Stream& stream) {
    for (int i : order) {
      auto at = static_cast<std::size_t>(i);
      jit::Argument args[] = {jit::Argument::pointer(from[at].pointer()),
                              jit::Argument::pointer(to[at].pointer())};
      copy.launch(stream.handle(), args, {&words, 1});
    }
  });
  return 2.0 * static_cast<double>(bytes) / t.median_us / 1e3;
}

}  // namespace barline::tools
