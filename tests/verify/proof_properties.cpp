// SPDX-License-Identifier: Apache-2.0
// What the proof says beyond races: costs, redundant barriers, preconditions, sizes, witnesses.
#include <catch2/catch.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/verify/proof_support.h"
#include "verify/proof/cost.h"
#include "verify/proof/prove.h"

using namespace barline;
using namespace barline::verify;
using test::block_kernel;

namespace {

const AccessCost& cost_of(const ProofReport& r, std::string_view text) {
  auto it = std::find_if(r.costs.begin(), r.costs.end(), [&](const AccessCost& c) {
    return c.op.text.find(text) != std::string::npos;
  });
  REQUIRE(it != r.costs.end());
  return *it;
}

/// A kernel in which each thread reads slot element t * `stride` after it was filled.
ProofReport strided(int stride, const char* slot) {
  return prove(
      block_kernel("%c0 = const {value = 0} : s32\n%c1 = const {value = 1} : s32\n"
                   "%c64 = const {value = 64} : s32\n%k = const {value = " +
                       std::to_string(stride) +
                       "} : s32\n"
                       "%v = load %x, %t : f32\n"
                       "for %c0, %k, %c1 (%i: s32) {\n"
                       "  %o = mul %i, %c64 : s32\n  %e = add %o, %t : s32\n"
                       "  store %big, %e, %v\n  yield\n}\nbarrier\n"
                       "%at = mul %t, %k : s32\n%w = load %big, %at : f32\n"
                       "store %y, %t, %w\n",
                   slot));
}

}  // namespace

TEST_CASE("bank conflicts are counted exactly") {
  auto ways = [](int stride) {
    ProofReport r = strided(stride, "slot %big: f32[4096] x 1\n");
    REQUIRE(r.verdict == Verdict::Proved);
    return cost_of(r, "load %big").max_ways;
  };
  CHECK(ways(1) == 1);
  CHECK(ways(2) == 2);
  CHECK(ways(3) == 1);
  CHECK(ways(8) == 8);
  CHECK(ways(32) == 32);
  CHECK(ways(33) == 1);
  ProofReport r = strided(32, "slot %big: f32[4096] x 1\n");
  CHECK(cost_of(r, "load %big").extra_cycles == 2 * 31);
  CHECK(r.extra_cycles == 2 * 31);
}

TEST_CASE("wide accesses take phases, and lanes that read one word share it") {
  std::vector<std::int64_t> rows, same(32, 128), wide;
  std::vector<int> lanes;
  for (int l = 0; l < 32; ++l) {
    lanes.push_back(l);
    rows.push_back(l * 16);
    wide.push_back(l * 32);
  }
  CHECK(proof::bank_cost(rows, lanes, 16).ways == 1);
  CHECK(proof::bank_cost(rows, lanes, 4).ways == 4);
  CHECK(proof::bank_cost(same, lanes, 4).ways == 1);
  CHECK(proof::bank_cost(wide, lanes, 16).ways == 2);
  CHECK(proof::bank_cost(wide, lanes, 16).extra_cycles == 4);
  CHECK(proof::sectors(rows, 16) == 16);
  CHECK(proof::sectors(same, 4) == 1);
  CHECK(proof::sectors(wide, 4) == 32);
}

