// SPDX-License-Identifier: Apache-2.0
// Which vectors elementwise ops take, and what the matrix instructions of a warp want.
#include <catch2/catch.hpp>

#include "analyses.h"
#include "ir/diagnostic.h"
#include "ir/effects.h"
#include "ir/passes/place_syncs.h"

using namespace barline;
using namespace barline::ir;

namespace {

const std::string values =
    "%h = const {value = 1.0} : f16\n%e = const {value = 1.0} : f32\n%b = const {value = true} : "
    "i1\n"
    "%h2 = pack %h, %h : vec<f16 x 2>\n%h4 = pack %h2, %h2 : vec<f16 x 4>\n"
    "%h8 = pack %h4, %h4 : vec<f16 x 8>\n%f2 = pack %e, %e : vec<f32 x 2>\n"
    "%f4 = pack %f2, %f2 : vec<f32 x 4>\n%w2 = bitcast %h4 : vec<u32 x 2>\n"
    "%w4 = pack %w2, %w2 : vec<u32 x 4>\n%i4 = bitcast %w4 : vec<s32 x 4>\n"
    "%p4 = cmp %f4, %f4 {pred = lt} : vec<i1 x 4>\n";

std::string text(const std::string& body, const std::string& threads = "64 1 1") {
  return "bir 1\nkernel @k\naxis n = 4096\nparam %x: in ptr<u16, global> [n]\nslot %s: u16[1024] x "
         "1\nslot %f: f32[64] x 1\nthreads " +
         threads + "\ngrid 1 1 1\n{\n%t = thread_rank : s32\n" + values + body + "\nyield\n}\n";
}

void accept(const std::string& body) {
  INFO(body);
  CHECK_NOTHROW(check(parse(text(body), "t.bir")));
}

void refuse(Diag diag, const std::string& body, const std::string& words, const std::string& fix,
            const std::string& threads = "64 1 1") {
  INFO(body);
  try {
    check(parse(text(body, threads), "t.bir"));
  } catch (const Error& e) {
    CHECK(code(e.diagnostic().diag) == code(diag));
    CHECK_THAT(e.diagnostic().message, Catch::Contains(words));
    CHECK_THAT(e.diagnostic().fix, Catch::Contains(fix));
    CHECK(e.diagnostic().loc.line > 20);  // the op's, not the frame's
    return;
  }
  FAIL("accepted");
}

}  // namespace

TEST_CASE("elementwise ops take vectors of the same lanes", "[ir]") {
  accept("%a = fma %f4, %f4, %f4 : vec<f32 x 4>\n%c = neg %h8 : vec<f16 x 8>");
  accept("%a = cast %f4 : vec<bf16 x 4>\n%c = cast %a : vec<s8 x 4>");
  accept("%a = select %p4, %f4, %f4 : vec<f32 x 4>\n%c = select %b, %h8, %h8 : vec<f16 x 8>");
  refuse(Diag::TypeMismatch, "%a = add %h4, %h8 : vec<f16 x 8>", "vec<f16 x 4> and vec<f16 x 8>",
         "as many elements");
  refuse(Diag::TypeMismatch, "%a = mul %f4, %e : vec<f32 x 4>", "vec<f32 x 4> and f32",
         "pack a scalar");
  refuse(Diag::TypeMismatch, "%a = select %p4, %h8, %h8 : vec<f16 x 8>", "different lanes", "");
  refuse(Diag::TypeMismatch, "%a = select %p4, %e, %e : f32", "different lanes", "");
  refuse(Diag::TypeMismatch, "%a = add %f4, %f4 : f32", "add gives a f32", "vec<f32 x 4>");
  refuse(Diag::TypeMismatch, "%a = cast %f4 : vec<f16 x 2>", "cast gives a vec<f16 x 2>", "");
  refuse(Diag::TypeMismatch, "%a = cmp %f4, %f4 {pred = lt} : i1", "cmp gives a i1", "vec<i1 x 4>");
}

