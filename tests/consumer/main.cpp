// SPDX-License-Identifier: Apache-2.0
// A kernel of its own, from the DSL to PTX, and the library's kernels by name.
#include <cstdio>

#include "codegen/ptx.h"
#include "dsl/dsl.h"
#include "ir/pipeline.h"
#include "ir/target.h"
#include "kernels/kernels.h"

using namespace barline;
using namespace barline::dsl;

int main() {
  Axis n{"n"};
  In x{"x", f32, {n}};
  Out y{"y", f32, {n}};
  KernelSource twice = kernel("twice", {x, y}, [=](Tiles& b) {
    auto v = b.stripe(x(part));
    b.store(y(part), v + v);
  });
  ir::Schedule flat{.name = "flat", .threads = 128, .vec = 4};
  ir::Kernel k = instantiate(twice, Config{.schedule = flat});
  ir::run_pipeline(k);
  std::string ptx = codegen::emit_ptx(k, *ir::find_target("sm_80"));
  Registry library;
  kernels::register_all(library);
  bool ok = ptx.find(".entry twice") != ptx.npos && library.find("rms_norm") != nullptr;
  std::printf("consumer: %s\n", ok ? "PASS" : "FAIL");
  return ok ? 0 : 1;
}
