// SPDX-License-Identifier: Apache-2.0
// What the proof says of rows that a warp loads together: who receives what, from which address.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "ir/check.h"
#include "ir/parse.h"
#include "verify/proof/prove.h"

using namespace barline;
using namespace barline::verify;

namespace {

/// 64 threads write the rows of a slot of 64 rows of `pitch` elements, 8 at its start; then `body`.
ir::Kernel rows(const std::string& body, int pitch = 8) {
  ir::Kernel k = ir::parse(fmt::format(
      "bir 1\nkernel @k\naxis n = 512\nparam %x: in ptr<u16, global> [n]\n"
      "param %y: out ptr<u16, global> [n]\nslot %s: u16[{0}] x 1\nthreads 64 1 1\ngrid 1 1 1\n{{\n"
      "%t = thread_rank : s32\n%eight = const {{value = 8}} : s32\n%i = mul %t, %eight : s32\n"
      "%pitch = const {{value = {1}}} : s32\n%r = mul %t, %pitch : s32\n"
      "%v = load %x, %i : vec<u16 x 8>\nstore %s, %r, %v\n{2}store %y, %i, %m\nyield\n}}\n",
      64 * pitch, pitch, body));
  ir::check(k);
  return k;
}

const std::string load = "%m = load_matrix %s, %r : vec<u16 x 8>\n";

Verdict verdict_of(const std::string& body) { return prove(rows(body)).verdict; }

bool refuted(const ProofReport& r, Property p) {
  for (const ProofFinding& f : r.findings)
    if (f.property == p && f.verdict == Verdict::Refuted) return true;
  return false;
}

}  // namespace

TEST_CASE("rows that other lanes wrote are read behind a barrier or race") {
  CHECK(refuted(prove(rows(load)), Property::SharedRace));
  CHECK(verdict_of("barrier\n" + load) == Verdict::Proved);
  CHECK(verdict_of("warp_sync\n" + load) == Verdict::Proved);  // the warp's own rows
  CHECK(refuted(prove(rows("warp_sync\n%o = const {value = 504} : s32\n%q = sub %o, %r : s32\n"
                           "%m = load_matrix %s, %q : vec<u16 x 8>\n")),
                Property::SharedRace));
}

TEST_CASE("a row goes to the lanes that receive it, not to the one that names it") {
  // Each lane writes what it will receive of the first matrix, alone.
  const std::string own =
      "barrier\n%two = const {value = 2} : s32\n%p = mul %t, %two : s32\n"
      "%pair = extract %v {index = 0} : vec<u16 x 2>\nstore %s, %p, %pair\n"
      "%lane = lane_id : s32\n%c8 = const {value = 8} : s32\n%w = warp_id : s32\n"
      "%c64 = const {value = 64} : s32\n%base = mul %w, %c64 : s32\n%row = mul %lane, %c8 : s32\n"
      "%q = add %base, %row : s32\n";
  const std::string tail = "%m = pack %g, %g, %g, %g : vec<u16 x 8>\n";
  CHECK(verdict_of(own + "%g = load_matrix %s, %q : vec<u16 x 2>\n" + tail) == Verdict::Proved);
  CHECK(
      refuted(prove(rows(own + "%g = load_matrix %s, %q {transpose = 1} : vec<u16 x 2>\n" + tail)),
              Property::SharedRace));
}

TEST_CASE("rows start inside the slot, aligned to 16 bytes, in elements that were written") {
  CHECK(refuted(prove(rows("barrier\n%m = load_matrix %s, %r {offset = 4} : vec<u16 x 8>\n")),
                Property::Alignment));
  CHECK(refuted(prove(rows("barrier\n%m = load_matrix %s, %r {offset = 8} : vec<u16 x 8>\n")),
                Property::SharedBounds));
  CHECK(refuted(prove(rows("barrier\n%m = load_matrix %s, %r {offset = 8} : vec<u16 x 8>\n", 16)),
                Property::Uninitialised));
  // Lanes that name no row may hold anything.
  const std::string far =
      "barrier\n%lane = lane_id : s32\n%in = cmp %lane, %eight {pred = lt} : i1\n"
      "%big = const {value = 99999} : s32\n%q = select %in, %r, %big : s32\n"
      "%g = load_matrix %s, %q : vec<u16 x 2>\n%m = pack %g, %g, %g, %g : vec<u16 x 8>\n";
  CHECK(verdict_of(far) == Verdict::Proved);
}

TEST_CASE("rows that follow from data may be any") {
  const std::string body =
      "barrier\n%d = load %x, %t : u16\n%q = cast %d : s32\n"
      "%m = load_matrix %s, %q : vec<u16 x 8>\n";
  CHECK(verdict_of(body) == Verdict::Unknown);
}

TEST_CASE("a warp comes to it as a whole") {
  ir::Kernel k = rows("barrier\n" + load);
  k.launch.threads[0] = 48;
  CHECK(refuted(prove(k), Property::Divergence));
}

TEST_CASE("bank conflicts of rows are those of their starts, eight a phase") {
  auto ways = [](int pitch) {
    ProofReport r = prove(rows("barrier\n" + load, pitch));
    REQUIRE(r.verdict == Verdict::Proved);
    for (const AccessCost& c : r.costs)
      if (c.op.text.find("load_matrix") != std::string::npos) return c.max_ways;
    return -1;
  };
  CHECK(ways(8) == 1);
  CHECK(ways(16) == 2);
  CHECK(ways(64) == 8);
  CHECK(ways(72) == 1);
}

TEST_CASE("what a warp loads and multiplies is data") {
  // A branch on it is guessed a thread at a time: a barrier below may not be met by all.
  const std::string body =
      "barrier\n" + load +
      "%e = extract %m {index = 0} : u16\n%z = const {value = 0} : u16\n"
      "%c = cmp %e, %z {pred = eq} : i1\nif %c () {\nstore %s, %r, %v\nyield\n} () {\nyield\n}\n";
  ProofReport r = prove(rows(body));
  CHECK(r.verdict == Verdict::Unknown);  // it may write what another lane reads
}