TEST_CASE("vectors do not mix with tiles", "[ir]") {
  const std::string kernel =
      "bir 1\nkernel @k\naxis d = 64\nlayout @a = reg 2 d * 1, lane 32 d * 2, warp 1 d * 64, chunk "
      "1 d * 64\nparam %x: in ptr<f32, global> [d]\nthreads 32 1 1\ngrid 1 1 1\n{\n"
      "%z = const {value = 0} : s32\n%l = tile_load %x, %z : tile<f32, @a>\n"
      "%v = load %x, %z : vec<f32 x 2>\n%r = add %l, %v : tile<f32, @a>\nyield\n}\n";
  CHECK_THROWS_WITH(check(parse(kernel)), Catch::Contains("different lanes"));
}

TEST_CASE("a bitcast keeps the total width", "[ir]") {
  accept(
      "%a = bitcast %h2 : u32\n%c = bitcast %a : vec<u8 x 4>\n%d = bitcast %c : vec<u4 x 8>\n"
      "%g = bitcast %d : f32\n%i = bitcast %h4 : f64");
  accept("%a = bitcast %p4 : vec<i1 x 4>");
  refuse(Diag::TypeMismatch, "%a = bitcast %h4 : u32", "bitcast gives a u32", "");
  refuse(Diag::TypeMismatch, "%a = bitcast %h4 : vec<u32 x 4>", "vec<u32 x 4>", "");
  refuse(Diag::TypeMismatch, "%c = const {value = 0} : u8\n%a = bitcast %c : vec<i1 x 8>",
         "vec<i1 x 8>", "");
}

TEST_CASE("pack counts elements, extract stays inside", "[ir]") {
  accept("%a = pack %h, %h2, %h : vec<f16 x 4>\n%c = extract %a {index = 1} : vec<f16 x 2>");
  accept("%a = pack %h8, %h8 : vec<f16 x 16>\n%c = extract %a {index = 8} : vec<f16 x 8>");
  refuse(Diag::TypeMismatch, "%a = pack %h2, %h : vec<f16 x 4>", "pack gives a vec<f16 x 4>",
         "vec<f16 x 3>");
  refuse(Diag::TypeMismatch, "%a = pack %h, %e : vec<f16 x 2>", "pack of f16 and f32", ".to(f16)");
  refuse(Diag::TypeMismatch, "%a = pack %h, %h : vec<f32 x 2>", "pack gives a vec<f32 x 2>", "");
  refuse(Diag::BadAttr, "%a = extract %h4 {index = 3} : vec<f16 x 2>", "index = 3", "docs/ops.md");
  refuse(Diag::BadAttr, "%a = extract %h4 {index = 4} : f16", "index = 4", "docs/ops.md");
  refuse(Diag::TypeMismatch, "%a = extract %h4 {index = 0} : vec<f32 x 2>", "extract gives", "");
}

TEST_CASE("mma takes the operands of its three shapes", "[ir]") {
  accept("%a = mma %h8, %h4, %f4 : vec<f32 x 4>\n%c = mma %h4, %h2, %a : vec<f32 x 4>");
  accept("%a = mma %w4, %w2, %i4 : vec<s32 x 4>");
  refuse(Diag::WrongClass, "%a = mma %f4, %f2, %f4 : vec<f32 x 4>", "operand 'a' of mma",
         "f16, bf16");
  refuse(Diag::TypeMismatch, "%a = mma %h8, %h8, %f4 : vec<f32 x 4>", "mma of vec<f16 x 8>",
         "m16n8k16");
  refuse(Diag::TypeMismatch, "%a = mma %h2, %h2, %f4 : vec<f32 x 4>", "mma of vec<f16 x 2>",
         "m16n8k8");
  refuse(Diag::TypeMismatch, "%a = mma %h8, %h4, %i4 : vec<s32 x 4>", "vec<s32 x 4>", "4 f32");
  refuse(Diag::TypeMismatch, "%a = mma %w4, %w4, %i4 : vec<s32 x 4>", "vec<u32 x 4>", "m16n8k32");
  refuse(Diag::TypeMismatch, "%a = mma %h8, %h4, %f4 : vec<f32 x 2>", "mma gives", "vec<f32 x 4>");
  refuse(Diag::TypeMismatch, "%a = mma %h8, %w2, %f4 : vec<f32 x 4>", "mma of", ".to(");
}

