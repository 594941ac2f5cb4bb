// SPDX-License-Identifier: Apache-2.0
// Mutation: breaks a lowered kernel on purpose, one place at a time, and asks whether the judges
// see it. A mutant that neither level refutes and that L1 does not certify is a defect of theirs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ir/kernel.h"
#include "verify/proof/prove.h"
#include "verify/sim_case.h"

namespace barline::verify {

enum class MutationKind : std::uint8_t {
#define MUTATION(kind, name, doc) kind,
#include "verify/mutations.def"
#undef MUTATION
};
std::string_view name(MutationKind kind);

/// Killed: refuted by a judge. Redundant: L1 proves the kernel without the op, with the looser wait
/// or with the later read, and L2 does not object. Survived: no judge saw it. Contradiction: L1
/// proves what L2 refutes with a race.
enum class MutantFate : std::uint8_t { Killed, Redundant, Survived, Contradiction };
std::string_view name(MutantFate fate);

/// One place of a kernel and what is done to it there.
struct Mutation {
  MutationKind kind{};
  std::size_t op = 0;  ///< number of the op in walk order
};

struct MutantResult {
  Mutation mutation;
  OpText op;
  MutantFate fate = MutantFate::Survived;
  Verdict proof = Verdict::Unknown;      ///< L1 on the mutant
  Verdict simulator = Verdict::Skipped;  ///< L2 on the mutant; Skipped where L1 refuted it
  std::string by;                        ///< "proof", "simulator", "reference" or empty
  std::string witness;
};

struct MutateOptions {
  std::vector<SimCase> cases;  ///< what L2 runs; none: L1 alone judges
  ProofOptions proof;
  int random_schedules = 4;  ///< besides round robin and reverse
  bool shifts = true;        ///< ShiftSlot, ShiftSlotBack and ShiftIndex too
  /// Of a kind that a kernel invites more often, so many evenly spread places; 0: all.
  std::size_t most_of_a_kind = 0;
};

/// All mutations of a kernel, in walk order.
std::vector<Mutation> mutations(const ir::Kernel& k, bool shifts = true);
/// At most so many of each kind, evenly spread; 0: all.
std::vector<Mutation> sampled(const std::vector<Mutation>& all, std::size_t most_of_a_kind);
/// The kernel with the mutation done to it.
ir::Kernel mutant(const ir::Kernel& k, const Mutation& m);
/// Judges every mutant. Precondition: the kernel itself is not refuted.
std::vector<MutantResult> mutate(const ir::Kernel& lowered, const MutateOptions& options);

/// One line: what was done where, its fate and by whom.
std::string to_string(const MutantResult& r);

}  // namespace barline::verify
