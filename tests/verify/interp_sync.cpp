// SPDX-License-Identifier: Apache-2.0
// Atomics, flags and fences: what orders blocks, what does not, and what waits forever.
#include <catch2/catch.hpp>

#include "interp_run.h"

using namespace barline;
using namespace barline::verify;
using ir::Elem;

namespace {

const WarpOrder orders[] = {WarpOrder::RoundRobin, WarpOrder::Reverse, WarpOrder::Random};

/// Block 0 writes data and raises a flag; block 1 waits for it and reads. `publish` and `poll` are
/// the two accesses of the flag, with fences where the protocol has them.
std::string flag_protocol(const std::string& publish, const std::string& poll) {
  return "kernel @flag\naxis n = 64\naxis one_ = 1\nparam %data: inout ptr<s32, global> [n]\n"
         "param %flag: inout ptr<s32, global> [one_]\nparam %y: out ptr<s32, global> [n]\n"
         "threads 64 1 1\ngrid 2 1 1\ncooperative\n{\n%t = thread_rank : s32\n"
         "%b = block_id {dim = 0} : s32\n%z = const {value = 0} : s32\n%one = const {value = 1} : "
         "s32\n"
         "%first = cmp %b, %z {pred = eq} : i1\n%lead = cmp %t, %z {pred = eq} : i1\n"
         "if %first () {\n%v = mul %t, %t : s32\nstore %data, %t, %v\nbarrier\n"
         "if %lead () {\n" +
         publish +
         "\nyield\n} () {\nyield\n}\nyield\n} () {\nif %lead () {\n"
         "while () {\n" +
         poll +
         "\n%wait = cmp %seen, %z {pred = eq} : i1\ncondition %wait\n} () {\nyield\n}\nyield\n} () "
         "{\nyield\n}\nbarrier\n%w = load %data, %t : s32\nstore %y, %t, %w\nyield\n}\nyield\n}\n";
}

std::optional<Finding> flag_outcome(const std::string& publish, const std::string& poll,
                                    WarpOrder order) {
  ir::Tensor data(Elem::S32, {64}), flag(Elem::S32, {1}), y(Elem::S32, {64});
  auto f = run(flag_protocol(publish, poll), {data, flag, y}, {}, {.order = order}).finding;
  if (!f)
    for (int i = 0; i < 64; ++i) REQUIRE(y.as<std::int32_t>()[i] == i * i);
  return f;
}

const std::string release = "store %flag, %z, %one {order = release, scope = gpu}";
const std::string relaxed_store = "store %flag, %z, %one {order = relaxed, scope = gpu}";
const std::string acquire = "%seen = load %flag, %z {order = acquire, scope = gpu} : s32";
const std::string relaxed_load = "%seen = load %flag, %z {order = relaxed, scope = gpu} : s32";

}  // namespace

TEST_CASE("a released and acquired flag orders the data of two blocks") {
  for (WarpOrder order : orders) {
    auto f = flag_outcome(release, acquire, order);
    if (f) FAIL(to_string(*f));
  }
}

TEST_CASE("a flag that is relaxed on either side, or of a scope too small, orders nothing") {
  const std::string small = "store %flag, %z, %one {order = release, scope = cta}";
  for (WarpOrder order : orders)
    for (auto [publish, poll] :
         {std::pair{relaxed_store, acquire}, std::pair{release, relaxed_load},
          std::pair{relaxed_store, relaxed_load}, std::pair{small, acquire}}) {
      auto f = flag_outcome(publish, poll, order);
      REQUIRE(f);
      REQUIRE(f->kind == FindingKind::Race);
    }
  auto weak = flag_outcome("store %flag, %z, %one", acquire, WarpOrder::RoundRobin);
  REQUIRE(weak);
  REQUIRE(weak->root == "flag");
}

TEST_CASE("fences make relaxed flags order, if both sides have one of the right scope") {
  const std::string fence = "fence {scope = gpu}\n", small = "fence {scope = cta}\n";
  const std::string atomic_poll =
      "%seen = atomic %flag, %z, %z {rmw = add, order = relaxed, scope = gpu} : s32\nfence {scope "
      "= "
      "gpu}";
  for (WarpOrder order : orders) {
    auto f = flag_outcome(fence + relaxed_store, relaxed_load + "\n" + fence, order);
    if (f) FAIL(to_string(*f));
    f = flag_outcome(fence + relaxed_store, atomic_poll, order);
    if (f) FAIL(to_string(*f));
    REQUIRE(flag_outcome(relaxed_store, relaxed_load + "\n" + fence, order));
    REQUIRE(flag_outcome(fence + relaxed_store, relaxed_load, order));
    REQUIRE(flag_outcome(small + relaxed_store, relaxed_load + "\n" + fence, order));
    REQUIRE(flag_outcome(fence + relaxed_store, relaxed_load + "\n" + small, order));
  }
}

TEST_CASE("a flag that nobody raises is a deadlock, also when others wait at a barrier") {
  auto f = flag_outcome("%unused = add %z, %z : s32", acquire, WarpOrder::RoundRobin);
  REQUIRE(f);
  REQUIRE(f->kind == FindingKind::Deadlock);
  REQUIRE(f->here.block[0] == 1);
}

