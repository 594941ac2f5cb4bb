// SPDX-License-Identifier: Apache-2.0
// What ops touch of slots, and which pairs of accesses need an order.
#include "ir/effects.h"

#include <catch2/catch.hpp>

#include "analyses.h"

using namespace barline;
using namespace barline::ir;
using test::analysed;

namespace {

/// The slot accesses of a kernel in program order.
std::vector<SlotAccess> accesses(const Kernel& k) {
  SlotEffects effects(k);
  std::vector<SlotAccess> all;
  walk(k.body, [&](const Operation& op) {
    if (auto a = effects.access(op)) all.push_back(*a);
  });
  return all;
}

bool conflict(const std::string& body) {
  Kernel k = analysed(body);
  auto a = accesses(k);
  REQUIRE(a.size() == 2);
  return may_conflict(k, a[0], a[1]);
}

const std::string next = "%i = add %t, %one : s32\n";

}  // namespace

TEST_CASE("accesses say slot, direction, lanes and offset", "[ir]") {
  Kernel k = analysed(
      "%v = load %s, %t {offset = 3} : vec<s32 x 4>\nstore %r, %zero, %t\n"
      "%o = atomic %s, %t, %one {rmw = add} : s32\n%g = load %x, %t : s32");
  auto a = accesses(k);
  REQUIRE(a.size() == 3);
  CHECK((a[0].slot == 0 && !a[0].write && a[0].lanes == 4 && a[0].index->at[2] + a[0].offset == 5));
  CHECK((a[1].slot == 1 && a[1].write && a[1].lanes == 1));
  CHECK((a[2].write && a[2].atomic));
}

TEST_CASE("accesses conflict where different threads meet and one writes", "[ir]") {
  CHECK_FALSE(conflict("store %s, %t, %t\n%v = load %s, %t : s32"));
  CHECK(conflict(next + "store %s, %t, %t\n%v = load %s, %i : s32"));
  CHECK(conflict(next + "%v = load %s, %i : s32\nstore %s, %t, %t"));
  CHECK_FALSE(conflict(next + "%v = load %s, %i : s32\n%w = load %s, %t : s32"));
  CHECK_FALSE(conflict("store %s, %t, %t\n%v = load %r, %one : s32"));
  CHECK_FALSE(
      conflict("%o = atomic %s, %one, %one {rmw = add} : s32\n%p = atomic %s, %one, %one {rmw = "
               "add} : s32"));
  CHECK(conflict("%o = atomic %s, %one, %one {rmw = add} : s32\n%p = load %s, %one : s32"));
  CHECK(conflict("%v = load %x, %t : s32\nstore %s, %v, %t\n%w = load %s, %t : s32"));
}

TEST_CASE("vectors meet where their elements do", "[ir]") {
  const std::string four = "%four = const {value = 4} : s32\n%b = mul %t, %four : s32\n";
  CHECK_FALSE(conflict(four + "%v = load %s, %b : vec<s32 x 4>\nstore %s, %b, %v"));
  CHECK(conflict(four + "%v = load %s, %b {offset = 1} : vec<s32 x 4>\n%p = pack %t, %t, %t, %t : "
                        "vec<s32 x 4>\nstore %s, %b, %p"));
  CHECK(conflict(four + "store %s, %b, %t {offset = 4}\n%v = load %s, %b : vec<s32 x 2>"));
  CHECK_FALSE(conflict(four + "store %s, %b, %t {offset = 2}\n%v = load %s, %b : vec<s32 x 2>"));
}

TEST_CASE("equal symbols cancel, others may meet", "[ir]") {
  CHECK_FALSE(conflict("%i = add %t, %f : s32\nstore %s, %i, %t\n%v = load %s, %i : s32"));
  CHECK(conflict("%i = add %t, %f : s32\nstore %s, %i, %t\n%v = load %s, %t : s32"));
}

TEST_CASE("copies of a rotating slot are told apart by their use count", "[ir]") {
  auto copies = [](const std::string& first, const std::string& second) {
    return conflict(
        "%two = const {value = 2} : s32\n%three = const {value = 3} : s32\n%f1 = add %f, %one : "
        "s32\n"
        "%f3 = add %f, %three : s32\n%odd = and %t, %one : s32\n%even = add %odd, %one : s32\n"
        "%p = slot_at %r, " +
        first + " : ptr<s32, shared>\n%q = slot_at %r, " + second +
        " : ptr<s32, shared>\nstore %p, %t, %t\n%v = load %q, %zero : s32");
  };
  CHECK(copies("%zero", "%zero"));
  CHECK(copies("%zero", "%three"));  // three copies
  CHECK_FALSE(copies("%zero", "%two"));
  CHECK_FALSE(copies("%f", "%f1"));
  CHECK(copies("%f", "%f3"));
  CHECK(copies("%f", "%zero"));
  // Threads that count differently: copy 1 of one is copy 1 of another.
  CHECK(copies("%odd", "%even"));
}
