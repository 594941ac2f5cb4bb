// SPDX-License-Identifier: Apache-2.0
// How widely a value is the same: by op, through branches and loops, by block shape.
#include "ir/uniformity.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "analyses.h"

using namespace barline;
using namespace barline::ir;
using test::analysed;
using test::named;

namespace {

Team team_of(const std::string& body, const std::string& name,
             const std::string& threads = "64 1 1") {
  Kernel k = analysed(body, threads);
  return uniformity(k)[named(k, name)];
}

}  // namespace

TEST_CASE("identities are as uniform as the launch makes them", "[ir]") {
  CHECK(team_of("", "zero") == Team::Grid);
  CHECK(team_of("", "n") == Team::Grid);
  CHECK(team_of("", "f") == Team::Grid);
  CHECK(team_of("", "t") == Team::Thread);
  CHECK(team_of("", "t", "1 1 1") == Team::Grid);
  CHECK(team_of("%b = block_id {dim = 0} : s32", "b") == Team::Cta);
  CHECK(team_of("%g = grid_dim {dim = 0} : s32", "g") == Team::Grid);
  CHECK(team_of("%l = lane_id : s32", "l") == Team::Thread);
  CHECK(team_of("%w = warp_id : s32", "w") == Team::Warp);
  CHECK(team_of("%w = warp_id : s32", "w", "32 1 1") == Team::Grid);
  // Where x fills whole warps, a warp has one y; a dimension of one thread is constant.
  CHECK(team_of("%y1 = thread_id {dim = 1} : s32", "y1", "32 4 1") == Team::Warp);
  CHECK(team_of("%y1 = thread_id {dim = 1} : s32", "y1", "16 4 1") == Team::Thread);
  CHECK(team_of("%z1 = thread_id {dim = 2} : s32", "z1", "16 2 2") == Team::Warp);
  CHECK(team_of("%z1 = thread_id {dim = 2} : s32", "z1", "16 4 1") == Team::Grid);
}

TEST_CASE("a result is as uniform as its operands", "[ir]") {
  CHECK(team_of("%a = add %n, %f : s32", "a") == Team::Grid);
  CHECK(team_of("%b = block_id {dim = 0} : s32\n%a = add %n, %b : s32", "a") == Team::Cta);
  CHECK(team_of("%w = warp_id : s32\n%a = add %n, %w : s32", "a") == Team::Warp);
  CHECK(team_of("%a = mul %n, %t : s32", "a") == Team::Thread);
}

TEST_CASE("loads agree where their place does and nothing writes there", "[ir]") {
  CHECK(team_of("%a = load %x, %n {order = const} : s32", "a") == Team::Grid);
  CHECK(team_of("%a = load %x, %t {order = const} : s32", "a") == Team::Thread);
  CHECK(team_of("%a = load %x, %n : s32", "a") == Team::Thread);
  CHECK(team_of("%a = load %z, %n : s32", "a") == Team::Thread);
  CHECK(team_of("%a = load %s, %one : s32", "a") == Team::Cta);
  CHECK(team_of("%a = load %s, %t : s32", "a") == Team::Thread);
  CHECK(team_of("%p = slot_at %r, %f : ptr<s32, shared>\n%a = load %p, %one : s32", "a") ==
        Team::Cta);
  CHECK(team_of("%p = slot_at %r, %t : ptr<s32, shared>\n%a = load %p, %one : s32", "a") ==
        Team::Thread);
  // An atomic may come between two threads' reads without a race.
  CHECK(team_of("%o = atomic %s, %one, %one {rmw = add} : s32\n%a = load %s, %one : s32", "a") ==
        Team::Thread);
}