TEST_CASE("the last block to arrive sums what all wrote: acq_rel counter yes, relaxed no") {
  auto text = [](const std::string& order) {
    return "kernel @last\naxis n = 8\naxis one_ = 1\nparam %part: inout ptr<s32, global> [n]\n"
           "param %count: inout ptr<u32, global> [one_]\nparam %y: inout ptr<s32, global> [one_]\n"
           "threads 32 1 1\ngrid 8 1 1\n{\n%t = thread_rank : s32\n%b = block_id {dim = 0} : s32\n"
           "%z = const {value = 0} : s32\n%one = const {value = 1} : s32\n%u1 = const {value = 1} "
           ": u32\n"
           "%u7 = const {value = 7} : u32\n%lead = cmp %t, %z {pred = eq} : i1\nif %lead () {\n"
           "store %part, %b, %b\n%old = atomic %count, %z, %u1 {rmw = add, order = " +
           order +
           ", scope = gpu} : u32\n%last = cmp %old, %u7 {pred = eq} : i1\nif %last () {\n"
           "%eight = const {value = 8} : s32\n%sum = for %z, %eight, %one, %z : s32 (%k: s32, %s: "
           "s32) "
           "{\n%v = load %part, %k : s32\n%sv = add %s, %v : s32\nyield %sv\n}\nstore %y, %z, "
           "%sum\n"
           "yield\n} () {\nyield\n}\nyield\n} () {\nyield\n}\nyield\n}\n";
  };
  for (WarpOrder order : orders) {
    ir::Tensor part(Elem::S32, {8}), count(Elem::U32, {1}), y(Elem::S32, {1});
    auto f = run(text("acq_rel"), {part, count, y}, {}, {.order = order}).finding;
    if (f) FAIL(to_string(*f));
    REQUIRE(y.as<std::int32_t>()[0] == 28);
    ir::Tensor count2(Elem::U32, {1});
    f = run(text("relaxed"), {part, count2, y}, {}, {.order = order}).finding;
    REQUIRE(f);
    REQUIRE(f->kind == FindingKind::Race);
    REQUIRE(f->root == "part");
  }
}

TEST_CASE("atomics do not race with atomics; a plain access beside them does") {
  auto text = [](const std::string& more) {
    return "kernel @k\naxis n = 4\nparam %y: inout ptr<s32, global> [n]\nslot %s: s32[1] x 1\n"
           "threads 64 1 1\ngrid 3 1 1\n{\n%t = thread_rank : s32\n%z = const {value = 0} : s32\n"
           "%one = const {value = 1} : s32\n%lead = cmp %t, %z {pred = eq} : i1\n"
           "%o = atomic %y, %z, %one {rmw = add, order = relaxed, scope = gpu} : s32\n"
           "%x = atomic %y, %z, %t {rmw = max, offset = 1, order = relaxed, scope = gpu} : s32\n" +
           more + "\nyield\n}\n";
  };
  for (WarpOrder order : orders) {
    ir::Tensor y(Elem::S32, {4});
    REQUIRE(run(text(""), {y}, {}, {.order = order}).clean());
    REQUIRE(y.as<std::int32_t>()[0] == 192);
    REQUIRE(y.as<std::int32_t>()[1] == 63);
  }
  ir::Tensor y(Elem::S32, {4});
  auto f = run(text("%v = load %y, %z : s32"), {y}).finding;
  REQUIRE(f);
  REQUIRE(f->kind == FindingKind::Race);
}

TEST_CASE("shared atomics: initialise, barrier, add, barrier, read") {
  auto text = [](const std::string& middle) {
    return "kernel @k\naxis n = 64\nparam %y: out ptr<u32, global> [n]\nslot %s: u32[1] x 1\n"
           "threads 64 1 1\ngrid 1 1 1\n{\n%t = thread_rank : s32\n%z = const {value = 0} : s32\n"
           "%u0 = const {value = 0} : u32\n%u1 = const {value = 1} : u32\n"
           "%lead = cmp %t, %z {pred = eq} : i1\nstore %s, %z, %u0, %lead\n" +
           middle +
           "%o = atomic %s, %z, %u1 {rmw = add, order = relaxed, scope = cta} : u32\nbarrier\n"
           "%v = load %s, %z : u32\nstore %y, %t, %v\nyield\n}\n";
  };
  ir::Tensor y(Elem::U32, {64});
  REQUIRE(run(text("barrier\n"), {y}).clean());
  REQUIRE(y.as<std::uint32_t>()[63] == 64);
  REQUIRE(!run(text(""), {y}).clean());
}

TEST_CASE("compare and swap: one thread wins; a lock by it orders its holders") {
  const std::string text =
      "kernel @lock\naxis n = 2\nparam %y: inout ptr<s32, global> [n]\nthreads 1 1 1\ngrid 6 1 1\n"
      "cooperative\n{\n%z = const {value = 0} : s32\n%one = const {value = 1} : s32\n"
      "while () {\n%old = atomic_cas %y, %z, %z, %one {order = acquire, scope = gpu} : s32\n"
      "%busy = cmp %old, %z {pred = ne} : i1\ncondition %busy\n} () {\nyield\n}\n"
      "%v = load %y, %one : s32\n%w = add %v, %one : s32\nstore %y, %one, %w\n"
      "store %y, %z, %z {order = release, scope = gpu}\nyield\n}\n";
  for (WarpOrder order : orders) {
    ir::Tensor y(Elem::S32, {2});
    auto f = run(text, {y}, {}, {.order = order}).finding;
    if (f) FAIL(to_string(*f));
    REQUIRE(y.as<std::int32_t>()[1] == 6);
  }
}
