// SPDX-License-Identifier: Apache-2.0
// Judgement is pure: rows in, rows out. Barriers are held per schedule: where element types differ
// in their count, the budget is the largest, and only a lower largest one is an improvement.
#include "verify/gate/gate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace barline::verify {
namespace {

using BarrierMax = std::map<std::pair<std::string, std::string>, int>;

BarrierMax largest_barriers(const std::vector<ResourceRow>& rows) {
  BarrierMax out;
  for (const ResourceRow& r : rows) {
    int& most = out[{r.kernel, r.schedule}];
    if (r.error.empty()) most = std::max(most, r.barriers);
  }
  return out;
}

/// Collects the worst verdict and the reason of every figure that differs.
class Judge {
 public:
  explicit Judge(GateRow& row) : row_(row) {}

  void set(GateVerdict v, const std::string& reason) {
    row_.verdict = std::max(row_.verdict, v);
    if (!row_.reason.empty()) row_.reason += "; ";
    row_.reason += reason;
  }

  void figure(std::string_view what, int got, int budget) {
    if (got > budget) set(GateVerdict::Over, fmt::format("{} {} > {}", what, got, budget));
    if (got < budget) set(GateVerdict::Improved, fmt::format("{} {} < {}", what, got, budget));
  }

 private:
  GateRow& row_;
};

void judge_figures(GateRow& row, int barriers_of_schedule) {
  const ResourceRow& m = row.measured;
  Judge judge(row);
  judge.figure("registers", m.registers, row.budget.registers);
  judge.figure("spills", std::max(m.spill_stores, m.spill_loads), row.budget.spills);
  judge.figure("smem", m.smem, row.budget.smem);
  judge.figure("stack", m.stack, row.budget.stack);
  if (m.barriers > row.budget_barriers || barriers_of_schedule < row.budget_barriers) {
    judge.figure("barriers", m.barriers, row.budget_barriers);
  }
  if (m.barriers_per_step && row.budget_barriers_per_step) {
    judge.figure("barriers_per_step", *m.barriers_per_step, *row.budget_barriers_per_step);
  } else if (m.barriers_per_step) {
    judge.set(GateVerdict::New, "barriers_per_step has no budget");
  } else if (row.budget_barriers_per_step) {
    judge.set(GateVerdict::Broken, "barriers_per_step is pinned, and there is no staged loop");
  }
}

/// What no budget allows: witnesses that disagree, and advice that the schedule's promise is lost.
void judge_witnesses(GateRow& row) {
  const ResourceRow& m = row.measured;
  Judge judge(row);
  for (const std::string& conflict : m.conflicts) judge.set(GateVerdict::Broken, conflict);
  for (const std::string& code : m.notes) {
    judge.set(GateVerdict::Broken, fmt::format("ptxas notes a loss of performance ({})", code));
  }
  if (m.bars && *m.bars != m.barriers) {
    judge.set(GateVerdict::Broken,
              fmt::format("{} barriers in the machine code, {} in the IR", *m.bars, m.barriers));
  }
  bool may_use_local = row.budget.stack > 0 || row.budget.spills > 0;
  if (m.local_accesses && *m.local_accesses > 0 && !may_use_local) {
    judge.set(GateVerdict::Broken,
              fmt::format("{} accesses of local memory in the machine code", *m.local_accesses));
  }
}

void judge_row(GateRow& row, const RegistryFile& registry, const GateOptions& options,
               const BarrierMax& barriers) {
  const ResourceRow& m = row.measured;
  Judge judge(row);
  if (options.assembler.empty()) return judge.set(GateVerdict::NoPtxas, "not measured");
  if (!m.error.empty()) return judge.set(GateVerdict::Missing, m.error);
  if (options.assembler != registry.assembler) {
    judge.set(GateVerdict::Assembler,
              fmt::format("the budgets hold for {}, this is {}; re-pin with --update",
                          registry.assembler, options.assembler));
  }
  judge_witnesses(row);
  const KernelEntry* kernel = registry.kernel(m.kernel);
  const ScheduleEntry* schedule = kernel ? kernel->schedule(m.schedule) : nullptr;
  const BudgetRow* budget = schedule ? schedule->budget(m.type, m.target) : nullptr;
  if (!budget) return judge.set(GateVerdict::New, "no budget; pin it with --update");
  row.budget = *budget;
  row.budget_barriers = schedule->barriers;
  row.budget_barriers_per_step = schedule->barriers_per_step;
  judge_figures(row, barriers.at({m.kernel, m.schedule}));
}

}  // namespace

std::string config_name(const std::string& kernel, const std::string& type,
                        const std::string& schedule) {
  std::string out = kernel;
  if (!type.empty()) out += "." + type;
  if (!schedule.empty()) out += "@" + schedule;
  return out;
}

std::string ResourceRow::config() const { return config_name(kernel, type, schedule); }

std::string_view name(GateVerdict v) {
  constexpr std::string_view names[] = {"OK",     "IMPROVED",  "NEW",      "OVER",
                                        "BROKEN", "ASSEMBLER", "NO PTXAS", "MISSING"};
  return names[static_cast<int>(v)];
}

GateReport judge(const RegistryFile& registry, const std::vector<ResourceRow>& measured,
                 const GateOptions& options) {
  GateReport report;
  report.file = registry.file;
  report.pinned_assembler = registry.assembler;
  report.assembler = options.assembler;
  BarrierMax barriers = largest_barriers(measured);
  for (const ResourceRow& m : measured) {
    GateRow row;
    row.measured = m;
    judge_row(row, registry, options, barriers);
    row.fails = row.verdict > GateVerdict::Improved ||
                (row.verdict == GateVerdict::Improved && options.improved_fails);
    report.failures += row.fails;
    report.improved += row.verdict == GateVerdict::Improved;
    report.rows.push_back(std::move(row));
  }
  return report;
}

std::vector<Pin> pins_of(const std::vector<ResourceRow>& measured) {
  std::vector<Pin> pins;
  for (const ResourceRow& m : measured) {
    if (!m.error.empty() || !m.conflicts.empty()) continue;
    pins.push_back({.kernel = m.kernel,
                    .schedule = m.schedule,
                    .type = m.type,
                    .target = m.target,
                    .registers = m.registers,
                    .spills = std::max(m.spill_stores, m.spill_loads),
                    .smem = m.smem,
                    .stack = m.stack,
                    .barriers = m.barriers,
                    .barriers_per_step = m.barriers_per_step});
  }
  return pins;
}

}  // namespace barline::verify
