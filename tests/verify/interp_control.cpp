// SPDX-License-Identifier: Apache-2.0
// Structured control flow under divergence: each lane takes its own trips and keeps its own values.
#include <catch2/catch.hpp>

#include "interp_run.h"

using namespace barline;
using namespace barline::verify;
using ir::Elem;

namespace {

std::vector<std::int32_t> iota(int n) {
  std::vector<std::int32_t> v;
  for (int i = 0; i < n; ++i) v.push_back(i);
  return v;
}

std::vector<std::int32_t> on_s32(const std::string& body, const std::vector<std::int32_t>& x) {
  return apply<std::int32_t>(Elem::S32, Elem::S32, body, x, x);
}

}  // namespace

TEST_CASE("for: trips differ from lane to lane, also none") {
  auto got = on_s32(
      "%z0 = const {value = 0} : s32\n%one = const {value = 1} : s32\n"
      "%r = for %z0, %a, %one, %z0 : s32 (%k: s32, %sum: s32) {\n"
      "%next = add %sum, %k : s32\nyield %next\n}",
      iota(70));
  for (int i = 0; i < 70; ++i) REQUIRE(got[i] == i * (i - 1) / 2);
}

TEST_CASE("for: carried values that swap are taken before they are written") {
  auto got = on_s32(
      "%z0 = const {value = 0} : s32\n%one = const {value = 1} : s32\n"
      "%r, %q, %s = for %z0, %a, %one, %z0, %one, %a : s32, s32, s32 "
      "(%k: s32, %f: s32, %g: s32, %h: s32) {\n"
      "%sum = add %f, %g : s32\nyield %g, %sum, %f\n}",
      iota(20));
  int f = 0, g = 1;
  for (int i = 0; i < 20; ++i) {
    REQUIRE(got[i] == f);
    int sum = f + g;
    f = g;
    g = sum;
  }
}

TEST_CASE("while: Collatz steps, each lane its own number of trips") {
  auto got = on_s32(
      "%z0 = const {value = 0} : s32\n%one = const {value = 1} : s32\n%two = const {value = 2} : "
      "s32\n%three = const {value = 3} : s32\n"
      "%v, %r = while %a, %z0 : s32, s32 (%n1: s32, %k1: s32) {\n"
      "%go = cmp %n1, %one {pred = gt} : i1\ncondition %go, %n1, %k1\n"
      "} (%n2: s32, %k2: s32) {\n"
      "%odd = and %n2, %one : s32\n%is_odd = cmp %odd, %one {pred = eq} : i1\n"
      "%n3 = if %is_odd : s32 () {\n%m = mul %n2, %three : s32\n%m1 = add %m, %one : s32\nyield "
      "%m1\n"
      "} () {\n%h = div %n2, %two : s32\nyield %h\n}\n"
      "%k3 = add %k2, %one : s32\nyield %n3, %k3\n}",
      iota(64));
  for (int i = 0; i < 64; ++i) {
    int steps = 0;
    for (int n = i; n > 1; n = n % 2 ? 3 * n + 1 : n / 2) ++steps;
    REQUIRE(got[i] == steps);
  }
}

TEST_CASE("if without results, nested in a for: side effects only where the condition holds") {
  const std::string text =
      "kernel @k\naxis n = 64\nparam %y: inout ptr<s32, global> [n]\nthreads 64 1 1\ngrid 1 1 "
      "1\n{\n"
      "%t = thread_rank : s32\n%z = const {value = 0} : s32\n%one = const {value = 1} : s32\n"
      "%eight = const {value = 8} : s32\n"
      "for %z, %eight, %one (%k: s32) {\n"
      "%bit = shr %t, %k : s32\n%low = and %bit, %one : s32\n%set = cmp %low, %one {pred = eq} : "
      "i1\n"
      "if %set () {\n%old = load %y, %t : s32\n%new = add %old, %one : s32\nstore %y, %t, "
      "%new\nyield\n"
      "} () {\nyield\n}\nyield\n}\nyield\n}\n";
  ir::Tensor y(Elem::S32, {64});
  REQUIRE(run(text, {y}).clean());
  for (int i = 0; i < 64; ++i) REQUIRE(values<std::int32_t>(y)[i] == std::popcount(unsigned(i)));
}

TEST_CASE("a for whose step is not positive traps") {
  const std::string text =
      "kernel @k\naxis n = 32\nparam %y: out ptr<s32, global> [n]\nparam %step: s32\nthreads 32 1 "
      "1\n"
      "grid 1 1 1\n{\n%z = const {value = 0} : s32\n%t = thread_rank : s32\n"
      "for %z, %t, %step (%k: s32) {\nstore %y, %t, %k\nyield\n}\nyield\n}\n";
  ir::Tensor y(Elem::S32, {32});
  SimReport r = run(text, {y, ir::Scalar{Elem::S32, 0}});
  REQUIRE(r.finding);
  REQUIRE(r.finding->kind == FindingKind::Trap);
  REQUIRE(run(text, {y, ir::Scalar{Elem::S32, 1}}).clean());
}

TEST_CASE("ids and grid in three dimensions") {
  const std::string text =
      "kernel @k\naxis n = 480\nparam %y: out ptr<s32, global> [n]\nthreads 4 2 3\ngrid 2 5 2\n{\n"
      "%x = thread_id {dim = 0} : s32\n%yy = thread_id {dim = 1} : s32\n%z = thread_id {dim = 2} : "
      "s32\n%bx = block_id {dim = 0} : s32\n%by = block_id {dim = 1} : s32\n%bz = block_id {dim = "
      "2} "
      ": s32\n%gx = grid_dim {dim = 0} : s32\n%gy = grid_dim {dim = 1} : s32\n"
      "%four = const {value = 4} : s32\n%two = const {value = 2} : s32\n%c24 = const {value = 24} "
      ": "
      "s32\n%a1 = mul %z, %two : s32\n%a2 = add %a1, %yy : s32\n%a3 = mul %a2, %four : s32\n%rank "
      "= "
      "add %a3, %x : s32\n%b1 = mul %bz, %gy : s32\n%b2 = add %b1, %by : s32\n%b3 = mul %b2, %gx : "
      "s32\n%block = add %b3, %bx : s32\n%o = mul %block, %c24 : s32\n%i = add %o, %rank : s32\n"
      "%own = thread_rank : s32\n%d = sub %rank, %own : s32\n%v = add %i, %d : s32\n"
      "store %y, %i, %v\nyield\n}\n";
  ir::Tensor y(Elem::S32, {480});
  SimReport r = run(text, {y});
  REQUIRE(r.clean());
  REQUIRE(r.counts.blocks == 20);
  REQUIRE(values<std::int32_t>(y) == iota(480));
}
