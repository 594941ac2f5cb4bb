// SPDX-License-Identifier: Apache-2.0
// Planted races are found whatever the schedule, and their repaired twins are clean.
#include <catch2/catch.hpp>

#include "interp_run.h"

using namespace barline;
using namespace barline::verify;
using ir::Elem;

namespace {

std::string block_of_64(const std::string& body, const std::string& grid = "1 1 1") {
  return "kernel @k\naxis n = 256\nparam %y: inout ptr<s32, global> [n]\nslot %s: s32[64] x 1\n"
         "slot %d: s32[64] x 2\nthreads 64 1 1\ngrid " +
         grid +
         "\n{\n%t = thread_rank : s32\n%b = block_id {dim = 0} : s32\n%one = const {value = 1} : "
         "s32\n"
         "%z = const {value = 0} : s32\n%last = const {value = 63} : s32\n%m = sub %last, %t : "
         "s32\n" +
         body + "\nyield\n}\n";
}

std::optional<Finding> outcome(const std::string& text, WarpOrder order, std::uint64_t seed = 1,
                               bool syncs_placed = true) {
  ir::Tensor y(Elem::S32, {256});
  SimOptions o{.order = order, .seed = seed};
  o.syncs_placed = syncs_placed;
  return run(text, {y}, {}, o).finding;
}

void races(const std::string& text, const std::string& root) {
  for (WarpOrder order : {WarpOrder::RoundRobin, WarpOrder::Reverse, WarpOrder::Random}) {
    auto f = outcome(text, order);
    REQUIRE(f);
    INFO(to_string(*f));
    REQUIRE(f->kind == FindingKind::Race);
    REQUIRE(f->root == root);
    REQUIRE(!f->other.op.empty());
    REQUIRE(f->other.loc.line > 0);
  }
}

void clean(const std::string& text) {
  for (WarpOrder order : {WarpOrder::RoundRobin, WarpOrder::Reverse, WarpOrder::Random}) {
    auto f = outcome(text, order);
    if (f) FAIL(to_string(*f));
  }
}

}  // namespace

TEST_CASE("an exchange between two warps needs a barrier") {
  const std::string head = "store %s, %t, %z\nbarrier\nstore %s, %t, %t\n",
                    tail = "%v = load %s, %m : s32\nstore %y, %t, %v";
  races(block_of_64(head + tail), "s");
  clean(block_of_64(head + "barrier\n" + tail));
  races(block_of_64(head + "warp_sync\n" + tail), "s");
}

TEST_CASE("lanes of a warp are threads of their own: lockstep and shuffles order nothing") {
  const std::string swap = "%n = xor %t, %one : s32\n%v = load %s, %n : s32\nstore %y, %t, %v";
  races(block_of_64("store %s, %t, %t\n" + swap), "s");
  races(block_of_64("store %s, %t, %t\n%q = shuffle %t, %one {mode = xor} : s32\n" + swap), "s");
  clean(block_of_64("store %s, %t, %t\nwarp_sync\n" + swap));
}

TEST_CASE("a write after another thread's read in a loop") {
  auto loop = [](const std::string& before_write) {
    return block_of_64(
        "%four = const {value = 4} : s32\nfor %z, %four, %one (%k: s32) {\n" + before_write +
        "store %s, %t, %k\nbarrier\n%v = load %s, %m : s32\nstore %y, %t, %v\nyield\n}");
  };
  races(loop(""), "s");
  clean(loop("barrier\n"));
}

TEST_CASE("two copies of a slot make one barrier a trip enough; the wrong phase does not") {
  auto loop = [](const std::string& use) {
    return block_of_64(
        "%four = const {value = 4} : s32\nfor %z, %four, %one (%k: s32) {\n%u = " + use +
        " : s32\n%p = slot_at %d, %u : ptr<s32, shared>\nstore %p, %t, %k\nbarrier\n"
        "%v = load %p, %m : s32\nstore %y, %t, %v\nyield\n}");
  };
  clean(loop("add %k, %z"));
  races(loop("add %z, %z"), "d");
}

TEST_CASE("many readers before one writer: any of them may be the race") {
  races(block_of_64("%c = cmp %t, %z {pred = eq} : i1\nstore %s, %z, %t, %c\nbarrier\n"
                    "%v = load %s, %z : s32\n%l = cmp %t, %last {pred = eq} : i1\n"
                    "store %s, %z, %v, %l"),
        "s");
  clean(
      block_of_64("%c = cmp %t, %z {pred = eq} : i1\nstore %s, %z, %t, %c\nbarrier\n"
                  "%v = load %s, %z : s32\nbarrier\n%l = cmp %t, %last {pred = eq} : i1\n"
                  "store %s, %z, %v, %l"));
}

