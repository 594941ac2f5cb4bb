// SPDX-License-Identifier: Apache-2.0
#include "tests/codegen/lower_fixture.h"

namespace barline::codegen::test {
namespace {

using ir::Elem;
using ir::Key;
using ir::Op;
using ir::Rounding;

std::vector<Elem> all_elems() {
  std::vector<Elem> all;
  for (int i = 0; i < ir::elem_count; ++i) all.push_back(static_cast<Elem>(i));
  return all;
}

bool tiny(Elem e) { return e == Elem::E4M3 || e == Elem::E5M2 || e == Elem::E2M1; }

std::vector<ir::Attr> rounds(Rounding r, bool saturate = false) {
  std::vector<ir::Attr> attrs{{Key::Round, static_cast<std::int64_t>(r), {}}};
  if (saturate) attrs.push_back({Key::Saturate, 1, {}});
  return attrs;
}

/// Every pair of types, with the roundings that the target type has.
void every_cast(KernelMaker& m, Rounding round, bool saturate) {
  for (Elem from : all_elems()) {
    const ir::ValueId v = m.input(from);
    for (Elem to : all_elems()) {
      if (round != Rounding::Rn && (tiny(to) || (ir::is_float(to) && round == Rounding::Rna)))
        continue;
      m.output(m.b().emit(Op::Cast, ir::scalar(to), {v}, rounds(round, saturate)));
    }
  }
}

void every_comparison(KernelMaker& m) {
  for (Elem e : all_elems()) {
    const auto a = m.input(e), b = m.input(e);
    for (int pred = 0; pred < (e == Elem::I1 ? 2 : 6); ++pred) {
      const auto c = m.b().compare(static_cast<ir::Compare>(pred), a, b);
      m.output(m.b().emit(Op::Select, {c, a, b}));
    }
  }
}

std::string cast_ptx(Elem from, Elem to, std::vector<ir::Attr> attrs, const char* sm = "sm_90a") {
  KernelMaker m;
  m.output(m.b().emit(Op::Cast, ir::scalar(to), {m.input(from)}, std::move(attrs)));
  return emit_ptx(m.kernel(), target(sm));
}

}  // namespace

TEST_CASE("a float becomes an integer by saturation, NaN by zero", "[codegen][lower]") {
  CHECK(has(cast_ptx(Elem::F32, Elem::S32, rounds(Rounding::Rn)), "cvt.rni.s32.f32"));
  CHECK(has(cast_ptx(Elem::F32, Elem::U32, rounds(Rounding::Rm)), "cvt.rmi.u32.f32"));
  // 64 bits: PTX takes a NaN to the sign bit there, so it is replaced.
  const std::string wide = cast_ptx(Elem::F32, Elem::S64, rounds(Rounding::Rz));
  CHECK(has(wide, "cvt.rzi.s64.f32"));
  CHECK(has(wide, "setp.nan.f32"));
  // Narrow integers are converted in 32 bits, then clamped to their own range.
  const std::string narrow = cast_ptx(Elem::F16, Elem::S8, rounds(Rounding::Rz));
  CHECK(has(narrow, "cvt.rzi.s32.f32"));
  CHECK(has(narrow, "127"));
  CHECK(has(narrow, "-128"));
}

TEST_CASE("a conversion that no instruction makes rounds to odd on the way", "[codegen][lower]") {
  const std::string ptx = cast_ptx(Elem::F64, Elem::BF16, rounds(Rounding::Rn));
  CHECK(has(ptx, "cvt.rz.f32.f64"));
  CHECK(has(ptx, "cvt.rn.bf16.f32"));
  CHECK_FALSE(has(ptx, "cvt.rn.f32.f64"));
  CHECK(has(cast_ptx(Elem::S64, Elem::BF16, rounds(Rounding::Rn)), "cvt.rz.f32.s64"));
}

TEST_CASE("8-bit floats use the instruction from sm_89 on", "[codegen][lower]") {
  const auto rn = rounds(Rounding::Rn);
  CHECK(has(cast_ptx(Elem::F32, Elem::E4M3, rn, "sm_90a"), "cvt.rn.satfinite.e4m3x2.f32"));
  CHECK(has(cast_ptx(Elem::E4M3, Elem::F32, rn, "sm_120"), "cvt.rn.f16x2.e4m3x2"));
  CHECK_FALSE(has(cast_ptx(Elem::F32, Elem::E4M3, rn, "sm_86"), "e4m3"));
  CHECK(has(cast_ptx(Elem::F32, Elem::E4M3, rn, "sm_89"), ".version 8.1"));
  CHECK(has(cast_ptx(Elem::F32, Elem::F16, rn, "sm_89"), ".version 7.8"));
}

TEST_CASE("with a NaN only ne holds", "[codegen][lower]") {
  KernelMaker m;
  every_comparison(m);
  const std::string ptx = emit_ptx(m.kernel(), target("sm_90a"));
  CHECK(has(ptx, "setp.neu.f32"));
  CHECK(has(ptx, "setp.lt.f32"));
  CHECK_FALSE(has(ptx, "setp.ne.f32"));
  CHECK_FALSE(has(ptx, "setp.ltu.f32"));
}

TEST_CASE("every pair of types emits for every target", "[codegen][lower]") {
  KernelMaker m;
  every_cast(m, Rounding::Rn, true);
  check_all_targets(m.kernel());
}

TEST_CASE("casts assemble for every target", "[codegen][lower][ptxas]") {
  const auto [round, saturate] =
      GENERATE(std::pair{Rounding::Rn, false}, std::pair{Rounding::Rn, true},
               std::pair{Rounding::Rm, false}, std::pair{Rounding::Rna, false});
  KernelMaker m;
  every_cast(m, round, saturate);
  assemble_all_targets(m.kernel());
}

TEST_CASE("comparisons assemble for every target", "[codegen][lower][ptxas]") {
  KernelMaker m;
  every_comparison(m);
  assemble_all_targets(m.kernel());
}

TEST_CASE("bitcasts keep the width and assemble", "[codegen][lower][ptxas]") {
  KernelMaker m;
  for (Elem from : all_elems())
    for (Elem to : all_elems())
      if (ir::bits(from) == ir::bits(to))
        m.output(m.b().emit(Op::Bitcast, ir::scalar(to), {m.input(from)}));
  assemble_all_targets(m.kernel());
}

}  // namespace barline::codegen::test
