// SPDX-License-Identifier: Apache-2.0
#include "tests/codegen/lower_fixture.h"

namespace barline::codegen::test {
namespace {

using ir::Elem;
using ir::Key;
using ir::Op;

/// Every arithmetic op on every type that its row allows.
void every_arithmetic(KernelMaker& m) {
  const auto numbers = floats + signeds + unsigneds;
  for (Op op : {Op::Add, Op::Sub, Op::Mul, Op::Min, Op::Max})
    for (Elem e : numbers) apply(m, op, e);
  for (Elem e : numbers) apply(m, Op::Div, e);
  for (Elem e : signeds + unsigneds) {
    apply(m, Op::Rem, e);
    if (ir::bits(e) >= 32) apply(m, Op::MulHi, e);
  }
  for (Elem e : floats + signeds) {
    apply(m, Op::Neg, e);
    apply(m, Op::Abs, e);
  }
  for (Elem e : floats) {
    apply(m, Op::Fma, e);
    apply(m, Op::Sqrt, e);
    for (int round = 0; round < 5; ++round) apply(m, Op::Round, e, {{Key::Round, round, {}}});
  }
}

void every_approximation(KernelMaker& m) {
  for (Op op : {Op::Ex2Approx, Op::Lg2Approx, Op::RcpApprox, Op::RsqrtApprox, Op::SinApprox,
                Op::CosApprox, Op::TanhApprox})
    for (Elem e : {Elem::F32, Elem::F16, Elem::BF16}) apply(m, op, e);
}

std::string ptx_of(Op op, Elem e, std::vector<ir::Attr> attrs = {}) {
  KernelMaker m;
  apply(m, op, e, std::move(attrs));
  return emit_ptx(m.kernel(), target("sm_90a"));
}

}  // namespace

TEST_CASE("the scan for unrounded arithmetic finds what it is for", "[codegen][lower]") {
  CHECK(unrounded("\tadd.f32 \t%f1, %f2, %f3;\n").size() == 1);
  CHECK(unrounded("@%p1 mul.f16 %rs1, %rs2, %rs3;\n").size() == 1);
  CHECK(unrounded("fma.rn.f32 %f1, %f2, %f3, %f4;\nadd.s32 %r1, %r2, %r3;\n").empty());
  CHECK(unrounded("atom.global.add.f32 %f1, [%rd1], %f2;\nmul.rn.bf16x2 %r1, %r2, %r3;\n").empty());
}

TEST_CASE("every float operation says how it rounds", "[codegen][lower]") {
  KernelMaker m;
  every_arithmetic(m);
  every_approximation(m);
  check_all_targets(m.kernel());
}

TEST_CASE("a product and a sum keep two roundings", "[codegen][lower]") {
  KernelMaker m;
  const auto product = m.b().binary(Op::Mul, m.input(Elem::F32), m.input(Elem::F32));
  m.output(m.b().binary(Op::Add, product, m.input(Elem::F32)));
  const std::string ptx = emit_ptx(m.kernel(), target("sm_90a"));
  CHECK(has(ptx, "mul.rn.f32"));
  CHECK(has(ptx, "add.rn.f32"));
  CHECK_FALSE(has(ptx, "fma"));
}

TEST_CASE("bf16 arithmetic is one fused operation on every target", "[codegen][lower]") {
  for (Op op : {Op::Add, Op::Sub, Op::Mul, Op::Fma}) {
    const std::string ptx = ptx_of(op, Elem::BF16);
    CHECK(find_lines(ptx, "fma.rn.bf16").size() == 1);
  }
}

TEST_CASE("signs of floats are flipped and cleared as bits", "[codegen][lower]") {
  CHECK(has(ptx_of(Op::Neg, Elem::F32), "xor.b32"));
  CHECK(has(ptx_of(Op::Abs, Elem::F64), "and.b64"));
  CHECK_FALSE(has(ptx_of(Op::Neg, Elem::F32), "neg.f32"));
  CHECK_FALSE(has(ptx_of(Op::Abs, Elem::F32), "abs.f32"));
}

TEST_CASE("minimum and maximum are PTX's own, which know NaN and the zeros", "[codegen][lower]") {
  CHECK(has(ptx_of(Op::Min, Elem::F32), "min.f32"));
  CHECK(has(ptx_of(Op::Max, Elem::F16), "max.f16"));
  CHECK(has(ptx_of(Op::Max, Elem::BF16), "max.bf16"));
  CHECK(has(ptx_of(Op::Min, Elem::U64), "min.u64"));
}

TEST_CASE("arithmetic assembles for every target", "[codegen][lower][ptxas]") {
  KernelMaker m;
  every_arithmetic(m);
  assemble_all_targets(m.kernel());
}

TEST_CASE("approximations assemble for every target", "[codegen][lower][ptxas]") {
  KernelMaker m;
  every_approximation(m);
  assemble_all_targets(m.kernel());
}

}  // namespace barline::codegen::test
