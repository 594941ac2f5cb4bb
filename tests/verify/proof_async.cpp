// SPDX-License-Identifier: Apache-2.0
// The proof of kernels whose warps go apart: each is PROVED as it stands, and refuted, as what it
// is, once a fault is planted.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/verify/async_kernels.h"
#include "verify/proof/prove.h"

using namespace barline;
using namespace barline::verify;
using test::parsed;
using test::replaced;

namespace {

ProofReport judged(const std::string& text) { return prove(parsed(text)); }

bool refuted_as(const ProofReport& r, Property p) {
  return r.verdict == Verdict::Refuted &&
         std::any_of(r.findings.begin(), r.findings.end(), [&](const ProofFinding& f) {
           return f.property == p && f.verdict == Verdict::Refuted;
         });
}

}  // namespace

TEST_CASE("a ring that a producer warp fills by TMA is proved") {
  ProofReport r = judged(test::ring_text());
  INFO(to_string(r));
  CHECK(r.verdict == Verdict::Proved);
  CHECK(r.seconds < 2);
}

namespace {

struct Fault {
  std::string what, with;
  Property as;
  int nth = 0;
};

void check_faults(const std::string& text, const std::vector<Fault>& faults) {
  for (const Fault& f : faults) {
    ProofReport r = judged(replaced(text, f.what, f.with, f.nth));
    INFO(f.what << " -> " << f.with << "\n" << to_string(r));
    CHECK(refuted_as(r, f.as));
  }
}

}  // namespace

TEST_CASE("faults of a ring are refuted as what they are") {
  check_faults(test::ring_text(),
               {
                   // parities
                   {"await %e, %before", "await %e, %lap", Property::Deadlock},
                   {"await %cf, %clap", "await %cf, %j", Property::Deadlock},
                   {"await %e, %before", "", Property::Gates},
                   {"await %cf, %clap", "", Property::SharedRace},
                   // bytes
                   {"{bytes = 1024}", "{bytes = 1040}", Property::Gates},
                   {"{bytes = 1024}", "{bytes = 1008}", Property::Gates},
                   {"{bytes = 1024}", "{bytes = 2048}", Property::Gates},
                   {"{bytes = 1024}", "", Property::Gates},
                   // arrivals
                   {"arrivals 2", "arrivals 1", Property::Gates},
                   {"arrivals 2", "arrivals 3", Property::Deadlock},
                   {"arrivals 1", "arrivals 2", Property::Deadlock},
                   {"arrive %ce", "", Property::Deadlock},
                   {"      warp_sync\n", "", Property::SharedRace},
                   // slots
                   {"slot_at %s, %i", "slot_at %s, %lap", Property::SharedRace},
                   {"slot_at %s, %j", "slot_at %s, %clap", Property::Stale},
                   {"slot_at %empty, %j", "slot_at %empty, %clap", Property::Deadlock},
                   {"slot_at %full, %i", "slot_at %full, %lap", Property::Deadlock},
                   // places
                   {"{rows = 4, columns = 64}", "{rows = 2, columns = 64}", Property::Gates},
                   {"{rows = 4, columns = 64}", "{rows = 4, columns = 64, offset = 64}",
                    Property::SharedBounds},
                   {"align 128", "", Property::Alignment},
               });
}

TEST_CASE("a persistent product whose roles share a ring is proved") {
  ProofReport r = judged(test::gemm_text());
  INFO(to_string(r));
  CHECK(r.verdict == Verdict::Proved);
  CHECK(r.seconds < 2);
}

TEST_CASE("faults of a product on warpgroups are refuted as what they are") {
  check_faults(test::gemm_text(),
               {
                   {"await %f, %phase", "await %f, %u", Property::Deadlock},
                   {"await %g, %before", "", Property::Gates},
                   {"await %g, %before", "await %g, %lap", Property::Deadlock},
                   {"await %f, %phase", "", Property::SharedRace},
                   {"arrive %er", "", Property::Deadlock},
                   {"arrive %e\n", "\n", Property::Deadlock},
                   {"{bytes = 24576}", "{bytes = 24560}", Property::Gates},
                   {"{bytes = 24576}", "{bytes = 16384}", Property::Gates},
                   // a step's copy is released while its products run
                   {"{pending = 1}", "{pending = 2}", Property::SharedRace},
                   {"%last = sub %u, %c1", "%last = add %u, %c0", Property::Deadlock},
                   // accumulators become values too early
                   {" = wgmma_wait %e0, %e1, %e2, %e3, %e4, %e5, %e6, %e7",
                    " = wgmma_wait %e0, %e1, %e2, %e3, %e4, %e5, %e6, %e7 {pending = 1}",
                    Property::Warpgroup},
                   {"wgmma_commit", "", Property::Warpgroup},
                   {"        wgmma_fence\n", "", Property::Warpgroup},
                   // uses of another step
                   {"slot_at %xs, %u", "slot_at %xs, %i", Property::Stale},
                   {"slot_at %ws, %v ", "slot_at %ws, %j ", Property::Stale},
                   {"%c0 : s32 (%tile2", "%c1 : s32 (%tile2", Property::Deadlock},
                   {"xs: f16[8192] x 4", "xs: f16[8192] x 3", Property::SharedRace},
                   // registers: 168 x 384 less 24 x 128 leaves 240 for 256 threads
                   {"{registers = 24}", "{registers = 32}", Property::Registers},
                   {"{registers = 240}", "{registers = 248}", Property::Registers},
                   {"{registers = 24}", "{registers = 20}", Property::Registers},
                   {"    set_registers {registers = 24}\n", "", Property::Registers},
                   {"align 1024", "align 512", Property::Alignment},
                   {"offset = 16} : flight", "offset = 4096} : flight", Property::SharedBounds},
               });
}