TEST_CASE("sectors of global accesses are counted") {
  ProofReport r = prove(block_kernel(R"(
  %c2 = const {value = 2} : s32
  %c63 = const {value = 63} : s32
  %d = mul %t, %c2 : s32
  %i = and %d, %c63 : s32
  %v = load %x, %i : f32
  store %y, %t, %v
)"));
  CHECK(cost_of(r, "load %x").requests == 2);
  CHECK(cost_of(r, "load %x").sectors == 16);
  CHECK(cost_of(r, "store %y").sectors == 8);
  CHECK(cost_of(r, "store %y").ideal_sectors == 8);
}

TEST_CASE("a barrier that orders nothing is reported redundant, a needed one is not") {
  ProofReport r = prove(block_kernel(R"(
  %c63 = const {value = 63} : s32
  %v = load %x, %t : f32
  barrier {why = "nothing"}
  store %s, %t, %v
  barrier {why = "s is filled"}
  %from = sub %c63, %t : s32
  %w = load %s, %from : f32
  store %y, %t, %w
)"));
  REQUIRE(r.verdict == Verdict::Proved);
  REQUIRE(r.barriers.size() == 2);
  CHECK(r.barriers[0].redundant);
  CHECK_FALSE(r.barriers[1].redundant);
  CHECK(r.barriers[1].why == "s is filled");
}

TEST_CASE("a witness names threads, ops, source lines, element and address") {
  ProofReport r = prove(block_kernel(R"(
  %c1 = const {value = 1} : s32
  %v = load %x, %t : f32
  store %s, %t, %v
  %from = xor %t, %c1 : s32
  %w = load %s, %from : f32
  store %y, %t, %w
)",
                                     "slot %before: f32[3] x 1\n"));
  REQUIRE(r.verdict == Verdict::Refuted);
  const ProofFinding& f = r.findings[0];
  CHECK(f.property == Property::SharedRace);
  CHECK(f.threads[0] == 1);
  CHECK(f.threads[1] == 0);
  CHECK(f.buffer == "s");
  CHECK(f.element == 1);
  CHECK(f.address == 4);
  CHECK(f.ops[0].text == "store %s, %0, %2");
  CHECK(f.ops[0].loc.line == 15);
  CHECK(f.ops[1].loc.line == 17);
  auto json = nlohmann::json::parse(to_json(r));
  CHECK(json["verdict"] == "REFUTED");
  CHECK(json["findings"][0]["ops"][0]["thread"] == 1);
}

TEST_CASE("loops of run-time length are replayed for 0 to S+3 trips and ragged ends") {
  const char* text = R"(bir 1
kernel @k
axis d
param %x: in ptr<f32, global> [d]
param %y: out ptr<f32, global> [d]
size %d
slot %s: f32[64] x 2
threads 64 1 1
grid 1 1 1
{
  %t = thread_rank : s32
  %c0 = const {value = 0} : s32
  %c63 = const {value = 63} : s32
  %c64 = const {value = 64} : s32
  for %c0, %d, %c64 (%i: s32) {
    %use = div %i, %c64 : s32
    %slot = slot_at %s, %use : ptr<f32, shared>
    %at = add %i, %t : s32
    %in = cmp %at, %d {pred = lt} : i1
    %v = load %x, %at, %in : f32
    store %slot, %t, %v
    barrier
    %from = sub %c63, %t : s32
    %w = load %slot, %from : f32
    store %y, %at, %w, %in
    yield
  }
  yield
}
)";
  ProofReport r = prove(ir::parse(text));
  INFO(to_string(r));
  CHECK(r.verdict == Verdict::Proved);
  CHECK(r.all_trips);
  auto replayed = [&](const std::string& size) {
    return std::any_of(r.enumerated.begin(), r.enumerated.end(), [&](const std::string& e) {
      return e.find(size + ":") != std::string::npos;
    });
  };
  CHECK(replayed("d=1"));
  CHECK(replayed("d=65"));
  CHECK(replayed("d=257"));
  CHECK(replayed("d=64"));
  ProofOptions fixed;
  fixed.sizes["d"] = 100;
  r = prove(ir::parse(text), fixed);
  REQUIRE(r.enumerated.size() == 1);
  CHECK(r.enumerated[0].find("d=100") == 0);
}

