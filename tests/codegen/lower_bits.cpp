// SPDX-License-Identifier: Apache-2.0
#include "tests/codegen/lower_fixture.h"

namespace barline::codegen::test {
namespace {

using ir::Elem;
using ir::Op;

void every_bit_operation(KernelMaker& m) {
  const auto integers = signeds + unsigneds;
  for (Op op : {Op::And, Op::Or, Op::Xor})
    for (Elem e : integers) apply(m, op, e);
  for (Elem e : integers) apply(m, Op::Not, e);
  for (Op op : {Op::Shl, Op::Shr})
    for (Elem e : integers) {
      const auto a = m.input(e);
      m.output(m.b().emit(op, {a, m.input(Elem::S32)}));
      for (int n : {0, 3, ir::bits(e) - 1, ir::bits(e), 200})
        m.output(m.b().emit(op, {a, m.b().constant(Elem::U32, n)}));
    }
  for (Op op : {Op::Popc, Op::Clz, Op::Brev})
    for (Elem e : {Elem::S32, Elem::U32, Elem::S64, Elem::U64}) apply(m, op, e);
  apply(m, Op::BytePermute, Elem::U32);
}

/// PTX of a shift by a constant.
std::string shift(Op op, Elem e, std::int64_t n) {
  KernelMaker m;
  m.output(m.b().emit(op, {m.input(e), m.b().constant(Elem::S32, n)}));
  return emit_ptx(m.kernel(), target("sm_80"));
}

}  // namespace

TEST_CASE("a shift past the width is left to PTX, which clamps", "[codegen][lower]") {
  CHECK(has(shift(Op::Shl, Elem::U32, 40), "shl.b32"));
  CHECK(has(shift(Op::Shr, Elem::S64, 64), "shr.s64"));
  CHECK(has(shift(Op::Shr, Elem::U8, 9), "shr.u32"));
  CHECK(has(shift(Op::Shl, Elem::S32, -1), "mov.b32"));
}

TEST_CASE("a shift within the width needs no assembly", "[codegen][lower]") {
  const std::string ptx = shift(Op::Shl, Elem::U32, 31);
  CHECK(find_lines(ptx, "shl.b32").size() == 1);
  CHECK(find_lines(ptx, "shl.b32").front().ends_with(", 31;"));
}

TEST_CASE("bit operations emit for every target", "[codegen][lower]") {
  KernelMaker m;
  every_bit_operation(m);
  check_all_targets(m.kernel());
}

TEST_CASE("bit operations assemble for every target", "[codegen][lower][ptxas]") {
  KernelMaker m;
  every_bit_operation(m);
  assemble_all_targets(m.kernel());
}

}  // namespace barline::codegen::test
