// SPDX-License-Identifier: Apache-2.0
// L1 is asked first, since it is the cheaper. What it does not refute is run under several
// schedules; outputs are compared with the case's reference, or with the whole kernel's own.
#include "verify/mutate.h"

#include <fmt/format.h>
#include <algorithm>

#include "verify/proof/recorder.h"

namespace barline::verify {
namespace {

using ir::Operation;

/// May the kernel be right all the same? A wait that nothing needs may wait for anything.
bool may_be_needless(MutationKind kind, const Operation& op) {
  return kind <= MutationKind::DropAwaitPrevious || op.is(ir::Op::Await);
}

struct Judge {
  const ir::Kernel& kernel;
  const MutateOptions& options;
  std::vector<SimSchedule> schedules;
  std::vector<Outputs> expected;  ///< by case: the kernel's own outputs

  void learn() {
    for (const SimCase& c : options.cases)
      expected.push_back(run_case(kernel, c, {schedules.data(), 1}).outputs);
  }

  void simulate(const ir::Kernel& m, MutantResult& r, bool& race) {
    for (std::size_t i = 0; i < options.cases.size(); ++i) {
      SimOutcome o =
          run_case(m, options.cases[i], schedules, expected[i].empty() ? nullptr : &expected[i]);
      r.simulator =
          worse(r.simulator == Verdict::Skipped ? Verdict::Checked : r.simulator, o.verdict);
      if (o.verdict != Verdict::Refuted) continue;
      race = o.race;
      r.by = o.mismatch ? "reference" : "simulator";
      r.witness = o.witness;
      return;
    }
  }

  void judge(MutantResult& r, const Operation& op) {
    ir::Kernel m = mutant(kernel, r.mutation);
    ProofOptions proof = options.proof;
    proof.minimal = proof.costs = false;
    proof.first_finding_only = true;
    ProofReport report = prove(m, proof);
    r.proof = report.verdict;
    if (report.verdict == Verdict::Refuted) {
      r.fate = MutantFate::Killed;
      r.by = "proof";
      r.witness = to_string(report.findings.front());
      return;
    }
    bool race = false;
    simulate(m, r, race);
    if (r.simulator == Verdict::Refuted)
      r.fate = race && r.proof == Verdict::Proved ? MutantFate::Contradiction : MutantFate::Killed;
    else if (r.proof == Verdict::Proved && may_be_needless(r.mutation.kind, op))
      r.fate = MutantFate::Redundant;
    if (r.fate == MutantFate::Survived && !report.findings.empty())
      r.witness = to_string(report.findings.front());
  }
};

}  // namespace

std::string_view name(MutantFate fate) {
  constexpr std::string_view names[] = {"killed", "redundant", "survived", "contradiction"};
  return names[static_cast<int>(fate)];
}

std::vector<MutantResult> mutate(const ir::Kernel& lowered, const MutateOptions& options) {
  std::vector<std::string> texts = proof::op_texts(lowered);
  std::vector<const Operation*> ops;
  ir::walk(lowered.body, [&](const Operation& op) { ops.push_back(&op); });
  Judge judge{lowered, options, sim_schedules(options.random_schedules), {}};
  judge.learn();
  std::vector<MutantResult> results;
  for (const Mutation& m : sampled(mutations(lowered, options.shifts), options.most_of_a_kind)) {
    MutantResult r;
    r.mutation = m;
    r.op = {ops[m.op]->loc, texts[m.op]};
    judge.judge(r, *ops[m.op]);
    results.push_back(std::move(r));
  }
  return results;
}

std::string to_string(const MutantResult& r) {
  return fmt::format("{} {}: {}: {}{}{}", name(r.mutation.kind), ir::to_string(r.op.loc), r.op.text,
                     name(r.fate), r.by.empty() ? "" : " by ", r.by);
}

}  // namespace barline::verify
