// SPDX-License-Identifier: Apache-2.0
#include "tests/codegen/lower_fixture.h"

namespace barline::codegen::test {
namespace {

constexpr const char* header =
    "param %x: inout ptr<f32, global> [n]\nparam %hi: s32\nparam %step: s32\n";

constexpr const char* sum_loop =
    "%zero = const {value = 0} : s32\n"
    "%f = const {value = 0.0} : f32\n"
    "%r, %last = for %zero, %hi, %step, %f, %zero : f32, s32 (%i: s32, %acc: f32, %old: s32) {\n"
    "%v = load %x, %i : f32\n"
    "%n = add %acc, %v : f32\n"
    "yield %n, %i\n"
    "}\n"
    "store %x, %last, %r\n";

constexpr const char* barrier_loop =
    "%zero = const {value = 0} : s32\n"
    "%four = const {value = 4} : s32\n"
    "%one = const {value = 1} : s32\n"
    "for %zero, %four, %one (%i: s32) {\n"
    "%a = load %x, %t : f32\n"
    "store %s, %t, %a\n"
    "barrier\n"
    "%b = load %s, %i : f32\n"
    "barrier\n"
    "store %x, %t, %b\n"
    "yield\n"
    "}\n";

/// Doubles until past 100, carrying a vector.
constexpr const char* while_loop =
    "%f = const {value = 1.0} : f32\n"
    "%v = pack %f, %f : vec<f32 x 2>\n"
    "%lim = const {value = 100.0} : f32\n"
    "%r, %w = while %f, %v : f32, vec<f32 x 2> (%a: f32, %c: vec<f32 x 2>) {\n"
    "%more = cmp %a, %lim {pred = lt} : i1\n"
    "condition %more, %a, %c\n"
    "} (%a2: f32, %c2: vec<f32 x 2>) {\n"
    "%d = add %a2, %a2 : f32\n"
    "%e = extract %c2 {index = 1} : f32\n"
    "%p = pack %e, %d : vec<f32 x 2>\n"
    "yield %d, %p\n"
    "}\n"
    "store %x, %t, %w\n"
    "store %x, %t, %r {offset = 4}\n";

constexpr const char* nested_if =
    "%ten = const {value = 10} : s32\n"
    "%p = cmp %t, %ten {pred = lt} : i1\n"
    "%r = if %p : f32 () {\n"
    "%v = load %x, %t : f32\n"
    "%q = cmp %t, %hi {pred = gt} : i1\n"
    "%s = if %q : f32 () {\n"
    "%u = add %v, %v : f32\n"
    "yield %u\n"
    "} () {\n"
    "yield %v\n"
    "}\n"
    "yield %s\n"
    "} () {\n"
    "%z = const {value = 3.0} : f32\n"
    "yield %z\n"
    "}\n"
    "store %x, %t, %r\n";

}  // namespace

TEST_CASE("a loop is guarded and tests at its end, where nothing can wrap", "[codegen][lower]") {
  const std::string text = emit_llvm(from_text(header, sum_loop), target("sm_90a"));
  CHECK(has(text, "llvm.ssub.sat.i32"));
  CHECK(find_lines(text, "icmp slt").size() == 2);  // before the loop and at its end
  CHECK(find_lines(text, "phi").size() == 5);       // i and two carried, two results
}

TEST_CASE("a loop with known trips needs no guard", "[codegen][lower]") {
  const std::string text = emit_llvm(
      from_text("param %x: inout ptr<f32, global> [n]\nslot %s: f32[64] x 1\n", barrier_loop),
      target("sm_90a"));
  CHECK_FALSE(has(text, "ssub.sat"));
  CHECK(find_lines(text, "icmp slt").size() == 1);
}

TEST_CASE("a loop with a barrier is not unrolled by the assembler", "[codegen][lower]") {
  const ir::Kernel k =
      from_text("param %x: inout ptr<f32, global> [n]\nslot %s: f32[64] x 1\n", barrier_loop);
  CHECK(has(emit_ptx(k, target("sm_90a")), ".pragma \"nounroll\";"));
  CHECK_FALSE(has(emit_ptx(from_text(header, sum_loop), target("sm_90a")), "nounroll"));
}

TEST_CASE("the machine code has the kernel's barriers", "[codegen][lower][ptxas]") {
  const ir::Kernel k =
      from_text("param %x: inout ptr<f32, global> [n]\nslot %s: f32[64] x 1\n", barrier_loop);
  const Calibration calibration = calibrate(ptxas(), "sm_90a");
  const Compiled c = compile(k, target("sm_90a"), ptxas(), {.calibration = &calibration});
  CHECK(c.barriers == 2);
  REQUIRE(c.skeleton);
  CHECK(c.skeleton->bars == 2);
  CHECK(c.smem_dynamic == 256);
}

TEST_CASE("control flow emits and assembles for every target", "[codegen][lower][ptxas]") {
  for (const char* body : {sum_loop, while_loop, nested_if}) {
    const ir::Kernel k = from_text(header, body);
    check_all_targets(k);
    assemble_all_targets(k);
  }
}

TEST_CASE("a tile that is left over is refused by name", "[codegen][lower]") {
  ir::Kernel k = from_text(header, "");
  k.body.ops.insert(k.body.ops.begin(), ir::Operation{.op = ir::Op::TileIndex,
                                                      .in = {},
                                                      .out = {},
                                                      .attrs = {},
                                                      .regions = {},
                                                      .loc = {"kernel.cpp", 7, 3}});
  CHECK_THROWS_WITH(emit_ptx(k, target("sm_90a")),
                    Catch::Contains("kernel.cpp:7:3") && Catch::Contains("tile_index reached"));
}

}  // namespace barline::codegen::test
