// SPDX-License-Identifier: Apache-2.0
// Judgement is pure: rows in, rows out. What is counted on the IR is held per schedule: where
// element types differ in it, the budget is the largest, and only a lower largest one is an
// improvement.
#include "verify/gate/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace barline::verify {
namespace {

/// The largest counts of a schedule over the rows that have a record.
struct OnIr {
  int barriers = 0, bank_conflicts = 0;
};
using LargestOnIr = std::map<std::pair<std::string, std::string>, OnIr>;

LargestOnIr largest_on_ir(const std::vector<ResourceRow>& rows) {
  LargestOnIr out;
  for (const ResourceRow& r : rows) {
    OnIr& most = out[{r.kernel, r.schedule}];
    if (!r.error.empty()) continue;
    most.barriers = std::max(most.barriers, r.barriers);
    most.bank_conflicts = std::max(most.bank_conflicts, r.bank_conflicts.value_or(0));
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
    if (got > budget) set(GateVerdict::Worse, fmt::format("{} {} > {}", what, got, budget));
    if (got < budget) set(GateVerdict::Improved, fmt::format("{} {} < {}", what, got, budget));
  }

  /// A figure whose budget stands once for rows of which `largest` is the most.
  void shared_figure(std::string_view what, int got, int largest, int budget) {
    if (got > budget || largest < budget) figure(what, got, budget);
  }

 private:
  GateRow& row_;
};

void judge_on_ir(GateRow& row, const OnIr& largest) {
  const ResourceRow& m = row.measured;
  Judge judge(row);
  judge.shared_figure("barriers", m.barriers, largest.barriers, row.budget_barriers);
  if (m.barriers_per_step && row.budget_barriers_per_step) {
    judge.figure("barriers_per_step", *m.barriers_per_step, *row.budget_barriers_per_step);
  } else if (m.barriers_per_step) {
    judge.set(GateVerdict::New, "barriers_per_step has no budget");
  } else if (row.budget_barriers_per_step) {
    judge.set(GateVerdict::Broken, "barriers_per_step is pinned, and there is no staged loop");
  }
  if (m.bank_conflicts && row.budget_bank_conflicts) {
    judge.shared_figure("bank_conflicts", *m.bank_conflicts, largest.bank_conflicts,
                        *row.budget_bank_conflicts);
  }
}

/// A floor: more blocks than asked for are no improvement to pin.
void judge_occupancy(GateRow& row) {
  const std::optional<int>&least = row.budget.min_ctas_per_sm, &got = row.measured.ctas_per_sm;
  if (!least) return;
  Judge judge(row);
  if (!got) {
    judge.set(GateVerdict::Broken,
              "min_ctas_per_sm is budgeted, and the block's threads stand nowhere; add `threads:`");
  } else if (*got > 0 && *got < *least) {
    judge.set(GateVerdict::Worse, fmt::format("ctas_per_sm {} < {}", *got, *least));
  }
}

void judge_figures(GateRow& row, const OnIr& largest) {
  const ResourceRow& m = row.measured;
  Judge judge(row);
  judge.figure("registers", m.registers, row.budget.registers);
  if (!m.from_cubin) judge.figure("spills", m.spills(), row.budget.spills);
  judge.figure("smem", m.smem, row.budget.smem);
  judge.figure(m.from_cubin ? "stack (spills are part of it in a cubin)" : "stack", m.stack,
               row.budget.stack);
  judge_occupancy(row);
  judge_on_ir(row, largest);
}

bool holds(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

/// Advice of ptxas that the schedule's promise is lost: refused unless the budget takes its code,
/// and a code that is noted no more is to be taken back.
void judge_notes(GateRow& row) {
  const ResourceRow& m = row.measured;
  Judge judge(row);
  for (const std::string& code : m.notes) {
    if (holds(row.budget.allow_notes, code)) continue;
    judge.set(GateVerdict::Broken, fmt::format("ptxas notes a loss of performance ({})", code));
  }
  for (const std::string& code : row.budget.allow_notes) {
    if (m.from_cubin || holds(m.notes, code)) continue;
    judge.set(GateVerdict::Improved,
              fmt::format("ptxas notes {} no more, and allow_notes has it", code));
  }
}

/// What no budget allows: witnesses that disagree, and a kernel that cannot be launched.
void judge_witnesses(GateRow& row) {
  const ResourceRow& m = row.measured;
  Judge judge(row);
  for (const std::string& conflict : m.conflicts) judge.set(GateVerdict::Broken, conflict);
  if (m.bars && *m.bars != m.barriers) {
    judge.set(GateVerdict::Broken,
              fmt::format("{} barriers in the machine code, {} in the IR", *m.bars, m.barriers));
  }
  if (m.ctas_per_sm == 0) {
    judge.set(GateVerdict::Broken,
              fmt::format("no block fits an SM with {} registers a thread and {} bytes of shared "
                          "memory; take fewer threads, registers or bytes",
                          m.registers, m.smem));
  }
  bool may_use_local = row.budget.stack > 0 || row.budget.spills > 0;
  if (m.local_accesses && *m.local_accesses > 0 && !may_use_local) {
    judge.set(GateVerdict::Broken,
              fmt::format("{} accesses of local memory in the machine code", *m.local_accesses));
  }
}

/// What the register says of the row: its config, budget and place.
const ScheduleEntry* look_up(GateRow& row, const RegistryFile& registry) {
  const ResourceRow& m = row.measured;
  const ScheduleEntry* config = nullptr;
  if (const SourceEntry* source = registry.source(m.kernel)) {
    config = &source->config;
    row.at = source->config.at;
  } else if (const KernelEntry* kernel = registry.kernel(m.kernel)) {
    config = kernel->schedule(m.schedule);
    row.at = config ? config->at : kernel->at;
  }
  if (const BudgetRow* budget = config ? config->budget(m.type, m.target) : nullptr) {
    row.budget = *budget;
    row.at = budget->at;
  }
  return config;
}

std::string other_assembler(const RegistryFile& registry, const std::string& assembler) {
  return fmt::format("the budgets hold for {}, this is {}; re-pin with --update",
                     registry.assembler, assembler);
}

void judge_row(GateRow& row, const RegistryFile& registry, const GateOptions& options,
               const LargestOnIr& largest) {
  const ResourceRow& m = row.measured;
  const ScheduleEntry* config = look_up(row, registry);
  Judge judge(row);
  if (!m.error.empty())
    return judge.set(m.gone ? GateVerdict::Gone : GateVerdict::Missing, m.error);
  if (!m.from_cubin && options.assembler.empty()) {
    return judge.set(GateVerdict::NoPtxas, "not measured");
  }
  if (!m.from_cubin && options.assembler != registry.assembler) {
    judge.set(GateVerdict::Assembler, other_assembler(registry, options.assembler));
  }
  judge_witnesses(row);
  judge_notes(row);
  if (row.budget.registers == 0) return judge.set(GateVerdict::New, "no budget");
  row.budget_barriers = config->barriers;
  row.budget_barriers_per_step = config->barriers_per_step;
  row.budget_bank_conflicts = config->bank_conflicts;
  judge_figures(row, largest.at({m.kernel, m.schedule}));
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

GateReport judge(const RegistryFile& registry, const std::vector<ResourceRow>& measured,
                 const GateOptions& options) {
  GateReport report;
  report.file = registry.file;
  report.pinned_assembler = registry.assembler;
  report.assembler = options.assembler;
  LargestOnIr largest = largest_on_ir(measured);
  bool other = false;
  for (const ResourceRow& m : measured) {
    GateRow row;
    row.measured = m;
    judge_row(row, registry, options, largest);
    row.fails = row.verdict > GateVerdict::Improved ||
                (row.verdict == GateVerdict::Improved && options.improved_fails);
    report.failures += row.fails;
    report.improved += row.verdict == GateVerdict::Improved;
    other = other || row.verdict == GateVerdict::Assembler;
    report.rows.push_back(std::move(row));
  }
  if (other) {
    report.problem = {GateVerdict::Assembler, registry.assembler_at,
                      other_assembler(registry, options.assembler)};
  }
  return report;
}

std::vector<Pin> pins_of(const std::vector<ResourceRow>& measured) {
  std::vector<Pin> pins;
  for (const ResourceRow& m : measured) {
    if (!m.error.empty() || !m.conflicts.empty()) continue;
    std::optional<std::vector<std::string>> notes;
    if (!m.from_cubin) notes = m.notes;
    pins.push_back({.kernel = m.kernel,
                    .schedule = m.schedule,
                    .type = m.type,
                    .target = m.target,
                    .registers = m.registers,
                    .spills = m.spills(),
                    .smem = m.smem,
                    .stack = m.stack,
                    .barriers = m.barriers,
                    .barriers_per_step = m.barriers_per_step,
                    .bank_conflicts = m.bank_conflicts,
                    .notes = std::move(notes)});
  }
  return pins;
}

}  // namespace barline::verify
