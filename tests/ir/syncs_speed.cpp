// SPDX-License-Identifier: Apache-2.0
// place_syncs on a kernel of the largest kind: 512 threads, a ring of four steps, 500 accesses of
// swizzled slots a trip. A schedule is compiled many times while it is tuned, so it is to be quick.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <chrono>

#include "ir/check.h"
#include "ir/parse.h"
#include "ir/passes/place_syncs.h"

using namespace barline::ir;

namespace {

constexpr const char* head = R"(bir 1
kernel @large
axis n
axis k
param %x: in ptr<f16, global> [n, k]
size %n
size %k
slot %a: f16[8192] x 4
slot %b: f16[16384] x 12
threads 512 1 1
grid n/1 1 1
{
%t = thread_rank : s32
%l = lane_id : s32
%w = warp_id : s32
%block = block_id {dim = 0} : s32
%c0 = const {value = 0} : s32
%c1 = const {value = 1} : s32
%c3 = const {value = 3} : s32
%c4 = const {value = 4} : s32
%c7 = const {value = 7} : s32
%c8 = const {value = 8} : s32
%c15 = const {value = 15} : s32
%c16 = const {value = 16} : s32
%c64 = const {value = 64} : s32
%trips = div %k, %c64 : s32
%source = mul %block, %k : s32
%row = div %t, %c8 : s32
%chunk = rem %t, %c8 : s32
%turn = and %row, %c7 : s32
%place = xor %chunk, %turn : s32
%col = mul %place, %c8 : s32
%line = mul %row, %c64 : s32
%to = add %line, %col : s32
%lane_row = and %l, %c15 : s32
%lane_col = shr %l, %c4 : s32
%part = rem %w, %c4 : s32
%first = mul %part, %c16 : s32
%from_row = add %lane_row, %first : s32
%from_turn = and %from_row, %c7 : s32
%from_line = mul %from_row, %c64 : s32
)";

std::string fill(const std::string& tag, const std::string& step) {
  std::string text = fmt::format(
      "%go{0} = cmp {1}, %trips {{pred = lt}} : i1\n%m{0} = mul {1}, %c3 : s32\n"
      "if %go{0} () {{\n%k{0} = mul {1}, %c64 : s32\n%s{0} = add %source, %k{0} : s32\n"
      "%f{0} = add %s{0}, %col : s32\n%pa{0} = slot_at %a, {1} : ptr<f16, shared>\n",
      tag, step);
  for (int i = 0; i < 2; ++i)
    text += fmt::format("copy_async %pa{}, %to, %x, %f{} {{offset = {}, lanes = 8}}\n", tag, tag,
                        4096 * i);
  for (int s = 0; s < 3; ++s) {
    text += fmt::format(
        "%v{0}_{1} = const {{value = {1}}} : s32\n%u{0}_{1} = add %m{0}, %v{0}_{1} : s32\n"
        "%pb{0}_{1} = slot_at %b, %u{0}_{1} : ptr<f16, shared>\n",
        tag, s);
    for (int i = 0; i < 4; ++i)
      text += fmt::format("copy_async %pb{0}_{1}, %to, %x, %f{0} {{offset = {2}, lanes = 8}}\n",
                          tag, s, 4096 * i);
  }
  return text + "yield\n} () {\nyield\n}\ncommit_copies\n";
}

std::string large() {
  std::string text = head;
  for (int k = 0; k < 4; ++k)
    text += fmt::format(
        "%k{0} = const {{value = {1}}} : s32\n%h{0} = add %lane_col, %k{0} : s32\n"
        "%x{0} = xor %h{0}, %from_turn : s32\n%y{0} = mul %x{0}, %c8 : s32\n"
        "%i{0} = add %from_line, %y{0} : s32\n",
        k, 2 * k);
  for (int p = 0; p < 3; ++p) {
    text += fmt::format("%p{0} = const {{value = {0}}} : s32\n", p);
    text += fill(fmt::format("p{}", p), fmt::format("%p{}", p));
  }
  text += "for %c0, %trips, %c1 (%i: s32) {\n%next = add %i, %c3 : s32\n" + fill("n", "%next");
  text += "%m = mul %i, %c3 : s32\n%na = slot_at %a, %i : ptr<f16, shared>\n";
  int n = 0;
  for (int s = 0; s < 3; ++s) {
    text += fmt::format("%o{0} = const {{value = {0}}} : s32\n%u{0} = add %m, %o{0} : s32\n", s);
    text += fmt::format("%nb{0} = slot_at %b, %u{0} : ptr<f16, shared>\n", s);
    for (int k = 0; k < 4; ++k)
      for (int j = 0; j < 40; ++j, ++n)
        text += j < 8
                    ? fmt::format("%r{} = load_matrix %na, %i{} {{offset = {}}} : vec<f16 x 8>\n",
                                  n, k, 4096 * (j % 2))
                    : fmt::format("%r{} = load_matrix %nb{}, %i{} {{offset = {}}} : vec<f16 x 8>\n",
                                  n, s, k, 512 * (j - 8) % 12288);
  }
  return text + "yield\n}\nyield\n}\n";
}

}  // namespace

TEST_CASE("barriers of a large kernel are placed in well under a second", "[ir]") {
  Kernel k = parse(large(), "large.bir");
  check(k);
  auto start = std::chrono::steady_clock::now();
  place_syncs(k);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  CHECK(seconds < 0.3);
  CHECK(count_barriers(k) == 1);
  walk(k.body, [](const Operation& op) {
    if (op.is(Op::Barrier)) CHECK(op.attr(Key::Pending, -1) == 2);
  });
}
