// SPDX-License-Identifier: Apache-2.0
// Asynchronous copies in the simulator and under mutation: bytes arrive when they are waited for,
// and no earlier; every wait, group and slot phase that is off by one is seen.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "ir/diagnostic.h"
#include "tests/verify/interp_run.h"
#include "tests/verify/proof_support.h"
#include "verify/mutate.h"

using namespace barline;
using namespace barline::verify;
namespace fs = std::filesystem;

namespace {

struct Sample {
  std::string name;
  ir::Kernel kernel;
  SimCase inputs;
};

/// The corpus' kernels about copies.
std::vector<Sample> samples(const std::string& kind) {
  std::vector<Sample> all;
  for (const auto& entry :
       fs::directory_iterator(fs::path(BARLINE_SOURCE_DIR) / "tests/corpus" / kind)) {
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    if (text.str().find("copy_async") == std::string::npos) continue;
    Sample s{entry.path().stem(), ir::parse(text.str(), entry.path().filename()), {}};
    std::vector<std::int64_t> sizes;
    for (ir::ValueId v : s.kernel.axis_sizes)
      if (v != ir::no_value) sizes.push_back(7);
    s.inputs = test::patterned_case(s.kernel, sizes);
    all.push_back(std::move(s));
  }
  return all;
}

const std::string reads_early = R"(kernel @k
axis n = 64
param %x: in ptr<f32, global> [n]
param %y: out ptr<f32, global> [n]
slot %s: f32[64] x 1
threads 64 1 1
grid 1 1 1
{
%t = thread_rank : s32
copy_async %s, %t, %x, %t {lanes = 1}
commit_copies
barrier {pending = 1}
%v = load %s, %t : f32
store %y, %t, %v
yield
}
)";

}  // namespace

TEST_CASE("the simulator refuses every racy copy of the corpus by itself") {
  int seen = 0;
  for (const Sample& s : samples("racy")) {
    std::vector<SimSchedule> schedules = sim_schedules(4);
    if (s.name == "copy_source_unmasked") continue;  // its size here fills the last block
    SimOutcome o = run_case(s.kernel, s.inputs, schedules);
    INFO(s.name);
    CHECK(o.verdict == Verdict::Refuted);
    ++seen;
  }
  CHECK(seen >= 12);
}

TEST_CASE("bytes are not there before they are waited for, whoever looks") {
  ir::Tensor x = tensor<float>(ir::Elem::F32, std::vector<float>(64, 1.0f)), y(ir::Elem::F32, {64});
  SimOptions unchecked;
  unchecked.detect_races = unchecked.poison = false;
  CHECK_FALSE(run(reads_early, {x, y}, {}, unchecked).finding);
  CHECK(y.as<float>()[5] != 1.0f);
  SimReport r = run(reads_early, {x, y});
  REQUIRE(r.finding);
  CHECK(r.finding->kind == FindingKind::Race);
  CHECK_THAT(r.finding->message, Catch::Contains("while a copy to it is in flight"));
  CHECK(r.finding->here.op == "load %s");
  CHECK(r.finding->other.op == "copy_async %s");
  std::string waits = reads_early;
  waits.replace(waits.find("pending = 1"), 11, "pending = 0");
  CHECK_FALSE(run(waits, {x, y}).finding);
  CHECK(y.as<float>()[5] == 1.0f);
}

TEST_CASE("before barriers are placed a copy is done at once") {
  ir::Tensor x = tensor<float>(ir::Elem::F32, std::vector<float>(64, 3.0f)), y(ir::Elem::F32, {64});
  SimOptions unplaced;
  unplaced.syncs_placed = false;
  CHECK_FALSE(run(reads_early, {x, y}, {}, unplaced).finding);
  CHECK(y.as<float>()[63] == 3.0f);
}

TEST_CASE("every mutant of a copy is killed") {
  int waits = 0, commits = 0, phases = 0;
  for (const Sample& s : samples("safe")) {
    MutateOptions options;
    options.cases = {s.inputs};
    for (const MutantResult& r : mutate(s.kernel, options)) {
      INFO(s.name << ": " << to_string(r) << "\n" << r.witness);
      // A group more in a copy that nobody reads, or its slot's phase, changes nothing.
      if (s.name == "copy_left_in_flight" && r.fate != MutantFate::Killed) continue;
      // What its slot still holds may be read again.
      if (r.mutation.kind == MutationKind::DropHoist && r.fate == MutantFate::Redundant) continue;
      CHECK(r.fate == MutantFate::Killed);
      waits += r.mutation.kind == MutationKind::LooseWait;
      commits += r.mutation.kind == MutationKind::DropCommit;
      phases += r.mutation.kind == MutationKind::ShiftSlot ||
                r.mutation.kind == MutationKind::ShiftSlotBack;
    }
  }
  CHECK(waits >= 12);
  CHECK(commits >= 14);
  CHECK(phases >= 20);
}

TEST_CASE("a tensor over a derived axis has the size that follows") {
  const std::string text = R"(kernel @k
axis K
axis groups of K / 128
param %scales: in ptr<f32, global> [groups]
param %y: out ptr<f32, global> [groups]
size %K
threads 32 1 1
grid groups/1 1 1
{
%b = block_id {dim = 0} : s32
%v = load %scales, %b : f32
%t = thread_rank : s32
%zero = const {value = 0} : s32
%first = cmp %t, %zero {pred = eq} : i1
store %y, %b, %v, %first
yield
}
)";
  ir::Tensor right(ir::Elem::F32, {3}), wrong(ir::Elem::F32, {2}), y(ir::Elem::F32, {3});
  SimReport r = run(text, {right, y}, {300});
  CHECK_FALSE(r.finding);
  CHECK(r.counts.blocks == 3);
  try {
    run(text, {wrong, y}, {300});
    FAIL("accepted");
  } catch (const ir::Error& e) {
    CHECK(ir::code(e.diagnostic().diag) == "bad-dim");
    CHECK(e.diagnostic().message == "tensor 'scales' has 2 along axis 'groups'");
    CHECK(e.diagnostic().fix ==
          "pass 3 = ceil(300 / 128) * 1: the axis derives from 'K', which is 300 here");
  }
  ProofReport p = prove(kernel(text));
  INFO(to_string(p));
  CHECK(p.verdict == Verdict::Proved);
}

TEST_CASE("blocks of several axes follow one another, or stand abreast") {
  for (auto [grid, blocks] : {std::pair{"a+b/16", 5}, {"a|b/16", 3}}) {
    std::string text =
        std::string("kernel @k\naxis a\naxis b\nparam %y: inout ptr<u32, global> [a]\n") +
        "size %a\nsize %b\nthreads 32 1 1\ngrid " + grid +
        " 1 1\n{\n%t = thread_rank : s32\n%zero = const {value = 0} : s32\n"
        "%one = const {value = 1} : u32\n%c = cmp %t, %zero {pred = eq} : i1\n"
        "if %c () {\n%o = atomic %y, %zero, %one {rmw = add, scope = gpu} : u32\n"
        "yield\n} () {\nyield\n}\nyield\n}\n";
    ir::Tensor y(ir::Elem::U32, {40});
    CHECK_FALSE(run(text, {y}, {40, 32}).finding);
    CHECK(y.as<std::uint32_t>()[0] == static_cast<std::uint32_t>(blocks));
    CHECK(prove(kernel(text)).verdict == Verdict::Proved);
  }
}
