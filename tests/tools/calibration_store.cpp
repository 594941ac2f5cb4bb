// SPDX-License-Identifier: Apache-2.0
// A calibration survives its text form; a damaged text is refused.
#include "tools/calibration_store.h"

#include <catch2/catch.hpp>

using namespace barline;
using codegen::SassOp;

TEST_CASE("a calibration survives its text form") {
  codegen::Calibration c("sm_80");
  c.set(0x11d, SassOp::Bar);
  c.set(0x381, SassOp::Ldg);
  c.set(0x181, SassOp::Ldg);
  std::string text = tools::to_text(c);
  auto back = tools::calibration_of(text, "sm_80");
  REQUIRE(back);
  for (std::uint16_t code = 0; code < 512; ++code) CHECK(back->of(code) == c.of(code));
  CHECK(back->has(SassOp::Bar));
  CHECK_FALSE(back->has(SassOp::Hmma));
  CHECK_FALSE(tools::calibration_of("Bar 200\n", "sm_80"));
  CHECK_FALSE(tools::calibration_of("Nonsense 1\n", "sm_80"));
  CHECK_FALSE(tools::calibration_of("Bar 1 zz\n", "sm_80"));
}