TEST_CASE("load_matrix reads rows of 16-bit elements of a slot", "[ir]") {
  accept(
      "%a = load_matrix %s, %t : vec<u16 x 2>\n%c = load_matrix %s, %t {offset = 8, transpose = "
      "1} : vec<u16 x 8>");
  refuse(Diag::WrongClass, "%a = load_matrix %f, %t : vec<f32 x 4>", "load_matrix of f32",
         "16 bits");
  refuse(Diag::BadRoot, "%a = load_matrix %x, %t : vec<u16 x 4>", "no slot", "copy");
  refuse(Diag::TypeMismatch, "%a = load_matrix %s, %t : vec<u16 x 16>", "vec<u16 x 16>",
         "1, 2 or 4 matrices");
  refuse(Diag::TypeMismatch, "%a = load_matrix %s, %t : u16", "load_matrix gives a u16", "");
  refuse(Diag::TypeMismatch, "%a = load_matrix %s, %t : vec<f16 x 4>", "vec<f16 x 4>", "");
  refuse(Diag::BadAttr, "%a = load_matrix %s, %t {transpose = 2} : vec<u16 x 4>", "transpose = 2",
         "docs/ops.md");
  refuse(Diag::BadStructure, "load_matrix %s, %t", "without a result", "give it one");
}

TEST_CASE("move_matrix takes the two elements of a lane", "[ir]") {
  accept("%a = move_matrix %h2 : vec<f16 x 2>");
  refuse(Diag::TypeMismatch, "%a = move_matrix %h4 : vec<f16 x 4>", "vec<f16 x 4>", "2 elements");
  refuse(Diag::WrongClass, "%a = move_matrix %f2 : vec<f32 x 2>", "f32", "bitcast");
}

TEST_CASE("a warp comes to a matrix instruction as a whole", "[ir]") {
  const std::string odd =
      "%one = const {value = 1} : s32\n%p = and %t, %one : s32\n%o = cmp %p, "
      "%one {pred = eq} : i1\n";
  for (const char* op :
       {"%a = mma %h8, %h4, %f4 : vec<f32 x 4>", "%a = move_matrix %h2 : vec<f16 x 2>",
        "%a = load_matrix %s, %t : vec<u16 x 2>"}) {
    refuse(Diag::DivergentConvergent, odd + "if %o () {\n" + op + "\nyield\n} () {\nyield\n}",
           "under a condition", "move it out");
    refuse(Diag::PartialWarp, op, "in a block of 16", "a multiple of 32", "16 1 1");
  }
}

TEST_CASE("a loaded or transposed matrix differs between lanes, whatever its operand", "[ir]") {
  const std::string zero = "%z = const {value = 0} : s32\n";
  for (const char* op :
       {"%a = load_matrix %s, %z : vec<u16 x 2>", "%a = move_matrix %h2 : vec<f16 x 2>"})
    refuse(Diag::DivergentConvergent,
           zero + op +
               "\n%w = bitcast %a : u32\n%q = const {value = 0} : u32\n%o = cmp %w, %q {pred = eq} "
               ": i1\nif %o () {\nbarrier\nyield\n} () {\nyield\n}",
           "barrier under a condition", "");
}

TEST_CASE("rows that a warp loads need an order after any lane's write of them", "[ir]") {
  auto barriers = [](const std::string& body) {
    Kernel k =
        parse(text("%eight = const {value = 8} : s32\n%i = mul %t, %eight : s32\n"
                   "%h16 = bitcast %h8 : vec<u16 x 8>\n" +
                   body));
    check(k);
    place_syncs(k);
    return count_barriers(k);
  };
  const std::string write = "store %s, %i, %h16\n",
                    load = "%m = load_matrix %s, %i : vec<u16 x 8>\n";
  CHECK(barriers(write + load) == 1);  // even of one's own row: others receive it
  CHECK(barriers(load + write) == 1);
  CHECK(barriers(write + "warp_sync\n" + load) == 0);
  CHECK(barriers(load + "%k = load_matrix %s, %i {transpose = 1} : vec<u16 x 4>") == 0);
  // Lanes 8 and up of an x1 name no row: theirs may be written.
  const std::string ninth = "%c = const {value = 64} : s32\nstore %s, %c, %h16\n";
  CHECK(barriers("%m = load_matrix %s, %i : vec<u16 x 2>\n" + ninth) == 0);
  CHECK(barriers("%m = load_matrix %s, %i : vec<u16 x 4>\n" + ninth) == 1);
}