TEST_CASE("barriers of some warps order those alone, and are counted") {
  ProofReport r = judged(test::pairs_text());
  INFO(to_string(r));
  CHECK(r.verdict == Verdict::Proved);
  CHECK(r.barriers.size() == 2);
  check_faults(test::pairs_text(),
               {
                   {"barrier {id = 1, warps = 2}", "", Property::SharedRace},
                   {"warps = 2", "warps = 1", Property::SharedRace},
                   {"warps = 2", "warps = 3", Property::Deadlock},
                   {"id = 2", "id = 16", Property::Divergence},
                   {"%c32 = const {value = 32}", "%c32 = const {value = 64}", Property::SharedRace},
                   {"barrier {id = 1, warps = 2}", "barrier", Property::Deadlock},
               });
}

TEST_CASE("warps that share a barrier's number by chance are not decided") {
  ProofReport r = judged(replaced(test::pairs_text(), "id = 2", "id = 1"));
  INFO(to_string(r));
  CHECK(r.verdict != Verdict::Proved);
}

TEST_CASE("blocks of a cluster reach each other while both run") {
  ProofReport r = judged(test::exchange_text());
  INFO(to_string(r));
  CHECK(r.verdict == Verdict::Proved);
  const std::string meet = "  cluster_arrive\n  cluster_wait\n";
  check_faults(test::exchange_text(),
               {
                   {meet, "", Property::Cluster},
                   {meet, "", Property::SharedRace, 1},
                   {"cluster_wait", "", Property::Cluster},
                   {"cluster_wait", "", Property::SharedRace, 1},
                   {"cluster_arrive", "", Property::Cluster},
                   {"xor %rank, %c1", "add %rank, %c1", Property::Cluster},
                   {meet + "  %w = load %s, %t : f32\n  store %y, %g, %w\n", "", Property::Cluster},
               });
}

TEST_CASE("every thread of a cluster arrives at its barriers, to the last") {
  // The second warp has nothing to store: it may not end while the first waits.
  const std::string meet = "  cluster_arrive\n  cluster_wait\n";
  std::string text = test::replaced(test::exchange_text(), "slot %s: f32[64]", "slot %s: f32[32]");
  const std::string work = text.substr(text.find(meet), text.find("  yield") - text.find(meet));
  const std::string arms =
      "  %c32 = const {value = 32} : s32\n  %in = cmp %t, %c32 {pred = lt} : i1\n"
      "  if %in () {\n";
  auto with = [&](const std::string& other) {
    return test::replaced(text, work, arms + work + "  yield\n } () {\n" + other + "  yield\n }\n");
  };
  CHECK(judged(with(meet + meet)).verdict == Verdict::Proved);
  CHECK(judged(with(meet + "  cluster_arrive\n")).verdict == Verdict::Proved);
  for (const std::string& other : {std::string(), std::string("  cluster_arrive\n"), meet}) {
    const ProofReport r = judged(with(other));
    INFO(to_string(r));
    CHECK(r.verdict == Verdict::Refuted);
    CHECK(!r.findings.empty());
    for (const auto& f : r.findings) {
      CHECK(f.property == Property::Cluster);
      CHECK(f.message.find("has ended without a cluster_arrive") != std::string::npos);
    }
  }
}

TEST_CASE("a grid that starts beside the one before waits for it") {
  ProofReport r = judged(test::dependent_text());
  INFO(to_string(r));
  CHECK(r.verdict == Verdict::Proved);
  REQUIRE(r.preconditions.size() == 1);
  CHECK(r.preconditions[0].find("does not write w") != std::string::npos);
  check_faults(
      test::dependent_text(),
      {
          {"  await_previous\n", "", Property::DependentLaunch},
          {"await_previous", "await_previous\n  await_previous", Property::DependentLaunch},
          {"  await_previous\n  %b = load %x, %g : f32\n  %c = load %y, %g : f32\n",
           "  %b = load %x, %g : f32\n  %c = load %y, %g : f32\n  await_previous\n",
           Property::DependentLaunch},
          {"  await_previous\n",
           "  %c1 = const {value = 1} : s32\n  %some = cmp %block, %c1 {pred = lt} : i1\n"
           "  if %some () {\n    await_previous\n    yield\n  } () {\n    yield\n  }\n",
           Property::DependentLaunch},
      });
}
