// SPDX-License-Identifier: Apache-2.0
// Mutants of known kernels: what is deleted or shifted is seen by a judge, or certified redundant.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "ir/print.h"
#include "tests/verify/proof_support.h"
#include "verify/mutate.h"

using namespace barline;
using namespace barline::verify;

namespace {

ir::Kernel corpus_kernel(const std::string& name) {
  std::string path = std::string(BARLINE_SOURCE_DIR) + "/tests/corpus/safe/" + name + ".bir";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return ir::parse(text.str(), name + ".bir");
}

std::vector<MutantResult> mutate_with_inputs(const ir::Kernel& k) {
  MutateOptions options;
  options.cases = {test::patterned_case(k, {})};
  return mutate(k, options);
}

}  // namespace

TEST_CASE("each barrier of a ring is missed when it is gone") {
  ir::Kernel k = corpus_kernel("loop_two_barriers");
  std::vector<MutantResult> results = mutate_with_inputs(k);
  int barriers = 0;
  for (const MutantResult& r : results) {
    INFO(to_string(r) << "\n" << r.witness);
    CHECK(r.fate == MutantFate::Killed);
    barriers += r.mutation.kind == MutationKind::DropBarrier;
    CHECK(r.op.loc.file == "loop_two_barriers.bir");
  }
  CHECK(barriers == 2);
}

TEST_CASE("a barrier that nothing needs is certified redundant") {
  ir::Kernel k = test::block_kernel(R"(
  %v = load %x, %t : f32
  store %s, %t, %v
  barrier
  %w = load %s, %t : f32
  store %y, %t, %w
)");
  std::vector<MutantResult> results = mutate_with_inputs(k);
  REQUIRE(results[0].mutation.kind == MutationKind::ShiftIndex);
  REQUIRE(results[1].mutation.kind == MutationKind::DropBarrier);
  CHECK(results[1].fate == MutantFate::Redundant);
  CHECK(results[1].proof == Verdict::Proved);
  CHECK(results[1].simulator == Verdict::Checked);
  CHECK(results[0].fate == MutantFate::Killed);
}

TEST_CASE("fences and releases of a flag protocol are missed") {
  for (const char* name : {"flag_fences", "flag_release_acquire", "last_arriver"}) {
    ir::Kernel k = corpus_kernel(name);
    MutateOptions options;
    options.cases = {test::patterned_case(k, {})};
    options.shifts = false;
    for (const MutantResult& r : mutate(k, options)) {
      INFO(to_string(r) << "\n" << r.witness);
      CHECK(r.fate == MutantFate::Killed);
    }
  }
}

TEST_CASE("a value kept in registers is needed once its slot is filled again") {
  const auto kept = [](const std::string& refill) {
    return test::block_kernel(R"(
  %v = load %x, %t : f32
  store %s, %t, %v
  barrier
  %c63 = const {value = 63} : s32
  %i = sub %c63, %t : s32
  %w = load %s, %i : f32
  barrier
)" + refill + "  store %y, %t, %w\n");
  };
  for (const char* refill : {"", "  store %s, %t, %v\n"}) {
    int hoists = 0;
    for (const MutantResult& r : mutate_with_inputs(kept(refill))) {
      if (r.mutation.kind != MutationKind::DropHoist) continue;
      INFO(to_string(r));
      CHECK(r.fate == (*refill ? MutantFate::Killed : MutantFate::Redundant));
      ++hoists;
    }
    CHECK(hoists == 1);
  }
}

TEST_CASE("a slot that rotates out of phase is seen") {
  ir::Kernel k = corpus_kernel("prefetch_ring_of_two");
  int phases = 0;
  for (const MutantResult& r : mutate_with_inputs(k)) {
    INFO(to_string(r) << "\n" << r.witness);
    CHECK(r.fate == MutantFate::Killed);
    phases += r.mutation.kind == MutationKind::ShiftSlot;
  }
  CHECK(phases == 3);
}

TEST_CASE("every barrier, fence and warp_sync mutant of the safe corpus is killed") {
  std::filesystem::path folder =
      std::filesystem::path(BARLINE_SOURCE_DIR) / "tests" / "corpus" / "safe";
  int mutants = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    ir::Kernel k = corpus_kernel(entry.path().stem());
    MutateOptions options;
    options.shifts = false;
    std::vector<std::int64_t> sizes(4, 200);
    options.cases = {test::patterned_case(k, sizes)};
    options.cases[0].axis_sizes.resize(
        static_cast<std::size_t>(std::count_if(k.axis_sizes.begin(), k.axis_sizes.end(),
                                               [](ir::ValueId v) { return v != ir::no_value; })));
    for (const MutantResult& r : mutate(k, options)) {
      INFO(entry.path().stem() << ": " << to_string(r) << "\n" << r.witness);
      // A value that its slot still holds may be read again: that is certified, not missed.
      bool same = r.mutation.kind == MutationKind::DropHoist && r.fate == MutantFate::Redundant;
      CHECK((r.fate == MutantFate::Killed || same));
      ++mutants;
    }
  }
  CHECK(mutants >= 30);
}

TEST_CASE("a mutant differs from its kernel in one place") {
  ir::Kernel k = corpus_kernel("ring_of_two");
  std::string text = ir::print(k);
  for (const Mutation& m : mutations(k)) {
    ir::Kernel changed = mutant(k, m);
    CHECK(ir::print(changed) != text);
    CHECK(ir::print(k) == text);
    if (m.kind == MutationKind::DropBarrier)
      CHECK(ir::print(changed).find("barrier") == std::string::npos);
  }
}
