// SPDX-License-Identifier: Apache-2.0
// Kernels over fragment tiles that break a rule: the code, the words, the fix and the line they are
// told. A case replaces or follows a line of a sound kernel; `//!` stands on the mistake.
#include <algorithm>
#include <catch2/catch.hpp>

#include "ir/check.h"
#include "ir/diagnostic.h"
#include "ir/parse.h"
#include "ir/print.h"

using namespace barline::ir;

namespace {

/// 64 x 16 over 2 x 2 warps; k in steps of 32.
const std::string head = R"(bir 1
kernel @k
axis M = 70
axis N = 20
axis K = 64
axis G of K / 16
axis W of K / 8
axis U of K / 64 * 128
axis P of N / 16
layout @c = reg 2 N * 1, lane 4 N * 2, lane 8 M * 1, reg 2 M * 8, reg 2 M * 16, warp 2 N * 8, warp 2 M * 32
layout @a = reg 2 K * 1, lane 4 K * 2, lane 8 M * 1, reg 2 M * 8, reg 4 K * 8, reg 2 M * 16, warp 2 M * 0, warp 2 M * 32
layout @b = reg 2 K * 1, lane 4 K * 2, lane 8 N * 1, reg 4 K * 8, warp 2 N * 8, warp 2 N * 0
layout @rows = lane 4 K * 0, lane 8 M * 1, reg 2 M * 8, reg 2 M * 16, warp 2 M * 0, warp 2 M * 32
layout @odd = reg 2 N * 1, lane 4 N * 2, lane 8 M * 1
layout @three = reg 2 N * 1, lane 4 N * 2, lane 8 M * 1, reg 2 M * 8, warp 4 K * 1
layout @stripe = reg 1 K * 1, lane 32 K * 1, warp 4 K * 32, chunk 1 K * 128
param %x: in ptr<f16, global> [M, K]
param %w: in ptr<f16, global> [N, K]
param %s: in ptr<f16, global> [N, G]
param %q: in ptr<u32, global> [N, W]
param %i: in ptr<u32, global> [P, U]
param %g: in ptr<f32, global> [N, K]
param %v: in ptr<f16, global> [K]
param %y: out ptr<f32, global> [M, N]
param %z: inout ptr<f16, global> [N, K]
param %o: out ptr<f16, global> [N, G]
slot %box: f16[512] x 1
slot %empty: f16[512] x 1
threads 128 1 1
grid M/64 N/16 1
{
  %0 = const {value = 0} : s32
  %acc = const {value = 0.0} : tile<f32, @c>
  %ta = fragment_load %x, %0, %0, %0 : tile<f16, @a>
  %tb = fragment_load %w, %0, %0, %0 : tile<f16, @b>
  %d = dot %acc, %ta, %tb : tile<f32, @c>
  fragment_store %y, %0, %0, %0, %d
)";

struct Case {
  Diag diag;
  const char* words;
  const char* fix;
  const char* body;
};

Kernel kernel(const std::string& body) {
  return parse(head + "  " + body + "\n  yield\n}\n", "case.bir");
}

void judge(const Case& c) {
  INFO(c.body);
  std::string text = c.body;
  auto before = head + text.substr(0, text.find("//!"));
  try {
    check(kernel(text));
  } catch (const Error& e) {
    const Diagnostic& d = e.diagnostic();
    INFO(e.what());
    CHECK(code(d.diag) == code(c.diag));
    CHECK_THAT(d.message, Catch::Contains(c.words));
    CHECK_THAT(d.fix, Catch::Contains(c.fix));
    CHECK(d.loc.line == 1 + std::count(before.begin(), before.end(), '\n'));
    return;
  }
  FAIL("nothing was refused; expected " << code(c.diag));
}

std::string fold_text(const std::string& in, const std::string& out, const std::string& axis) {
  return "%f = fold " + in + " {axis = " + axis + "} : " + out +
         " (%p: f16, %r: f16) { //!\n    %both = max %p, %r : f16\n    yield %both\n  }";
}

}  // namespace

TEST_CASE("a sound kernel over fragments passes, and its text reads back", "[ir][fragment]") {
  Kernel k = kernel(R"(%n = for %0, %0, %0, %d : tile<f32, @c> (%t: s32, %u: tile<f32, @c>) {
    %u2 = dot %u, %ta, %tb : tile<f32, @c>
    yield %u2
  }
  %sc = fragment_load %s, %0, %0, %0 : tile<f16, @b>
  %wd = fragment_load %q, %0, %0, %0 : tile<s4, @b>
  %pk = fragment_load %i, %0, %0, %0 {packed = 1} : tile<s4, @b>
  fill %box, %w, %0, %0, %0 {rows = 16, columns = 32, agent = cp_async}
  %st = fragment_load %box, %0, %0, %0 {columns = 32} : tile<f16, @b>
  %h = cast %wd {round = rn} : tile<f16, @b>
  %m = mul %h, %sc : tile<f16, @b>
  %pos = fragment_index {axis = 2} : tile<s32, @b>
  %top = fold %ta {axis = 2} : tile<f16, @rows> (%p: f16, %r: f16) {
    %both = max %p, %r : f16
    yield %both
  }
  %wide = spread %top : tile<f16, @a>)");
  check(k);
  std::string text = print(k);
  CHECK(print(parse(text, "again.bir")) == text);
}

