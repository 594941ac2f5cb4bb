// SPDX-License-Identifier: Apache-2.0
// The gate: measured resources against the budgets of kernels.yaml. It fails closed: what has no
// budget, no record or another assembler does not pass. It is a ratchet with two ends: a figure
// above its budget fails, and so does one below it until it is pinned.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verify/gate/registry_file.h"
#include "verify/gate/resource_row.h"
#include "verify/gate/update_budgets.h"

namespace barline::verify {

/// From good to bad; a config's verdict is the worst that applies.
enum class GateVerdict {
  Ok,
  Improved,   ///< below budget: pin it, or the gain can be lost without notice
  New,        ///< kernels.yaml has no budget for it
  Worse,      ///< above budget
  Broken,     ///< log, cubin and IR disagree, ptxas noted a loss, or no launch is possible
  Assembler,  ///< the budgets are pinned to another assembler
  NoPtxas,    ///< there is no assembler to measure with
  Missing,    ///< no record: the compile failed or was not done
  Gone,       ///< kernels.yaml names a kernel that is not there: renamed, or deleted
  Invalid     ///< kernels.yaml itself is malformed
};
inline constexpr int gate_verdict_count = 10;
std::string_view name(GateVerdict v);
/// What a reader of the verdict does about it; empty for Ok.
std::string_view advice(GateVerdict v);
/// What the verdict means, for the rules that a report lists.
std::string_view meaning(GateVerdict v);

struct GateRow {
  ResourceRow measured{};
  BudgetRow budget{};  ///< registers 0: there is none
  int budget_barriers = 0;
  std::optional<int> budget_barriers_per_step{}, budget_bank_conflicts{};
  Mark at{};  ///< in the register: the budget, else its schedule, else its kernel
  GateVerdict verdict = GateVerdict::Ok;
  bool fails = false;
  std::string reason{};  ///< "registers 42 > 40; smem 64 < 128", or empty
};

/// What is wrong with all rows, or keeps them from being measured.
struct GateProblem {
  GateVerdict verdict = GateVerdict::Ok;
  Mark at{};
  std::string reason{};
};

struct GateOptions {
  std::string assembler{};  ///< "ptxas 13.0": the one that measured
  bool improved_fails = true;
};

struct GateReport {
  std::vector<GateRow> rows{};
  std::optional<GateProblem> problem{};
  std::string file{};  ///< the register, as messages name it
  std::string pinned_assembler{}, assembler{};
  int failures = 0;  ///< rows that fail
  int improved = 0;
  bool passed() const { return failures == 0 && !problem; }
};

/// Judges each measured row, in order. A row whose kernel or schedule the registry does not hold is
/// New. Another assembler than the pinned one is a problem of the report and a verdict of each row.
GateReport judge(const RegistryFile& registry, const std::vector<ResourceRow>& measured,
                 const GateOptions& options);

/// What `--update` pins: every measured row that has a record and no conflict.
std::vector<Pin> pins_of(const std::vector<ResourceRow>& measured);

}  // namespace barline::verify