TEST_CASE("shared accesses that differ from trip to trip are not claimed for all counts") {
  auto loop = [](const char* index) {
    std::string text =
        "bir 1\nkernel @k\naxis d\naxis n = 64\n"
        "param %x: in ptr<f32, global> [d, n]\nparam %y: out ptr<f32, global> [d, n]\n"
        "size %d\nslot %s: f32[64] x 1\nthreads 64 1 1\ngrid 1 1 1\n{\n"
        "%t = thread_rank : s32\n%c0 = const {value = 0} : s32\n"
        "%c1 = const {value = 1} : s32\n%c63 = const {value = 63} : s32\n"
        "%c64 = const {value = 64} : s32\n"
        "for %c0, %d, %c1 (%i: s32) {\n"
        "  %row = mul %i, %c64 : s32\n  %g = add %row, %t : s32\n"
        "  %v = load %x, %g : f32\n  %m = xor %t, %i : s32\n"
        "  %moving = and %m, %c63 : s32\n  store %s, ";
    text += index;
    return prove(ir::parse(text + ", %v\n  barrier\n  %w = load %s, %t : f32\n"
                                  "  store %y, %g, %w\n  barrier\n  yield\n}\nyield\n}\n"));
  };
  CHECK(loop("%t").all_trips);
  ProofReport moving = loop("%moving");
  INFO(to_string(moving));
  CHECK(moving.verdict == Verdict::Proved);
  CHECK_FALSE(moving.all_trips);
}

