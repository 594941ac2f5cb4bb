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
  const char *what, *with;
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
