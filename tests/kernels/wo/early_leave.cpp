// SPDX-License-Identifier: Apache-2.0
// A launch whose blocks all start and then leave, and a good one after it on the same workspace:
// right bits, and nobody resets anything. On the simulator blocks leave at each op in turn; in a
// kernel built for debugging those leave that wait for longer than they were told.
#include <catch2/catch.hpp>

#include "codegen/compile.h"
#include "ir/meeting.h"
#include "ir/target.h"
#include "kernels/wo/wo.h"
#include "tests/kernels/on_device.h"
#include "tests/support/ptxas.h"
#include "wo_problem.h"

using namespace barline;
using namespace barline::test;

namespace {

const char* const families[] = {"wo_nvfp4", "wo_nvfp4_producer", "wo_nvfp4_parallel_gather"};

/// Nobody should use what the launch before left there.
void spoil(Tensors& t) {
  for (const char* name : {"y", "partial"})
    std::fill(t.at(name).data.begin(), t.at(name).data.end(), std::byte{0xa5});
}

/// Ops with an effect: who leaves at another leaves what he leaves at the next of these.
std::vector<const ir::Operation*> ops_of(const ir::Kernel& k) {
  std::vector<const ir::Operation*> all;
  ir::walk(k.body, [&](const ir::Operation& op) {
    if (!op.has(ir::Pure)) all.push_back(&op);
  });
  return all;
}

/// The producer's kernel with waits that give up at once.
dsl::KernelEntry impatient() {
  dsl::KernelEntry e = entry("wo_nvfp4_producer");
  e.make = [](ir::Elem) {
    return kernels::wo_nvfp4({.producer_wait = true, .wait_timeout_ns = 1});
  };
  return e;
}

/// The problem as a launch of a debug build of `e` starts it.
Problem debugged(Problem p, const dsl::KernelEntry& e) {
  p.kernel = &e;
  p.source = e.make(ir::Elem::BF16);
  p.config.debug = true;
  return p;
}

/// Every block started, some left at their wait, and none of these is a head's first.
void check_left(const Problem& p, const Tensors& after) {
  const ir::Tensor &launches = after.at("launches"), &counters = after.at("counters");
  for (std::int64_t i = 0; i < launches.count(); ++i) CHECK(launches.as<std::uint64_t>()[i] == 1);
  const std::int64_t batch = p.sizes.at("B"), words = counters.count() / batch;
  const auto slices = static_cast<std::uint32_t>(p.sizes.at("slice_ctas"));
  int rows_left = 0;
  for (std::int64_t b = 0; b < batch; ++b) {
    const auto* row = counters.as<std::uint64_t>() + b * words;
    const ir::MeetingReport report = ir::meeting_report(row[words - 1]);
    if (!row[words - 1]) continue;  // its x came before anybody looked
    ++rows_left;
    CHECK(report.generation == 1);
    CHECK(report.line > 0);
    CHECK(report.block / (slices * 4) == static_cast<std::uint32_t>(b));
    CHECK(report.block % slices != 0);
    CHECK(report.block % slices < static_cast<std::uint32_t>(p.sizes.at("wo_split")));
    CHECK((row[0] & ir::most_arrivals) <
          static_cast<std::uint64_t>(4 * p.sizes.at("wo_split")));  // so nobody gathered
  }
  CHECK(rows_left > 0);
}

Problem after(Problem p, const Tensors& left) {
  for (const auto& [name, t] : left) p.tensors[name] = t;
  spoil(p.tensors);
  return p;
}

}  // namespace

TEST_CASE("blocks may all leave at any op, and the next launch is right", "[kernels][wo]") {
  for (const char* name : families) {
    Problem p = wo_problem(name, {.batch = 1, .n = 4, .slices = 2, .split = 2});
    const ir::Kernel k = lowered(p);
    const Tensors fresh = p.tensors;
    p.refer();
    std::size_t left_late = 0;
    for (const ir::Operation* op : ops_of(k)) {
      INFO(name << " leaves at " << ir::to_string(op->loc) << ": " << ir::name(op->op));
      Tensors tensors = fresh;
      auto args = arguments(p, k, tensors);
      const verify::SimReport cut =
          verify::simulate(k, args, axis_sizes(p, k), {.detect_races = false, .leave_before = op});
      // Where the blocks that others wait for have left, those wait until the launch is ended.
      if (cut.finding) REQUIRE(cut.finding->kind == verify::FindingKind::Deadlock);
      left_late += tensors.at("counters").as<std::uint64_t>()[0] != 0;
      spoil(tensors);
      args = arguments(p, k, tensors);
      REQUIRE(verify::simulate(k, args, axis_sizes(p, k), {.detect_races = false}).clean());
      REQUIRE(tensors.at("y").data == p.tensors.at("y").data);
    }
    CHECK(left_late > 20);  // behind the arrivals
  }
}

TEST_CASE("blocks that wait for too long report, leave, and the next launch is right",
          "[kernels][wo]") {
  const Problem p = wo_problem("wo_nvfp4_producer", {.n = 20, .split = 4});
  const dsl::KernelEntry e = impatient();
  const Problem bad = debugged(p, e);
  const Tensors left = bad.run(lowered(bad), {});
  check_left(bad, left);
  Problem good = after(p, left);
  const Tensors got = good.simulated(true);
  good.refer();
  CHECK(got.at("y").data == good.tensors.at("y").data);
}

TEST_CASE("only a kernel built for debugging asks for the time and leaves",
          "[kernels][wo][ptxas]") {
  const dsl::KernelEntry e = impatient();
  Problem p = debugged(wo_problem("wo_nvfp4_producer", {.split = 4}), e);
  for (bool debug : {true, false}) {
    p.config.debug = debug;
    const codegen::Compiled c =
        codegen::compile(lowered(p), *ir::find_target("sm_90a"), test::find_ptxas(), {});
    CHECK((c.ptx.find("%globaltimer") != std::string::npos) == debug);
    CHECK((c.ptx.find("exit;") != std::string::npos) == debug);
    CHECK(c.report.spill_stores == 0);
  }
}

TEST_CASE("blocks that wait for too long report, leave, and the next launch is right on a GPU",
          "[kernels][wo][gpu]") {
  auto device = gpu();
  if (!device) return;
  jit::Runtime runtime(runtime::options_from_environment());
  const Problem p = wo_problem("wo_nvfp4_producer", {.n = 260, .k = 6144, .split = 8});
  const dsl::KernelEntry e = impatient();
  const Problem bad = debugged(p, e);
  const Tensors left = on_device(bad, ir::Elem::BF16, runtime, *device);
  check_left(bad, left);
  Problem good = after(p, left);
  const Tensors got = on_device(good, ir::Elem::BF16, runtime, *device);
  good.refer();
  CHECK(got.at("y").data == good.tensors.at("y").data);
}