TEST_CASE("an op that no case reaches is named, and its barrier not called redundant") {
  ProofReport r = prove(block_kernel(R"(
  %c63 = const {value = 63} : s32
  %never = cmp %t, %c63 {pred = gt} : i1
  %v = load %x, %t : f32
  if %never () {
    barrier
    store %s, %t, %v
    yield
  } () {
    yield
  }
  store %y, %t, %v
)"));
  CHECK(r.verdict == Verdict::Proved);
  REQUIRE(r.notes.size() == 2);
  CHECK(r.notes[0].find("no replayed case comes to test.bir:16") == 0);
  REQUIRE(r.barriers.size() == 1);
  CHECK_FALSE(r.barriers[0].redundant);
}

TEST_CASE("what cannot be decided is left to the launch") {
  ProofReport r = prove(ir::parse(R"(bir 1
kernel @k
axis n = 64
axis k = 16
param %x: in ptr<s32, global> [n]
param %table: in ptr<f32, global> [k]
param %y: out ptr<f32, global> [n]
threads 16 1 1
grid 1 1 1
{
  %t = thread_rank : s32
  %c4 = const {value = 4} : s32
  %at = mul %t, %c4 : s32
  %i = load %x, %t : s32
  %w = load %table, %i : f32
  %v = pack %w, %w, %w, %w : vec<f32 x 4>
  store %y, %at, %v
  yield
}
)"));
  INFO(to_string(r));
  CHECK(r.verdict == Verdict::Proved);
  REQUIRE(r.preconditions.size() == 2);
  CHECK(r.preconditions[0].find("indices of table") == 0);
  CHECK(r.preconditions[1] == "y is aligned to 16 bytes");
}

TEST_CASE("a shared index from data is UNKNOWN unless it is masked to the slot") {
  auto with_mask = [](int mask) {
    return prove(
        block_kernel("%c0 = const {value = 0} : s32\n%m = const {value = " + std::to_string(mask) +
                         "} : s32\n"
                         "%v = load %x, %t : f32\nstore %s, %t, %v\nbarrier\n"
                         "%code = load %codes, %t : s32\n%i = and %code, %m : s32\n"
                         "%w = load %s, %i : f32\nstore %y, %t, %w\n",
                     "param %codes: in ptr<s32, global> [n]\n"));
  };
  CHECK(with_mask(63).verdict == Verdict::Proved);
  ProofReport r = with_mask(127);
  CHECK(r.verdict == Verdict::Unknown);
  CHECK(r.findings[0].property == Property::SharedBounds);
}

TEST_CASE("an access that data decides may meet another: UNKNOWN, not REFUTED") {
  ProofReport r = prove(block_kernel(R"(
  %c0 = const {value = 0} : s32
  %zero = const {value = 0.0} : f32
  %v = load %x, %t : f32
  %on = cmp %v, %zero {pred = gt} : i1
  store %s, %c0, %v, %on
  store %y, %t, %v
)"));
  CHECK(r.verdict == Verdict::Unknown);
  CHECK(r.findings[0].property == Property::SharedRace);
}

TEST_CASE("conditions that are known in some threads stay known there") {
  // Thread 0 alone may write, whatever the flag says: no race with itself.
  ProofReport r = prove(block_kernel(R"(
  %c0 = const {value = 0} : s32
  %zero = const {value = 0.0} : f32
  %v = load %x, %t : f32
  %first = cmp %t, %c0 {pred = eq} : i1
  %on = cmp %v, %zero {pred = gt} : i1
  %both = and %first, %on : i1
  store %s, %c0, %v, %both
  store %y, %t, %v
)"));
  INFO(to_string(r));
  CHECK(r.verdict == Verdict::Proved);
}

TEST_CASE("a replay past its allowance is UNKNOWN") {
  ProofOptions options;
  options.max_steps = 100;
  ProofReport r = prove(block_kernel("%v = load %x, %t : f32\nstore %y, %t, %v\n"), options);
  CHECK(r.verdict == Verdict::Unknown);
  CHECK(r.findings[0].property == Property::Replay);
}

TEST_CASE("an integer division by zero and a loop that does not advance are refuted") {
  ProofReport r = prove(block_kernel(R"(
  %c0 = const {value = 0} : s32
  %q = div %t, %c0 : s32
  %v = load %x, %q : f32
  store %y, %t, %v
)"));
  CHECK(r.verdict == Verdict::Refuted);
  CHECK(r.findings[0].property == Property::Arithmetic);
  r = prove(block_kernel(R"(
  %c0 = const {value = 0} : s32
  %c4 = const {value = 4} : s32
  for %c0, %c4, %c0 (%i: s32) {
    %v = load %x, %t : f32
    store %y, %t, %v
    yield
  }
)"));
  CHECK(r.verdict == Verdict::Refuted);
}

TEST_CASE("an access that other scalars might reach is not proved") {
  auto kernel_with = [](const std::string& condition) {
    return ir::parse(R"(bir 1
kernel @k
axis n = 64
param %y: out ptr<s32, global> [n]
param %c: s32
slot %s: s32[64] x 1
threads 64 1 1
grid 1 1 1
{
  %t = thread_rank : s32
  %zero = const {value = 0} : s32
  %limit = const {value = )" +
                     condition +
                     R"(} : s32
  %rare = cmp %c, %limit {pred = lt} : i1
  if %rare () {
    store %s, %zero, %t
    yield
  } () {
    yield
  }
  store %y, %t, %t
  yield
}
)");
  };
  CHECK(prove(kernel_with("0")).verdict == Verdict::Refuted);  // a negative scalar is tried
  ProofReport far = prove(kernel_with("-1000000"));
  CHECK(far.verdict == Verdict::Unknown);
  REQUIRE(far.findings.size() == 1);
  CHECK(far.findings[0].message.find("no replayed case comes to it") == 0);
}

TEST_CASE(
    "a kernel that asks whether a size is even, or a multiple of eight, is replayed at each") {
  auto r = prove(ir::parse(R"(bir 1
kernel @k
axis n
param %y: out ptr<f32, global> [n]
size %n
threads 32 1 1
grid n/64 1 1
{
  %t = thread_rank : s32
  %b = block_id {dim = 0} : s32
  %c0 = const {value = 0} : s32
  %c2 = const {value = 2} : s32
  %c8 = const {value = 8} : s32
  %c64 = const {value = 64} : s32
  %v = const {value = 1.0} : f32
  %o = mul %b, %c64 : s32
  %i = add %o, %t : s32
  %in = cmp %i, %n {pred = lt} : i1
  %r8 = rem %n, %c8 : s32
  %by8 = cmp %r8, %c0 {pred = eq} : i1
  if %by8 () {
    store %y, %i, %v, %in
    yield
  } () {
    %r2 = rem %n, %c2 : s32
    %by2 = cmp %r2, %c0 {pred = eq} : i1
    if %by2 () {
      store %y, %i, %v, %in
      yield
    } () {
      store %y, %i, %v, %in
      yield
    }
    yield
  }
  yield
}
)",
                           "test.bir"));
  INFO(to_string(r));
  CHECK(r.verdict == Verdict::Proved);
}
