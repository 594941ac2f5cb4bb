// SPDX-License-Identifier: Apache-2.0
// The walk over code that the test writes instruction by instruction.
#include "codegen/sass/skeleton.h"

#include <catch2/catch.hpp>
#include <initializer_list>

#include "tests/codegen/assembler_fixture.h"

using namespace barline::codegen;
using namespace barline::codegen::test;

namespace {

constexpr std::uint64_t always = 7ull << 12, never = 15ull << 12;
constexpr std::uint64_t ldg = 0x981, stg = 0x986, bar = 0xb1d, hmma = 0x23c, wait = 0x82e,
                        ldgsts = 0xfae, ldl = 0x983, stl = 0x387, other = 0x210, nop = 0x918;
constexpr std::uint64_t mov = 0x202, mov_constant = 0xa02, imad = 0x224, lds = 0x984;
constexpr std::uint64_t imad_move = imad | 0xffull << 24 | 0xffull << 32;

Calibration table() {
  Calibration c("sm_test");
  c.set(ldg, SassOp::Ldg);
  c.set(stg, SassOp::Stg);
  c.set(bar, SassOp::Bar);
  c.set(hmma, SassOp::Hmma);
  c.set(wait, SassOp::GridWait);
  c.set(ldgsts, SassOp::CpAsync);
  c.set(ldl, SassOp::Ldl);
  c.set(stl, SassOp::Stl);
  c.set(lds, SassOp::Lds);
  c.set(mov, SassOp::Mov);
  c.set(imad, SassOp::Imad);
  c.set(nop, SassOp::Nop);
  return c;
}

SassSkeleton walk(std::initializer_list<std::uint64_t> code) {
  std::vector<std::byte> bytes(code.size() * 16);
  std::size_t at = 0;
  for (std::uint64_t word : code) {
    if (!(word & 15ull << 12)) word |= always;
    std::memcpy(bytes.data() + at, &word, sizeof word);
    at += 16;
  }
  return skeleton_of_code(bytes, table());
}

}  // namespace

TEST_CASE("instructions are counted by kind") {
  SassSkeleton s = walk({ldg, ldgsts, other, lds, bar, stg, stg, ldl, stl, stl, bar, nop, nop});
  CHECK(s.instructions == 11);
  CHECK(s.bars == 2);
  CHECK(s.global_loads == 2);
  CHECK(s.global_stores == 2);
  CHECK(s.shared_loads == 1);
  CHECK(s.local_loads == 1);
  CHECK(s.local_stores == 2);
  CHECK(s.count(SassOp::CpAsync) == 1);
  CHECK(s.sequence.size() == 10);
  CHECK(s.sequence[0] == SassOp::Ldg);
  CHECK(s.sequence[2] == SassOp::Lds);
}

TEST_CASE("loads before the first wait, barrier and matrix instruction") {
  SassSkeleton s = walk({ldg, ldgsts, wait, ldg, bar, ldg, hmma, ldg, wait, bar, hmma});
  CHECK(s.loads_before_wait == 2);
  CHECK(s.loads_before_barrier == 3);
  CHECK(s.loads_before_mma == 4);
  CHECK(walk({wait, ldg}).loads_before_wait == 0);
  SassSkeleton none = walk({ldg, stg});
  CHECK_FALSE(none.loads_before_wait);
  CHECK_FALSE(none.loads_before_barrier);
  CHECK_FALSE(none.loads_before_mma);
  CHECK_FALSE(none.movs_per_mma);
}

TEST_CASE("moves count between the first and the last matrix instruction") {
  SassSkeleton s = walk({mov, hmma, mov, imad_move, imad, mov_constant, hmma, mov});
  CHECK(s.moves == 4);
  CHECK(s.count(SassOp::Imad) == 1);
  CHECK(s.movs_per_mma == Approx(1.0));
  CHECK(walk({mov, hmma, hmma, mov}).movs_per_mma == Approx(0.0));
}

TEST_CASE("what never executes does not count") {
  SassSkeleton s = walk({lds | never, ldg | never, bar, ldg});
  CHECK(s.shared_loads == 0);
  CHECK(s.global_loads == 1);
  CHECK(s.loads_before_barrier == 0);
  CHECK(s.instructions == 2);
}

TEST_CASE("half an instruction is refused") {
  std::vector<std::byte> bytes(24);
  CHECK_THROWS_AS(skeleton_of_code(bytes, table()), CubinError);
  CHECK(skeleton_of_code({}, table()).instructions == 0);
}

TEST_CASE("forms of one operation count alike") {
  Calibration c = table();
  CHECK(c.of(0x388 - 1) == SassOp::Stl);
  CHECK(c.of(0x987) == SassOp::Stl);
  CHECK(c.has(SassOp::Stl));
  CHECK_FALSE(c.has(SassOp::Hgmma));
  CHECK(sass_op_name(SassOp::GridWait) == "GridWait");
}

TEST_CASE("a calibration is kept as one line of text") {
  Calibration c = table();
  CHECK(c.text().starts_with("sm_test Mov=002 Imad=024 GridWait=02e Hmma=03c"));
  CHECK(Calibration::from_text(c.text()) == c);
  CHECK(Calibration::from_text("sm_80") == Calibration("sm_80"));
  for (const char* bad : {"sm_80 Bar", "sm_80 Bar=", "sm_80 Bar=200", "sm_80 Bra=11dx",
                          "sm_80 Foo=11d", "sm_80 Other=001", "sm_80  Bar=11d"})
    CHECK_THROWS_AS(Calibration::from_text(bad), std::invalid_argument);
}
