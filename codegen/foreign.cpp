// SPDX-License-Identifier: Apache-2.0
#include "codegen/foreign.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <numeric>

#include "codegen/cubin/check.h"
#include "codegen/cubin/frames.h"
#include "codegen/report/ptxas_log.h"

namespace barline::codegen {
namespace {

const KernelRecord& pick(const Cubin& cubin, std::string_view entry) {
  std::string names;
  for (const KernelRecord& k : cubin.kernels()) {
    if (entry.empty() ? cubin.kernels().size() == 1 : k.name == entry) return k;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", k.name);
  }
  if (names.empty()) throw NoSuchKernel("it holds no kernel; compile it with one");
  if (entry.empty()) {
    throw UnnamedKernel(fmt::format(
        "it holds several kernels ({}), and none is named; add one as `entry:`", names));
  }
  throw NoSuchKernel(fmt::format("it holds no kernel '{}'; it holds {}", entry, names));
}

int product(const std::vector<int>& extents) {
  return extents.empty() ? 0
                         : std::accumulate(extents.begin(), extents.end(), 1, std::multiplies{});
}

/// What both kinds of file say through the cubin.
ForeignKernel from_record(const KernelRecord& record) {
  ForeignKernel k;
  k.entry = record.name;
  k.registers = record.registers.value_or(0);
  k.smem_static = record.smem_static;
  k.barriers = record.barriers.value_or(0);
  k.required_threads = product(record.required_threads);
  k.max_threads = product(record.max_threads);
  return k;
}

/// Bytes of stack as far as the cubin says. From sm_90 on ptxas writes the kernel's own frame over
/// its callees' in .nv.info, so a cubin that calls must have the unwind table.
int stack_of(const Cubin& cubin, const KernelRecord& record) {
  const std::optional<int> unwound = deepest_frame(cubin, record);
  if (!unwound && cubin.sm() >= 90 && !record.callees.empty()) {
    throw CubinError(
        fmt::format("it does not say how much stack '{}' takes, which '{}' calls; keep its "
                    ".debug_frame section, or name the PTX",
                    record.callees.front(), record.name));
  }
  return std::max({record.frame.value_or(0), record.min_stack.value_or(0),
                   record.callee_frame.value_or(0), unwound.value_or(0)});
}

/// Codes of the losses that name the kernel or a callee, or name no function at all.
std::vector<std::string> losses(const PtxasLog& log, const ResourceReport& report) {
  std::vector<std::string> out;
  auto add = [&](const Note& note) {
    bool seen = std::ranges::find(out, note.code) != out.end();
    if (note.performance_loss && !seen) out.push_back(note.code);
  };
  std::ranges::for_each(report.notes, add);
  for (const Note& note : log.notes)
    if (note.function.empty()) add(note);
  return out;
}

int sm_number(std::string_view target) {
  int sm = 0;
  std::string_view digits = target.substr(std::min<std::size_t>(3, target.size()));
  std::from_chars(digits.data(), digits.data() + digits.size(), sm);
  return sm;
}

}  // namespace

ForeignKernel measure_ptx(std::string_view ptx, std::string_view entry, const std::string& target,
                          const Ptxas& ptxas) {
  Assembled assembled = ptxas.assemble(ptx, {.sm = target, .fmad = true});
  const Cubin cubin = Cubin::parse(assembled.cubin);
  const KernelRecord& record = pick(cubin, entry);
  const PtxasLog log = parse_ptxas_log(assembled.log);
  const ResourceReport report = log.verdict(record.name, record.callees);
  ForeignKernel k = from_record(record);
  k.registers = report.registers;
  k.stack = std::max(report.stack, report.cumulative_stack);
  k.smem_static = report.smem_static;
  k.barriers = report.barriers;
  k.spill_stores = report.spill_stores;
  k.spill_loads = report.spill_loads;
  k.notes = losses(log, report);
  k.conflicts = check_against(report, record);
  k.ms = assembled.ms;
  return k;
}

ForeignKernel measure_cubin(std::span<const std::byte> bytes, std::string_view entry,
                            std::string_view target) {
  const Cubin cubin = Cubin::parse(bytes);
  if (cubin.relocatable()) {
    throw CubinError(
        "it is a relocatable object, and its callees are not counted before they are linked in; "
        "link it first (nvlink, or nvcc without -rdc=true)");
  }
  if (cubin.sm() != 0 && cubin.sm() != sm_number(target)) {
    throw CubinError(fmt::format("it is for sm_{}, and the budget is for {}", cubin.sm(), target));
  }
  const KernelRecord& record = pick(cubin, entry);
  if (!record.registers)
    throw CubinError(fmt::format("it has no register count of '{}'", record.name));
  ForeignKernel k = from_record(record);
  k.stack = stack_of(cubin, record);
  return k;
}

}  // namespace barline::codegen
