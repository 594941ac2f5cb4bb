// SPDX-License-Identifier: Apache-2.0
// Asynchronous copies and chosen pointers: the rules that a kernel may break, with words, fix and
// place, and what accesses to a slot must wait for them.
#include <catch2/catch.hpp>

#include "ir/check.h"
#include "ir/diagnostic.h"
#include "ir/effects.h"
#include "ir/parse.h"
#include "ir/print.h"

using namespace barline;
using namespace barline::ir;

namespace {

constexpr const char* head = R"(bir 1
kernel @k
axis n = 4096
param %x: in ptr<f32, global> [n]
param %z: in ptr<f32, global> [n]
param %h: in ptr<f16, global> [n]
param %y: inout ptr<f32, global> [n]
slot %s: f32[256] x 1
slot %r: f32[256] x 3
threads 64 1 1
grid 1 1 1
{
%t = thread_rank : s32
%zero = const {value = 0} : s32
%one = const {value = 1} : s32
%next = add %t, %one : s32
%some = cmp %t, %one {pred = lt} : i1
)";

Kernel in_frame(const std::string& body) {
  Kernel k = parse(head + body + "\nyield\n}\n", "c.bir");
  check(k);
  return k;
}

void refuse(const std::string& body, const char* code_of, const char* words, const char* fix) {
  INFO(body);
  try {
    in_frame(body);
  } catch (const Error& e) {
    INFO(e.what());
    CHECK(code(e.diagnostic().diag) == code_of);
    CHECK_THAT(e.diagnostic().message, Catch::Contains(words));
    CHECK_THAT(e.diagnostic().fix, Catch::Contains(fix));
    CHECK(e.diagnostic().loc.line >= 18);
    return;
  }
  FAIL("accepted");
}

std::vector<SlotAccess> accesses(const Kernel& k) {
  SlotEffects effects(k);
  std::vector<SlotAccess> all;
  walk(k.body, [&](const Operation& op) {
    if (auto a = effects.access(op)) all.push_back(*a);
  });
  return all;
}

bool conflict(const std::string& body) {
  Kernel k = in_frame(body);
  auto a = accesses(k);
  REQUIRE(a.size() == 2);
  return may_conflict(k, a[0], a[1]);
}

}  // namespace

TEST_CASE("a copy moves 4, 8 or 16 bytes from a read-only tensor to a slot", "[ir]") {
  for (int lanes : {1, 2, 4})
    CHECK_NOTHROW(in_frame("copy_async %s, %t, %x, %t {lanes = " + std::to_string(lanes) + "}"));
  refuse("copy_async %s, %t, %x, %t {lanes = 3}", "bad-attr", "copy_async of 3 elements of f32",
         "4, 8 or 16 bytes");
  refuse("copy_async %s, %t, %x, %t {lanes = 8}", "bad-attr", "copy_async of 8 elements of f32",
         "4, 8 or 16 bytes");
  refuse("copy_async %x, %t, %z, %t {lanes = 1}", "bad-root", "to something that is no slot",
         "to a slot");
  refuse("copy_async %s, %t, %r, %t {lanes = 1}", "bad-root", "from something that is no parameter",
         "from a parameter");
  refuse("copy_async %s, %t, %y, %t {lanes = 1}", "write-to-input",
         "from 'y', which this kernel may write", "declare the parameter In");
  refuse("copy_async %s, %t, %h, %t {lanes = 2}", "slot-misuse", "copy_async of ptr<f16, global>",
         "convert");
  refuse("barrier {pending = -1}", "bad-attr", "barrier with pending = -1", "docs/ops.md");
}

TEST_CASE("groups are closed by the whole block", "[ir]") {
  refuse("if %some () {\ncommit_copies\nyield\n} () {\nyield\n}", "divergent",
         "commit_copies under a condition that differs", "costs nothing");
  CHECK_NOTHROW(
      in_frame("%c = cmp %zero, %one {pred = lt} : i1\n"
               "if %c () {\ncommit_copies\nyield\n} () {\nyield\n}"));
}