TEST_CASE("two threads that write the same element race even with the same value") {
  races(block_of_64("store %y, %z, %one"), "y");
  clean(block_of_64("%c = cmp %t, %z {pred = eq} : i1\nstore %y, %z, %one, %c"));
}

TEST_CASE("blocks race through global memory, on one core and on two") {
  const std::string text = block_of_64("store %y, %t, %b", "2 1 1");
  const std::string reads = block_of_64(
      "%f = cmp %b, %z {pred = eq} : i1\nif %f () {\nstore %y, %t, %t\nyield\n} () {\n"
      "%v = load %y, %m : s32\n%c = const {value = 128} : s32\n%i = add %t, %c : s32\n"
      "store %y, %i, %v\nyield\n}",
      "2 1 1");
  for (const std::string& kernel_text : {text, reads})
    for (int cores : {1, 2}) {
      ir::Tensor y(Elem::S32, {256});
      auto f = run(kernel_text, {y}, {}, {.cores = cores}).finding;
      REQUIRE(f);
      REQUIRE(f->kind == FindingKind::Race);
      REQUIRE(f->here.block[0] != f->other.block[0]);
    }
}

TEST_CASE("one tensor under two parameters is one memory") {
  const std::string text =
      "kernel @k\naxis n = 64\nparam %x: in ptr<s32, global> [n]\nparam %y: out ptr<s32, global> "
      "[n]\n"
      "threads 64 1 1\ngrid 1 1 1\n{\n%t = thread_rank : s32\n%c = const {value = 63} : s32\n"
      "%m = sub %c, %t : s32\n%v = load %x, %m : s32\nstore %y, %t, %v\nyield\n}\n";
  ir::Tensor x(Elem::S32, {64}), y(Elem::S32, {64});
  REQUIRE(run(text, {x, y}).clean());
  auto f = run(text, {x, x}).finding;
  REQUIRE(f);
  REQUIRE(f->kind == FindingKind::Race);
}

TEST_CASE("threads of a block that wait at different places, or not at all") {
  // The checker refuses both; the simulator must see them in IR that it is handed unchecked.
  auto unchecked = [](const std::string& body) {
    ir::Kernel k = ir::parse("bir 1\n" + block_of_64(body), "test.bir");
    ir::Tensor y(Elem::S32, {256});
    std::vector<SimArgument> arguments{y};
    return simulate(k, arguments).finding;
  };
  const std::string warp = "%w = warp_id : s32\n%first = cmp %w, %z {pred = eq} : i1\n";
  for (const std::string& body :
       {warp + "if %first () {\nbarrier\nyield\n} () {\nyield\n}",
        warp + "if %first () {\nbarrier\nyield\n} () {\nbarrier\nyield\n}",
        std::string(
            "%c = cmp %t, %one {pred = lt} : i1\nif %c () {\nbarrier\nyield\n} () {\nyield\n}"),
        std::string("%c = cmp %t, %one {pred = lt} : i1\nif %c () {\n%v = shuffle %t, %one {mode = "
                    "xor} : s32\nstore %y, %z, %v\nyield\n} () {\nyield\n}")}) {
    auto f = unchecked(body);
    REQUIRE(f);
    REQUIRE(f->kind == FindingKind::BarrierDivergence);
  }
}

TEST_CASE("before barriers are placed, slots are accessed in program order over the block") {
  const std::string text = block_of_64(
      "store %s, %t, %z\nbarrier\n%four = const {value = 4} : s32\n%r = for %z, %four, %one, %t : "
      "s32 (%k: s32, %x: s32) {\n"
      "store %s, %t, %x\n%v = load %s, %m : s32\n%w = add %v, %k : s32\nyield %w\n}\nstore %y, %t, "
      "%r");
  for (WarpOrder order : {WarpOrder::RoundRobin, WarpOrder::Reverse, WarpOrder::Random}) {
    ir::Tensor y(Elem::S32, {256});
    SimOptions o{.order = order};
    o.syncs_placed = false;
    auto f = run(text, {y}, {}, o).finding;
    if (f) FAIL(to_string(*f));
    for (int t = 0; t < 64; ++t) REQUIRE(y.as<std::int32_t>()[t] == t + 6);
  }
  races(text, "s");
}
