// SPDX-License-Identifier: Apache-2.0
// Matrix instructions: their text, and that nothing moves operands around between them.
#include <fmt/format.h>

#include "tests/codegen/lower_fixture.h"

namespace barline::codegen::test {
namespace {

using ir::Elem;
using ir::Key;
using ir::Op;
using Strings = std::vector<std::string>;

/// Two k-steps of a 16x8 product whose operands come by ldmatrix from two slots.
std::string product_body(const std::string& e, int k) {
  const std::string a = fmt::format("vec<{} x {}>", e, k / 2),
                    b = fmt::format("vec<{} x {}>", e, k / 4);
  return fmt::format(
      "%eight = const {{value = 8}} : s32\n%i = mul %t, %eight : s32\n"
      "%zero = const {{value = 0.0}} : f32\n%c = pack %zero, %zero, %zero, %zero : vec<f32 x 4>\n"
      "%a0 = load_matrix %x, %i : {0}\n%b0 = load_matrix %w, %i {{transpose = 1}} : {1}\n"
      "%c0 = mma %a0, %b0, %c : vec<f32 x 4>\n"
      "%a1 = load_matrix %x, %i {{offset = 512}} : {0}\n"
      "%b1 = load_matrix %w, %i {{offset = 512, transpose = 1}} : {1}\n"
      "%c1 = mma %a1, %b1, %c0 : vec<f32 x 4>\n"
      "store %y, %t, %c1\n",
      a, b);
}

ir::Kernel product(const std::string& e, int k) {
  return from_text(fmt::format("param %y: out ptr<f32, global> [n]\nslot %x: {0}[1024] x 1\n"
                               "slot %w: {0}[1024] x 1\n",
                               e),
                   product_body(e, k));
}

ir::Kernel product_s8() {
  return from_text(
      "param %p: in ptr<u32, global> [n]\nparam %y: out ptr<s32, global> [n]\n",
      "%zero = const {value = 0} : s32\n%c = pack %zero, %zero, %zero, %zero : vec<s32 x 4>\n"
      "%a = load %p, %t : vec<u32 x 4>\n%b = load %p, %t {offset = 64} : vec<u32 x 2>\n"
      "%d = mma %a, %b, %c : vec<s32 x 4>\nstore %y, %t, %d\n");
}

ir::Kernel transposed() {
  return from_text("param %p: inout ptr<bf16, global> [n]\n",
                   "%v = load %p, %t : vec<bf16 x 2>\n%r = move_matrix %v : vec<bf16 x 2>\n"
                   "store %p, %t, %r\n");
}

/// A loop that carries an accumulator and an operand.
ir::Kernel carried() {
  return from_text(
      "param %y: out ptr<f32, global> [n]\nslot %x: f16[4096] x 1\n",
      "%eight = const {value = 8} : s32\n%i = mul %t, %eight : s32\n%lo = const {value = 0} : s32\n"
      "%hi = const {value = 1024} : s32\n%step = const {value = 16} : s32\n"
      "%zero = const {value = 0.0} : f32\n%c = pack %zero, %zero, %zero, %zero : vec<f32 x 4>\n"
      "%first = load_matrix %x, %i : vec<f16 x 8>\n"
      "%r, %last = for %lo, %hi, %step, %c, %first : vec<f32 x 4>, vec<f16 x 8> "
      "(%k: s32, %acc: vec<f32 x 4>, %a: vec<f16 x 8>) {\n"
      "%at = add %i, %k : s32\n%next = load_matrix %x, %at {offset = 1024} : vec<f16 x 8>\n"
      "%b = extract %a {index = 2} : vec<f16 x 4>\n"
      "%sum = mma %a, %b, %acc : vec<f32 x 4>\nyield %sum, %next\n}\n"
      "store %y, %t, %r\n");
}

std::size_t count(const std::string& ptx, const std::string& part) {
  return find_lines(ptx, part).size();
}

}  // namespace

TEST_CASE("mma takes the form that its operands give it", "[codegen][lower]") {
  struct Case {
    const char* elem;
    int k;
    const char* form;
  };
  for (const Case& c : {Case{"f16", 16, "m16n8k16.row.col.f32.f16.f16.f32"},
                        Case{"bf16", 16, "m16n8k16.row.col.f32.bf16.bf16.f32"},
                        Case{"f16", 8, "m16n8k8.row.col.f32.f16.f16.f32"},
                        Case{"bf16", 8, "m16n8k8.row.col.f32.bf16.bf16.f32"}}) {
    const std::string ptx = emit_ptx(product(c.elem, c.k), target("sm_80"));
    INFO(ptx);
    CHECK(count(ptx, fmt::format("mma.sync.aligned.{}", c.form)) == 2);
  }
  CHECK(count(emit_ptx(product_s8(), target("sm_80")),
              "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32") == 1);
}

TEST_CASE("operands go from ldmatrix to mma in the registers they came in", "[codegen][lower]") {
  const std::string ptx = emit_ptx(product("bf16", 16), target("sm_90a"));
  INFO(ptx);
  CHECK(count(ptx, "{%rs") == 0);  // no register is taken apart
  CHECK(count(ptx, "prmt") == 0);
  CHECK(count(ptx, "%rs") == 0);
  const Strings loads = find_lines(ptx, "ldmatrix");
  REQUIRE(loads.size() == 4);
  for (const std::string& line : loads) {
    const bool a = has(line, ".x4.shared.b16"), b = has(line, ".x2.trans.shared.b16");
    CHECK(a != b);
    const std::string registers =
        line.substr(line.find('{') + 1, line.find('}') - line.find('{') - 1);
    CHECK(count(ptx, registers) == 2);  // the load and the product
  }
}

TEST_CASE("ldmatrix has a 32-bit address and its offset in the instruction", "[codegen][lower]") {
  const Strings loads = find_lines(emit_ptx(product("f16", 16), target("sm_80")), "ldmatrix");
  REQUIRE(loads.size() == 4);
  CHECK(has(loads[2], "+1024]"));
  CHECK(loads[2].substr(loads[2].find("[%"), 4) == loads[0].substr(loads[0].find("[%"), 4));
}

TEST_CASE("a constant term of a shared index goes into the instruction", "[codegen][lower]") {
  const ir::Kernel k = from_text(
      "slot %s: f32[1024] x 1\nparam %y: out ptr<f32, global> [n]\n",
      "%five = const {value = 5} : s32\n%m = const {value = -3} : s32\n%i = add %t, %five : s32\n"
      "%j = add %i, %m : s32\n%v = load %s, %j {offset = 2} : f32\nstore %y, %t, %v\n");
  const Strings loads = find_lines(emit_ptx(k, target("sm_80")), "ld.shared");
  REQUIRE(loads.size() == 1);
  CHECK(has(loads[0], "+16]"));
}

TEST_CASE("a loop carries operands in registers as they are", "[codegen][lower]") {
  const std::string ptx = emit_ptx(carried(), target("sm_80"));
  INFO(ptx);
  CHECK(count(ptx, "%rs") == 0);
  CHECK(count(ptx, "ldmatrix") == 2);
}

TEST_CASE("movmatrix asks for the PTX ISA that has it", "[codegen][lower]") {
  CHECK(ptx_isa(transposed(), target("sm_80")) == 78);
  const std::string ptx = emit_ptx(transposed(), target("sm_80"));
  CHECK(count(ptx, "movmatrix.sync.aligned.m8n8.trans.b16") == 1);
  CHECK(count(ptx, "%rs") == 0);
}

TEST_CASE("matrix instructions assemble for every target", "[codegen][lower][ptxas]") {
  for (const char* e : {"f16", "bf16"})
    for (int k : {8, 16}) assemble_all_targets(product(e, k));
  assemble_all_targets(product_s8());
  assemble_all_targets(transposed());
  assemble_all_targets(carried());
}

}  // namespace barline::codegen::test
