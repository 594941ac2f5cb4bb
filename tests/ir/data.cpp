// SPDX-License-Identifier: Apache-2.0
// Schedules, targets, kernels and types as data.
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>

#include "ir/kernel.h"
#include "ir/order.h"
#include "ir/pipeline.h"
#include "ir/schedule.h"
#include "ir/target.h"
#include "ir/tensor.h"

using namespace barline::ir;

TEST_CASE("a schedule is constexpr, compares, and shows its fields", "[ir]") {
  constexpr Schedule a{
      .name = "row256", .threads = 256, .vec = 8, .streams = {{.of = "w", .slots = 2}}};
  constexpr Schedule b{
      .name = "row256", .threads = 256, .vec = 8, .streams = {{.of = "w", .slots = 3}}};
  STATIC_REQUIRE(a == a);
  STATIC_REQUIRE_FALSE(a == b);
  CHECK(text(a) ==
        "threads=256 tile.m=0 tile.n=0 tile.k=0 tile.warps_m=1 tile.warps_n=1 "
        "dot.unit=mma dot.a= walk=grid segments=grid vec=8 "
        "stripe_cap=64 chunks=1 unroll=1 streams.of=w streams.store=reg streams.owner=cta "
        "streams.by=lane streams.slots=2 streams.ahead=0 streams.step=0 streams.hoist=false "
        "streams.guard=false "
        "streams.packed=false streams.multiple=1 budget.ctas_per_sm=0 budget.regs=0 "
        "budget.beside_next=false");
  STATIC_REQUIRE(slot_of_use(7, 3) == 1);
}

TEST_CASE("schedules that differ in any field have different texts", "[ir]") {
  const Schedule base{.name = "s", .streams = {{.of = "x"}, {.of = "w"}}};
  std::vector<Schedule> all{base};
  auto other = [&](auto change) {
    all.push_back(base);
    change(all.back());
  };
  other([](Schedule& s) { s.threads = 128; });
  other([](Schedule& s) { s.tile.m = 16; });
  other([](Schedule& s) { s.tile.n = 16; });
  other([](Schedule& s) { s.tile.k = 16; });
  other([](Schedule& s) { s.tile.warps_m = 2; });
  other([](Schedule& s) { s.tile.warps_n = 2; });
  other([](Schedule& s) { s.segments = Segments::Inner; });
  other([](Schedule& s) { s.vec = 2; });
  other([](Schedule& s) { s.stripe_cap = 32; });
  other([](Schedule& s) { s.chunks = 2; });
  other([](Schedule& s) { s.unroll = 2; });
  other([](Schedule& s) { s.budget.ctas_per_sm = 2; });
  other([](Schedule& s) { s.budget.regs = 64; });
  other([](Schedule& s) { s.streams.count = 1; });
  other([](Schedule& s) { std::swap(s.streams.items[0], s.streams.items[1]); });
  for (int i = 0; i < 2; ++i) {
    auto stream = [&](auto change) { other([&](Schedule& s) { change(s.streams.items[i]); }); };
    stream([](Stream& s) { s.of = "w_scale"; });
    stream([](Stream& s) { s.store = Store::Smem; });
    stream([](Stream& s) { s.owner = Team::Warp; });
    stream([](Stream& s) { s.by = Agent::CpAsync; });
    stream([](Stream& s) { s.slots = 3; });
    stream([](Stream& s) { s.ahead = 1; });
    stream([](Stream& s) { s.step = 8; });
    stream([](Stream& s) { s.hoist = true; });
    stream([](Stream& s) { s.guard = true; });
    stream([](Stream& s) { s.packed = true; });
    stream([](Stream& s) { s.multiple = 8; });
  }
  std::set<std::string> texts;
  for (const Schedule& s : all) texts.insert(text(s));
  CHECK(texts.size() == all.size());
}

TEST_CASE("targets are found by name and are within the hardware's limits", "[ir]") {
  std::set<std::string_view> names;
  for (const Target& t : targets()) {
    CHECK(names.insert(t.name).second);
    CHECK(find_target(t.name) == &t);
    CHECK(t.capability >= 80);
    CHECK(t.ptx_isa >= 70);
    CHECK(t.smem_per_block < t.smem_per_sm);
    CHECK(t.threads_per_sm >= 1024);
    CHECK(t.registers_per_sm == 65536);
  }
  CHECK(names ==
        std::set<std::string_view>{"sm_80", "sm_86", "sm_89", "sm_90a", "sm_120", "sm_121"});
  CHECK(find_target("sm_70") == nullptr);
  CHECK(find_target("sm_120")->ptx ==
        "sm_90");  // portable text for what the back end does not know
}

TEST_CASE("slots are laid out in order, each copy aligned to 16 bytes", "[ir]") {
  Kernel k;
  auto slot = [&](Elem e, std::int64_t extent, int copies) {
    k.slots.push_back({"s", e, extent, copies, no_value, {}});
  };
  slot(Elem::F32, 3, 2);  // 12 bytes -> 16 a copy
  slot(Elem::S4, 5, 1);   // 3 bytes
  slot(Elem::I1, 17, 1);  // a byte each
  slot(Elem::F64, 2, 3);
  CHECK(slot_offset(k, 0) == 0);
  CHECK(slot_offset(k, 1) == 32);
  CHECK(slot_offset(k, 2) == 48);
  CHECK(slot_offset(k, 3) == 80);
  CHECK(shared_bytes(k) == 128);
}

TEST_CASE("pairwise folds keep the declared order", "[ir]") {
  auto fold = [](int n) {
    std::vector<std::string> v;
    for (int i = 0; i < n; ++i) v.push_back(std::to_string(i));
    return fold_pairwise(
        v.data(), n, [](const std::string& a, const std::string& b) { return "(" + a + b + ")"; });
  };
  CHECK(fold(1) == "0");
  CHECK(fold(4) == "((01)(23))");
  CHECK(fold(5) == "(((01)(23))4)");
  CHECK(fold(7) == "(((01)(23))((45)6))");
}

TEST_CASE("element types have PTX's names and widths", "[ir]") {
  for (int i = 0; i < elem_count; ++i) {
    Elem e = static_cast<Elem>(i);
    CHECK(parse_elem(name(e)) == e);
    CHECK((bits(e) == 1 || bits(e) == 4 || bits(e) % 8 == 0));
  }
  CHECK_FALSE(parse_elem("f8"));
  CHECK(Tensor(Elem::E2M1, {5}).data.size() == 3);
  CHECK(Tensor(Elem::I1, {5}).data.size() == 5);
  CHECK(Tensor(Elem::BF16, {2, 3}).data.size() == 12);
}

TEST_CASE("the pipeline shows the kernel before and after every pass", "[ir]") {
  Kernel k;
  k.name = "k";
  k.body.ops.push_back(
      {.op = Op::Yield, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = {}});
  std::vector<std::string> seen;
  run_pipeline(k, [&](std::string_view name, const Kernel&) { seen.emplace_back(name); });
  REQUIRE(seen.size() == passes().size() + 1);
  CHECK(seen[0] == "input");
  for (std::size_t i = 0; i < passes().size(); ++i) {
    CHECK(seen[i + 1] == passes()[i].name);
    CHECK_FALSE(passes()[i].doc.empty());
  }
}