TEST_CASE("a block chooses among tensors of one type", "[ir]") {
  CHECK_NOTHROW(
      in_frame("%c = choose %one, %x, %z : ptr<f32, global>\n%v = load %c, %t : f32\n"
               "copy_async %s, %t, %c, %t {lanes = 1}"));
  refuse("%c = choose %t, %x, %z : ptr<f32, global>", "divergent",
         "choose by an index that differs between the threads", "block_id");
  refuse("%c = choose %one, %x, %h : ptr<f32, global>", "type-mismatch",
         "choose of ptr<f32, global> and ptr<f16, global>", "one element type");
  refuse("%c = choose %one, %s : ptr<f32, shared>", "bad-root", "choose of something that is no",
         "list parameters");
  refuse("%c = choose %one, %x, %z : ptr<f32, global>\nstore %c, %t, %v", "bad-syntax",
         "%v is not defined", "define");
  refuse("%c = choose %one, %y, %z : ptr<f32, global>\n%v = load %c, %t : f32\nstore %c, %t, %v",
         "write-to-input", "store to 'z'", "declare the parameter Out or InOut");
}

TEST_CASE("nobody may touch what a copy writes before it has landed", "[ir]") {
  CHECK(conflict("copy_async %s, %t, %x, %t {lanes = 1}\n%v = load %s, %t : f32"));
  CHECK(conflict("copy_async %s, %t, %x, %t {lanes = 1}\n%v = load %s, %next : f32"));
  CHECK(conflict("copy_async %s, %t, %x, %t {lanes = 1}\ncopy_async %s, %t, %z, %t {lanes = 1}"));
  CHECK_FALSE(
      conflict("copy_async %s, %t, %x, %t {lanes = 1}\n"
               "%v = load %s, %t {offset = 64} : f32"));
  CHECK_FALSE(
      conflict("copy_async %s, %t, %x, %t {lanes = 1}\n"
               "copy_async %s, %t, %z, %t {lanes = 1, offset = 64}"));
}

TEST_CASE("a copy may follow its own thread's accesses, not another's", "[ir]") {
  CHECK_FALSE(conflict("%v = load %s, %t : f32\ncopy_async %s, %t, %x, %t {lanes = 1}"));
  CHECK(conflict("%v = load %s, %next : f32\ncopy_async %s, %t, %x, %t {lanes = 1}"));
}

TEST_CASE("a use count may be a multiple of the loop's index", "[ir]") {
  auto copies = [](const std::string& a, const std::string& b) {
    Kernel k = in_frame(
        "%three = const {value = 3} : s32\n%m = mul %one, %three : s32\n"
        "%c4 = const {value = 4} : s32\n"
        "for %zero, %c4, %one (%i: s32) {\n%m3 = mul %i, %three : s32\n"
        "%m4 = shl %i, %one : s32\n%m31 = add %m3, %one : s32\n"
        "%p = slot_at %r, " +
        a + " : ptr<f32, shared>\n%q = slot_at %r, " + b +
        " : ptr<f32, shared>\n%v = load %p, %next : f32\nstore %q, %t, %v\nyield\n}");
    auto all = accesses(k);
    REQUIRE(all.size() == 2);
    return may_conflict(k, all[0], all[1]);
  };
  CHECK(copies("%m3", "%m3"));
  CHECK_FALSE(copies("%m3", "%m31"));
  CHECK_FALSE(copies("%m31", "%zero"));  // three copies: 3i is always copy 0
  CHECK(copies("%m3", "%zero"));
  CHECK(copies("%i", "%m4"));
}

TEST_CASE("copies, waits and choices are read back as they are printed", "[ir]") {
  Kernel k = in_frame(
      "%c = choose %one, %x, %z : ptr<f32, global>\n"
      "copy_async %s, %t, %c, %t, %some {lanes = 4, cache = all, offset = 8}\n"
      "commit_copies\nbarrier {why = \"s\", pending = 2}\n");
  std::string text = print(k);
  CHECK_THAT(text, Catch::Contains("{offset = 8, lanes = 4, cache = all}"));
  CHECK_THAT(text, Catch::Contains("barrier {why = \"s\", pending = 2}"));
  CHECK(print(parse(text)) == text);
}
