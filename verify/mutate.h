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
  DropBarrier,
  DropFence,
  DropWarpSync,
  DropCommit,     ///< a group of asynchronous copies joins the next one
  LooseWait,      ///< a barrier leaves one more group in flight
  DropHoist,      ///< a value kept from shared memory is read again behind a barrier before its use
  WeakenRelease,  ///< a release or acquire access becomes relaxed
  ShiftSlot,      ///< an access takes the next copy of its slot
  ShiftSlotBack,  ///< or the one before
  ShiftIndex      ///< a shared access goes to the next element
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
};

/// All mutations of a kernel, in walk order.
std::vector<Mutation> mutations(const ir::Kernel& k, bool shifts = true);
/// The kernel with the mutation done to it.
ir::Kernel mutant(const ir::Kernel& k, const Mutation& m);
/// Judges every mutant. Precondition: the kernel itself is not refuted.
std::vector<MutantResult> mutate(const ir::Kernel& lowered, const MutateOptions& options);

/// One line: what was done where, its fate and by whom.
std::string to_string(const MutantResult& r);

}  // namespace barline::verify