TEST_CASE("teams that exchange values agree on them", "[ir]") {
  CHECK(team_of("%c = cmp %t, %one {pred = eq} : i1\n%a = vote %c {vote = any} : i1", "a") ==
        Team::Warp);
  CHECK(team_of("%c = cmp %t, %one {pred = eq} : i1\n%a = vote %c {vote = any} : i1", "a",
                "32 1 1") == Team::Cta);
  CHECK(team_of("%a = shuffle %t, %one {mode = index} : s32", "a") == Team::Warp);
  CHECK(team_of("%a = shuffle %t, %t {mode = index} : s32", "a") == Team::Thread);
  CHECK(team_of("%a = shuffle %t, %one {mode = xor} : s32", "a") == Team::Thread);
  auto reduce = [](const char* team) {
    return std::string("%a = reduce %t, %zero {team = ") + team +
           "} : s32 (%p: s32, %q: s32) {\n%m = max %p, %q : s32\nyield %m\n}";
  };
  CHECK(team_of(reduce("warp"), "a") == Team::Warp);
  CHECK(team_of(reduce("cta"), "a") == Team::Cta);
  CHECK(team_of("%o = atomic %s, %one, %one {rmw = add} : s32", "o") == Team::Thread);
}

TEST_CASE("what leaves a branch is no more uniform than its condition", "[ir]") {
  auto branch = [](const char* on) {
    return std::string("%c = cmp ") + on +
           ", %one {pred = lt} : i1\n%a = if %c : s32 () {\nyield %zero\n} () {\nyield %one\n}";
  };
  CHECK(team_of(branch("%t"), "a") == Team::Thread);
  CHECK(team_of(branch("%n"), "a") == Team::Grid);
}

TEST_CASE("what a loop carries is no more uniform than its trips and what it is given", "[ir]") {
  auto loop = [](const char* hi, const char* given) {
    return std::string("%a = for %zero, ") + hi +
           ", %one, %one : s32 (%i: s32, %acc: s32) {\n%b = add %acc, " + given +
           " : s32\nyield %b\n}";
  };
  CHECK(team_of(loop("%n", "%one"), "a") == Team::Grid);
  CHECK(team_of(loop("%t", "%one"), "a") == Team::Thread);
  CHECK(team_of(loop("%n", "%t"), "a") == Team::Thread);
  CHECK(team_of(loop("%n", "%t"), "i") == Team::Grid);
  CHECK(team_of(loop("%t", "%one"), "i") == Team::Thread);
  // A divergent value reaches the other carried value in the second round.
  CHECK(
      team_of("%a, %b = for %zero, %n, %one, %one, %zero : s32, s32 (%i: s32, %p: s32, %q: s32) {\n"
              "%d = add %q, %t : s32\nyield %q, %d\n}",
              "a") == Team::Thread);
  auto whiles = [](const char* limit) {
    return std::string("%a = while %zero : s32 (%p: s32) {\n%c = cmp %p, ") + limit +
           " {pred = lt} : i1\ncondition %c, %p\n} (%q: s32) {\n%d = add %q, %one : s32\nyield "
           "%d\n}";
  };
  CHECK(team_of(whiles("%n"), "a") == Team::Grid);
  CHECK(team_of(whiles("%t"), "a") == Team::Thread);
}

TEST_CASE("control flow is as uniform as the conditions around it", "[ir]") {
  Kernel k = analysed(
      "%w = warp_id : s32\n%cw = cmp %w, %one {pred = eq} : i1\n%ct = cmp %t, %one {pred = eq} : "
      "i1\n"
      "if %cw () {\n%a = neg %one : s32\nif %ct () {\n%b = neg %one : s32\nyield\n} () "
      "{\nyield\n}\nyield\n} () {\nyield\n}\n%c = neg %one : s32");
  std::map<std::string, Team> seen;
  walk_control(k, uniformity(k), [&](const Operation& op, Team team) {
    if (op.is(Op::Neg)) seen[k.values[op.out[0]].name] = team;
  });
  CHECK(seen.at("a") == Team::Warp);
  CHECK(seen.at("b") == Team::Thread);
  CHECK(seen.at("c") == Team::Grid);
}