TEST_CASE("rules of fragments say what, where and the fix", "[ir][fragment]") {
  const std::string over_other = fold_text("%ta", "tile<f16, @b>", "2");
  const std::string across = fold_text("%ta", "tile<f16, @rows>", "0");
  const std::string along = fold_text("%ta", "tile<f16, @rows>", "1");
  const Case cases[] = {
      // layouts
      {Diag::BadFragment, "over @odd, which is no fragment over 128 threads", "32 lanes",
       "%e = const {value = 0.0} : tile<f32, @odd> //!"},
      {Diag::BadFragment, "over @three, which is no fragment", "one or two axes",
       "%e = const {value = 0.0} : tile<f32, @three> //!"},
      {Diag::BadFragment, "over @stripe, which is no fragment", "32 lanes",
       "%e = fragment_load %v, %0, %0, %0 : tile<f16, @stripe> //!"},
      {Diag::BadFragment, "tile_store of a tile<f32, @c>, which is a fragment", "fragment_store",
       "tile_store %y, %0, %d //!"},
      {Diag::BadFragment, "fragment_store of a tile<f16, @stripe>, which is a stripe",
       "fragment_load",
       "%e = tile_load %v, %0 : tile<f16, @stripe>\n  fragment_store %z, %0, %0, %0, %e //!"},
      {Diag::BadFragment, "reduce of a tile<f32, @c>, which is a fragment", "fold",
       "%f = const {value = 0.0} : f32\n  %e = reduce %d, %f {team = thread} : f32 (%p: f32, %r: "
       "f32) { //!\n    yield %p\n  }"},
      {Diag::WrongAxis, "tiles over different axes", "one axis",
       "%e = add %ta, %tb : tile<f16, @a> //!"},
      // loads and stores
      {Diag::BadFragment, "of 'x' by a tile over other axes", "derived from",
       "%e = fragment_load %x, %0, %0, %0 : tile<f16, @b> //!"},
      {Diag::TypeMismatch, "fragment_load of tile<f32, @a> through a ptr<f16, global>", "then cast",
       "%e = fragment_load %x, %0, %0, %0 : tile<f32, @a> //!"},
      {Diag::BadStructure, "fragment_load without a result", "give it one",
       "fragment_load %x, %0, %0, %0 //!"},
      {Diag::BadFragment, "s8 in words of u32", "4 elements a word",
       "%e = fragment_load %q, %0, %0, %0 : tile<s8, @b> //!"},
      {Diag::BadFragment, "packed s8", "n by 8, k by 64 times 128",
       "%e = fragment_load %i, %0, %0, %0 {packed = 1} : tile<s8, @b> //!"},
      {Diag::BadAttr, "with packed", "u32 words",
       "%e = fragment_load %w, %0, %0, %0 {packed = 1} : tile<f16, @b> //!"},
      {Diag::BadFragment, "an axis that is derived by a factor", "packed = 1",
       "%e = fragment_load %i, %0, %0, %0 : tile<u32, @b> //!"},
      {Diag::BadFragment, "of a slot that nothing fills", "fill the slot",
       "%e = fragment_load %empty, %0, %0, %0 {columns = 32} : tile<f16, @b> //!"},
      {Diag::BadFragment, "512 elements in rows of 0", "columns",
       "fill %box, %w, %0, %0, %0 {rows = 16, columns = 32}\n"
       "  %e = fragment_load %box, %0, %0, %0 : tile<f16, @b> //!"},
      {Diag::ReadOfOutput, "fragment_load of 'y'", "InOut",
       "%e = fragment_load %y, %0, %0, %0 : tile<f32, @c> //!"},
      {Diag::WriteToInput, "fragment_store to 'x'", "Out or InOut",
       "fragment_store %x, %0, %0, %0, %ta //!"},
      {Diag::TypeMismatch, "fragment_store of ptr<f32, global> and tile<f16, @a>", "convert",
       "fragment_store %y, %0, %0, %0, %ta //!"},
      {Diag::BadFragment, "fragment_store of tile<f16, @b> along a derived axis", "own axes",
       "fragment_store %o, %0, %0, %0, %tb //!"},
      {Diag::BadFragment, "fragment_store to a slot", "a parameter",
       "fragment_store %box, %0, %0, %0, %tb //!"},
      // fills
      {Diag::BadFragment, "512 f16, with 16 x 16", "rows x columns",
       "fill %box, %w, %0, %0, %0 {rows = 16, columns = 16} //!"},
      {Diag::BadRoot, "fill of something that is no slot", "from a tensor",
       "fill %z, %w, %0, %0, %0 {rows = 16, columns = 32} //!"},
      {Diag::SlotMisuse, "fill of ptr<f32, global>", "convert",
       "fill %box, %g, %0, %0, %0 {rows = 16, columns = 32} //!"},
      {Diag::ReadOfOutput, "fill from 'o'", "declare the parameter In",
       "fill %box, %o, %0, %0, %0 {rows = 16, columns = 32} //!"},
      {Diag::WriteToInput, "fill by cp_async from 'z'", "by lane",
       "fill %box, %z, %0, %0, %0 {rows = 16, columns = 32, agent = cp_async} //!"},
      {Diag::BadAttr, "fill by tma", "by lane",
       "fill %box, %w, %0, %0, %0 {rows = 16, columns = 32, agent = tma} //!"},
      {Diag::BadAttr, "fill by cp_async of rows of 2 bytes", "multiple of 4 bytes",
       "fill %box, %w, %0, %0, %0 {rows = 512, columns = 1, agent = cp_async} //!"},
      {Diag::BadFragment, "fill of 16 rows from 'v'", "one row",
       "fill %box, %v, %0, %0, %0 {rows = 16, columns = 32} //!"},
      {Diag::DivergentConvergent, "fill under a condition", "all threads share",
       "%t = thread_rank : s32\n  %e = cmp %t, %0 {pred = eq} : i1\n  if %e () {\n    fill %box, "
       "%w, %0, %0, %0 {rows = 16, columns = 32} //!\n    yield\n  } () {\n    yield\n  }"},
      // computation
      {Diag::BadFragment, "dot of tile<f32, @c>, tile<f16, @b> and tile<f16, @b>",
       "acc over (m, n)", "%e = dot %acc, %tb, %tb : tile<f32, @c> //!"},
      {Diag::WrongClass, "dot of f16 into f16", "into f32",
       "%h = cast %acc {round = rn} : tile<f16, @c>\n  %e = dot %h, %ta, %tb : tile<f16, @c> //!"},
      {Diag::BadAttr, "fragment_index along axis 'N' of a tile over @a", "an axis of the tile",
       "%e = fragment_index {axis = 1} : tile<s32, @a> //!"},
      {Diag::BadAttr, "fragment_index along no axis", "an axis of the tile",
       "%e = fragment_index : tile<s32, @a> //!"},
      {Diag::TypeMismatch, "fragment_index gives a tile<s64, @a>", "s32",
       "%e = fragment_index {axis = 0} : tile<s64, @a> //!"},
      {Diag::BadFragment, "fold of tile<f16, @a> to tile<f16, @b>", "other axis alone",
       over_other.c_str()},
      {Diag::BadFragment, "fold of tile<f16, @a> along axis 'M'", "a single warp holds",
       across.c_str()},
      {Diag::BadAttr, "fold along axis 'N' of a tile over @a", "an axis of the tile",
       along.c_str()},
      {Diag::BadStructure, "shuffle in a combine", "one thread alone",
       "%f = fold %ta {axis = 2} : tile<f16, @rows> (%p: f16, %r: f16) {\n    %b = shuffle %p, %0 "
       "{mode = xor} : f16 //!\n    yield %b\n  }"},
      {Diag::BadFragment, "spread of tile<f16, @a> to tile<f16, @a>", "one axis of the result",
       "%e = spread %ta : tile<f16, @a> //!"},
  };
  for (const Case& c : cases) judge(c);
}

TEST_CASE("stripes and fragments want a block of whole warps", "[ir][fragment]") {
  const std::string stripes = R"(bir 1
kernel @k
axis n = 1000
layout @n = reg 1 n * 1, lane 32 n * 1, warp 6 n * 32, chunk 6 n * 192
param %x: in ptr<f32, global> [n]
threads 200 1 1
grid 1 1 1
{
  %0 = const {value = 0} : s32
  %v = tile_load %x, %0 : tile<f32, @n>
  yield
}
)";
  try {
    check(parse(stripes, "case.bir"));
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.diagnostic().diag == Diag::PartialWarp);
    CHECK(e.diagnostic().loc.line == 10);
    CHECK(e.diagnostic().message == "tile_load in a block of 200 threads");
    CHECK(e.diagnostic().fix == "make the block a multiple of 32 threads: 192 or 224");
  }
}
