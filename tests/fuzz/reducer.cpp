// SPDX-License-Identifier: Apache-2.0
// The judge can fail and the reducer shrinks: on kernels that a planted fault breaks.
#include "tests/support/reduce_kernel.h"

#include <catch2/catch.hpp>

#include "ir/check.h"
#include "ir/passes/place_syncs.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "tests/support/run_random.h"

using namespace barline;
using namespace barline::test;

namespace {

/// Takes the first barrier out, wherever it stands.
bool drop_barrier(ir::Region& r) {
  for (std::size_t i = 0; i < r.ops.size(); ++i) {
    if (r.ops[i].is(ir::Op::Barrier)) {
      r.ops.erase(r.ops.begin() + static_cast<std::ptrdiff_t>(i));
      return true;
    }
    for (ir::Region& sub : r.ops[i].regions)
      if (drop_barrier(sub)) return true;
  }
  return false;
}

/// Turns the first min into a max.
void spoil_min(ir::Kernel& k) {
  bool done = false;
  ir::walk(k.body, [&](ir::Operation& op) {
    if (op.is(ir::Op::Min) && !std::exchange(done, true)) op.op = ir::Op::Max;
  });
}

int count(const ir::Kernel& k, ir::Op what) {
  int n = 0;
  ir::walk(k.body, [&](const ir::Operation& op) { n += op.is(what); });
  return n;
}

}  // namespace

TEST_CASE("a barrier that goes missing is found, and the kernel shrinks to its race", "[fuzz]") {
  auto sabotage = [](std::string_view pass, ir::Kernel& k) {
    if (pass == "place_syncs") drop_barrier(k.body);
  };
  int found = 0;
  for (std::uint64_t seed = 0; found < 3; ++seed) {
    REQUIRE(seed < 200);
    RandomKernel k = random_thread_kernel(seed);
    auto judge = [&](const RandomKernel& r) { return pipeline_fault(r, seed, sabotage); };
    std::string fault = judge(k);
    if (fault.find("race") == std::string::npos) continue;
    ++found;
    ir::Kernel small = reduce_kernel(k.kernel, [&](const ir::Kernel& s) {
      return judge({s, k.axis_sizes}).find("race") != std::string::npos;
    });
    INFO(ir::print(small));
    CHECK(count_ops(small) <= 16);
    CHECK(count_ops(small) * 2 < count_ops(k.kernel));
    CHECK_FALSE(small.slots.empty());
    CHECK_NOTHROW(ir::check(small));
  }
}

TEST_CASE("a pass that changes a result is found, and the kernel shrinks to the op", "[fuzz]") {
  auto sabotage = [](std::string_view pass, ir::Kernel& k) {
    if (pass == "remove_dead") spoil_min(k);
  };
  int found = 0;
  for (std::uint64_t seed = 0; found < 3; ++seed) {
    REQUIRE(seed < 300);
    RandomKernel k = random_thread_kernel(seed);
    auto judge = [&](const RandomKernel& r) { return pipeline_fault(r, seed, sabotage); };
    std::string fault = judge(k);
    if (fault.find("tensor") == std::string::npos) continue;
    ++found;
    std::string text = report(k, seed, fault, judge);
    INFO(text);
    CHECK(text.find("remove_dead") != std::string::npos);
    CHECK(text.find("bir 1\nkernel @random\n") != std::string::npos);
    ir::Kernel small = reduce_kernel(k.kernel, [&](const ir::Kernel& s) {
      return judge({s, k.axis_sizes}).find("remove_dead: tensor") != std::string::npos;
    });
    CHECK(count(small, ir::Op::Min) >= 1);
    CHECK(count_ops(small) <= 20);
  }
}
