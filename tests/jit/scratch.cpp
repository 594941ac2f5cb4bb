// SPDX-License-Identifier: Apache-2.0
// Scratch from the author's code through the IR to the launch signature.
#include <catch2/catch.hpp>

#include "dsl/dsl.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "runtime/jit/signature.h"

using namespace barline;

TEST_CASE("scratch is a kind of parameter, from the author's code to the signature") {
  dsl::Axis rows{"rows"}, d{"d", 4};
  dsl::In x{"x", dsl::f32, {rows, d}};
  dsl::Scratch kept{"kept", dsl::f32, {rows, d}};
  const dsl::KernelSource source = dsl::kernel("k", {x, kept}, [=](dsl::Tiles& b) {
    auto row = b.index(rows);
    b.store(kept(row, dsl::all), b.stripe(x(row, dsl::all)));
  });
  const ir::Kernel made =
      dsl::instantiate(source, {.schedule = {.name = "s", .threads = 128, .vec = 4}});
  CHECK_FALSE(made.params[0].scratch);
  CHECK(made.params[1].scratch);
  CHECK(made.params[1].access == ir::Access::InOut);
  const ir::Kernel k = ir::parse(ir::print(made));
  CHECK(ir::print(k) == ir::print(made));
  CHECK(runtime::to_text(jit::signature_of(k)) ==
        "x:in:f32[rows,d];kept:scratch:f32[rows,d]|rows:1,d:4|rows/1,1,1");
}
