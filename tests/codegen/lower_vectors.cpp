// SPDX-License-Identifier: Apache-2.0
// Elementwise ops on vectors: packed instructions where the target has them, and the scalars' own
// elsewhere.
#include <fmt/format.h>

#include "tests/codegen/lower_fixture.h"

namespace barline::codegen::test {
namespace {

using ir::Elem;
using ir::Key;
using ir::Op;
using Strings = std::vector<std::string>;

std::size_t count(const std::string& ptx, const std::string& part) {
  return find_lines(ptx, part).size();
}

ir::ValueId input(KernelMaker& m, Elem e, int lanes) {
  return m.b().emit(Op::Load, ir::vector(e, lanes), {m.pointer(e, ir::Access::In), m.thread()});
}

void apply(KernelMaker& m, Op op, Elem e, int lanes, std::vector<ir::Attr> attrs = {}) {
  std::vector<ir::ValueId> in;
  for (int i = 0; i < ir::def(op).in_count(); ++i) in.push_back(input(m, e, lanes));
  m.output(m.b().emit(op, ir::result_type(m.b().kernel(), op, in, {}), in, std::move(attrs)));
}

std::string ptx_of(Op op, Elem e, int lanes, const char* to = "sm_80") {
  KernelMaker m;
  apply(m, op, e, lanes);
  return emit_ptx(m.kernel(), target(to));
}

std::string cast_ptx(Elem from, Elem to, int lanes) {
  KernelMaker m;
  m.output(m.b().cast(to, input(m, from, lanes)));
  return emit_ptx(m.kernel(), target("sm_80"));
}

const std::vector<Elem> numbers = floats + signeds + unsigneds;

// Elementwise ops on vectors of every type that their rows allow; a kernel has only so many
// parameters.
void every_arithmetic(KernelMaker& m, int lanes) {
  for (Op op : {Op::Add, Op::Sub, Op::Mul, Op::Min, Op::Max, Op::Div})
    for (Elem e : numbers) apply(m, op, e, lanes);
  for (Elem e : floats)
    for (Op op : {Op::Fma, Op::Sqrt}) apply(m, op, e, lanes);
}

void every_other(KernelMaker& m, int lanes) {
  for (Op op : {Op::And, Op::Or, Op::Xor, Op::Not, Op::Shl, Op::Shr})
    for (Elem e : signeds + unsigneds) apply(m, op, e, lanes);
  for (Op op : {Op::Neg, Op::Abs})
    for (Elem e : floats + signeds) apply(m, op, e, lanes);
  for (Op op : {Op::Ex2Approx, Op::RcpApprox, Op::TanhApprox})
    for (Elem e : {Elem::F32, Elem::F16, Elem::BF16}) apply(m, op, e, lanes);
}

void every_choice(KernelMaker& m, int lanes) {
  for (Elem e : numbers) {
    const auto a = input(m, e, lanes), b = input(m, e, lanes);
    const auto less = m.b().compare(ir::Compare::Lt, a, b);
    m.output(m.b().emit(Op::Select, {less, a, b}));
    const auto one = m.b().emit(Op::Extract, ir::scalar(Elem::I1), {less}, {{Key::Index, 1, {}}});
    m.output(m.b().emit(Op::Select, {one, b, a}));
    for (Elem to : numbers) m.output(m.b().cast(to, a));
  }
}

constexpr auto groups = {&every_arithmetic, &every_other, &every_choice};

/// Bitcasts between all shapes of 64 bits, and packs and extracts at every place.
void every_regrouping(KernelMaker& m) {
  const std::vector<ir::Type> shapes = {
      ir::scalar(Elem::F64),    ir::scalar(Elem::U64),      ir::vector(Elem::F32, 2),
      ir::vector(Elem::U32, 2), ir::vector(Elem::F16, 4),   ir::vector(Elem::S16, 4),
      ir::vector(Elem::U8, 8),  ir::vector(Elem::E4M3, 8),  ir::vector(Elem::U4, 16),
      ir::vector(Elem::S4, 16), ir::vector(Elem::E2M1, 16), ir::vector(Elem::BF16, 4)};
  for (const ir::Type& from : shapes)
    for (const ir::Type& to : shapes) {
      const auto v = m.b().emit(Op::Load, from, {m.pointer(from.elem, ir::Access::In), m.thread()});
      m.output(m.b().emit(Op::Bitcast, to, {v}));
    }
  for (Elem e : {Elem::F16, Elem::F32, Elem::U8, Elem::I1}) {
    const auto v = input(m, e, 8);
    for (int lanes : {1, 2, 4})
      for (int at = 0; at + lanes <= 8; ++at) {
        const ir::Type t = lanes == 1 ? ir::scalar(e) : ir::vector(e, lanes);
        m.output(m.b().emit(Op::Extract, t, {v}, {{Key::Index, at, {}}}));
      }
    const auto one = m.b().emit(Op::Extract, ir::scalar(e), {v}, {{Key::Index, 3, {}}});
    const auto two = m.b().emit(Op::Extract, ir::vector(e, 2), {v}, {{Key::Index, 5, {}}});
    m.output(m.b().emit(Op::Pack, {one, two, one}));
    m.output(m.b().emit(Op::Pack, {two, one, two, two, one}));
  }
}

}  // namespace

TEST_CASE("f16 vectors are computed two elements an instruction", "[codegen][lower]") {
  for (auto [op, text] : {std::pair{Op::Add, "add.rn.f16x2"}, std::pair{Op::Sub, "sub.rn.f16x2"},
                          std::pair{Op::Mul, "mul.rn.f16x2"}, std::pair{Op::Fma, "fma.rn.f16x2"},
                          std::pair{Op::Min, "min.f16x2"}, std::pair{Op::Max, "max.f16x2"}}) {
    const std::string ptx = ptx_of(op, Elem::F16, 8);
    CHECK(count(ptx, text) == 4);
    CHECK(count(ptx, "%rs") == 0);
  }
}

TEST_CASE("bf16 vectors are computed by the packed fma", "[codegen][lower]") {
  for (const char* t : {"sm_80", "sm_90a"})
    for (Op op : {Op::Add, Op::Sub, Op::Mul, Op::Fma})
      CHECK(count(ptx_of(op, Elem::BF16, 4, t), "fma.rn.bf16x2") == 2);
  CHECK(count(ptx_of(Op::Max, Elem::BF16, 4), "max.bf16x2") == 2);
}

TEST_CASE("signs and bits of pairs are operations on words", "[codegen][lower]") {
  CHECK(count(ptx_of(Op::Neg, Elem::BF16, 4), "xor.b32") == 2);
  CHECK(count(ptx_of(Op::Abs, Elem::F16, 4), "and.b32") == 2);
  CHECK(count(ptx_of(Op::And, Elem::U16, 4), "and.b32") == 2);
  CHECK(count(ptx_of(Op::And, Elem::U32, 4), "and.b32") == 4);
}

TEST_CASE("f32 vectors convert to pairs in one instruction a pair", "[codegen][lower]") {
  CHECK(count(cast_ptx(Elem::F32, Elem::F16, 4), "cvt.rn.f16x2.f32") == 2);
  CHECK(count(cast_ptx(Elem::F32, Elem::BF16, 8), "cvt.rn.bf16x2.f32") == 4);
  const std::string widened = cast_ptx(Elem::BF16, Elem::F32, 4);
  CHECK(count(widened, "shl.b32") == 2);
  CHECK(count(widened, "and.b32") == 2);
  CHECK(count(widened, "%rs") == 0);
}

TEST_CASE("words and pairs are the same registers", "[codegen][lower]") {
  const ir::Kernel k = from_text(
      "param %p: inout ptr<u32, global> [n]\n",
      "%w = load %p, %t : vec<u32 x 4>\n%h = bitcast %w : vec<f16 x 8>\n"
      "%top = extract %h {index = 4} : vec<f16 x 4>\n%low = extract %h {index = 0} : vec<f16 x 4>\n"
      "%swapped = pack %top, %low : vec<f16 x 8>\n%r = bitcast %swapped : vec<u32 x 4>\n"
      "store %p, %t, %r\n");
  const std::string ptx = emit_ptx(k, target("sm_80"));
  INFO(ptx);
  CHECK(count(ptx, "%rs") == 0);
  CHECK(count(ptx, "shl") + count(ptx, "shr") + count(ptx, "or.b32") == 0);
}

TEST_CASE("a shift of all elements by one constant needs no clamp", "[codegen][lower]") {
  const ir::Kernel k =
      from_text("param %p: inout ptr<u32, global> [n]\n",
                "%w = load %p, %t : vec<u32 x 2>\n%four = const {value = 4} : u32\n"
                "%n = pack %four, %four : vec<u32 x 2>\n%r = shr %w, %n : vec<u32 x 2>\n"
                "store %p, %t, %r\n");
  const std::string ptx = emit_ptx(k, target("sm_80"));
  INFO(ptx);
  CHECK(count(ptx, "shr.b32") == 0);
  CHECK(count(ptx, "shr.u32") == 2);
}

TEST_CASE("every operation on vectors says how it rounds", "[codegen][lower]") {
  for (auto group : groups) {
    KernelMaker m;
    group(m, 4);
    check_all_targets(m.kernel());
  }
}

TEST_CASE("vectors assemble for every target", "[codegen][lower][ptxas]") {
  for (auto group : groups) {
    KernelMaker m;
    group(m, 2);
    assemble_all_targets(m.kernel());
  }
}

TEST_CASE("bitcasts, packs and extracts of vectors assemble for every target",
          "[codegen][lower][ptxas]") {
  KernelMaker m;
  every_regrouping(m);
  assemble_all_targets(m.kernel());
}

}  // namespace barline::codegen::test
