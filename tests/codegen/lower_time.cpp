// SPDX-License-Identifier: Apache-2.0
// Clocks are read from their special registers, where they stand among the accesses of memory.
#include "tests/codegen/lower_fixture.h"

namespace barline::codegen::test {
namespace {

const char* const clocks = R"(param %x: in ptr<u64, global> [n]
param %y: out ptr<u64, global> [n]
param %s: out ptr<u32, global> [n]
)";
const char* const between = R"(%c0 = clock : u64
%v = load %x, %t : u64
store %y, %t, %v
%c1 = clock : u64
%g = global_timer : u64
%sm = sm_id : u32
%d = sub %c1, %c0 : u64
%dg = add %d, %g : u64
store %y, %t, %dg {offset = 64}
store %s, %t, %sm
)";

}  // namespace

TEST_CASE("clocks keep their place among accesses of memory", "[codegen]") {
  const std::string ptx = emit_ptx(from_text(clocks, between), target("sm_80"));
  INFO(ptx);
  const auto first = ptx.find("%clock64"), second = ptx.find("%clock64", first + 1);
  const auto load = ptx.find("ld.global"), store = ptx.find("st.global");
  REQUIRE(second != ptx.npos);
  CHECK(first < load);
  CHECK(store < second);
  CHECK(find_lines(ptx, "%globaltimer").size() == 1);
  CHECK(find_lines(ptx, "%smid").size() == 1);
}

TEST_CASE("markers of regions do not reach code generation", "[codegen]") {
  const ir::Kernel k = from_text(
      std::string(clocks) + "region @a work\n",
      "%b = region_begin {region = 0} : u64\nregion_end %b {region = 0}\n" + std::string(between));
  CHECK_THROWS_WITH(emit_ptx(k, target("sm_80")), Catch::Contains("region_begin"));
}

}  // namespace barline::codegen::test
