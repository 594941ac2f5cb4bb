// SPDX-License-Identifier: Apache-2.0
// Where a target has no conversion from a small float, its bits are decoded by a recipe of integer
// operations and one exact product. LLVM folds the recipe of a constant: every code is decoded
// here, and the PTX stores the value that ir/half.h says.
#include <bit>
#include <map>

#include "ir/half.h"
#include "tests/codegen/lower_fixture.h"

namespace barline::codegen::test {
namespace {

using ir::Elem;
using ir::Op;

/// What a kernel stores that converts every code to f32: the bits, in the order of the codes.
std::vector<std::uint32_t> decoded(Elem from, const char* sm) {
  KernelMaker m;
  for (int code = 0; code < 1 << ir::bits(from); ++code)
    m.output(m.b().emit(Op::Cast, ir::scalar(Elem::F32),
                        {m.b().constant_bits(from, static_cast<std::uint64_t>(code))}));
  std::map<std::string, std::uint32_t> constants;  // by register
  std::vector<std::uint32_t> stored;
  for (const std::string& line : lines(emit_ptx(m.kernel(), target(sm)))) {
    const std::size_t reg = line.find("%f"), end = line.find_first_of(",;", reg);
    if (reg == line.npos) continue;
    const std::string name = line.substr(reg, end - reg);
    if (line.starts_with("mov.f32"))
      constants[name] =
          static_cast<std::uint32_t>(std::stoul(line.substr(line.find("0f") + 2), nullptr, 16));
    if (line.starts_with("st.global.f32")) stored.push_back(constants.at(name));
  }
  return stored;
}

template <class T>
void check_every_code(Elem from, const char* sm) {
  const std::vector<std::uint32_t> got = decoded(from, sm);
  REQUIRE(got.size() == std::size_t{1} << ir::bits(from));
  for (std::size_t code = 0; code < got.size(); ++code) {
    INFO(ir::name(from) << " code " << code << " on " << sm);
    CHECK(got[code] ==
          std::bit_cast<std::uint32_t>(ir::num::to_f32(T{static_cast<std::uint8_t>(code)})));
  }
}

}  // namespace

TEST_CASE("every code of e2m1 and e4m3 is decoded to its value", "[codegen][lower]") {
  for (const char* sm : {"sm_80", "sm_90a", "sm_120"})  // no PTX that LLVM 19 writes converts e2m1
    check_every_code<ir::e2m1_t>(Elem::E2M1, sm);
  for (const char* sm : {"sm_80", "sm_86"}) check_every_code<ir::e4m3_t>(Elem::E4M3, sm);
}

}  // namespace barline::codegen::test
