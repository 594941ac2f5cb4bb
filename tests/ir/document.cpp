// SPDX-License-Identifier: Apache-2.0
// docs/bir.md: its example is a kernel, and its tables name all that the reader knows.
#include <catch2/catch.hpp>

#include "ir/check.h"
#include "ir/parse.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "tests/support/goldens.h"

using namespace barline;

namespace {

std::string document() { return test::read_file(std::string(BARLINE_SOURCE_DIR) + "/docs/bir.md"); }

std::string example() {
  std::string text = document();
  std::size_t from = text.find("```bir\n") + 7;
  return text.substr(from, text.find("```", from) - from);
}

}  // namespace

TEST_CASE("the example of docs/bir.md is a kernel that goes through the pipeline", "[ir]") {
  ir::Kernel k = ir::parse(example(), "docs/bir.md");
  ir::check(k);
  CHECK(k.name == "scale_and_sum");
  CHECK(ir::print(ir::parse(ir::print(k))) == ir::print(k));
  CHECK_NOTHROW(ir::run_pipeline(k));
}

TEST_CASE("docs/bir.md names every type, coordinate and region op", "[ir]") {
  std::string text = document();
  auto named = [&](std::string_view word) {
    INFO(word);
    CHECK(text.find(word) != std::string::npos);
  };
  for (int i = 0; i < ir::elem_count; ++i) named(ir::name(static_cast<ir::Elem>(i)));
  for (int i = 0; i < 10; ++i) named(ir::name(static_cast<ir::In>(i)));
  for (int i = 0; i < ir::op_count; ++i) {
    const ir::OpDef& d = ir::def(static_cast<ir::Op>(i));
    if (d.regions || d.has(ir::Terminator)) named(d.mnemonic);
  }
}
