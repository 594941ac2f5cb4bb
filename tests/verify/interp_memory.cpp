// SPDX-License-Identifier: Apache-2.0
// Memory: vectors, masks, offsets, rotating slots, packed elements, and what is refused.
#include <catch2/catch.hpp>

#include "interp_run.h"

using namespace barline;
using namespace barline::verify;
using ir::Elem;

namespace {

std::string one_block(const std::string& params, const std::string& slots, const std::string& body,
                      int threads = 64) {
  return "kernel @k\naxis n = 64\naxis m = 256\n" + params + slots + "threads " +
         std::to_string(threads) + " 1 1\ngrid 1 1 1\n{\n%t = thread_rank : s32\n" + body +
         "\nyield\n}\n";
}

const std::string in_out =
    "param %x: in ptr<s32, global> [m]\nparam %y: out ptr<s32, global> [m]\n";

ir::Tensor counting(std::int64_t n) {
  ir::Tensor t(Elem::S32, {n});
  for (std::int64_t i = 0; i < n; ++i) t.as<std::int32_t>()[i] = static_cast<std::int32_t>(i);
  return t;
}

Finding refused(const std::string& text, std::vector<SimArgument> arguments,
                const SimOptions& options = {}) {
  SimReport r = run(text, arguments, {}, options);
  REQUIRE(r.finding);
  return *r.finding;
}

}  // namespace

TEST_CASE("vectors move their elements in order, with an offset") {
  ir::Tensor x = counting(256), y(Elem::S32, {256});
  REQUIRE(
      run(one_block(in_out, "",
                    "%four = const {value = 4} : s32\n%i = mul %t, %four : s32\n"
                    "%v = load %x, %i : vec<s32 x 4>\n%a = extract %v {index = 0} : s32\n"
                    "%b = extract %v {index = 3} : s32\n%w = pack %b, %a, %a, %b : vec<s32 x 4>\n"
                    "%m = const {value = -8} : s32\n%j = add %i, %m : s32\n"
                    "store %y, %j, %w {offset = 8}"),
          {x, y})
          .clean());
  for (int i = 0; i < 256; i += 4) {
    REQUIRE(y.as<std::int32_t>()[i] == i + 3);
    REQUIRE(y.as<std::int32_t>()[i + 1] == i);
    REQUIRE(y.as<std::int32_t>()[i + 3] == i + 3);
  }
}

TEST_CASE("where `active` is false there is no access, and a load gives zero") {
  ir::Tensor x = counting(256), y(Elem::S32, {256});
  SimReport r =
      run(one_block(in_out, "",
                    "%lim = const {value = 10} : s32\n%p = cmp %t, %lim {pred = lt} : i1\n"
                    "%far = const {value = 1000} : s32\n%i = select %p, %t, %far : s32\n"
                    "%v = load %x, %i, %p : s32\nstore %y, %t, %v\n"
                    "%no = const {value = false} : i1\nstore %y, %far, %v, %no"),
          {x, y});
  if (r.finding) FAIL(to_string(*r.finding));
  for (int i = 0; i < 64; ++i) REQUIRE(y.as<std::int32_t>()[i] == (i < 10 ? i : 0));
  REQUIRE(y.as<std::uint32_t>()[64] == 0xA5A5A5A5u);
}

TEST_CASE("a rotating slot: use mod copies picks the copy") {
  ir::Tensor x = counting(256), y(Elem::S32, {256});
  SimReport r = run(
      one_block(in_out, "slot %s: s32[64] x 3\n",
                "%z = const {value = 0} : s32\n%seven = const {value = 7} : s32\n"
                "%one = const {value = 1} : s32\n%three = const {value = 3} : s32\n"
                "for %z, %seven, %one (%k: s32) {\n%p = slot_at %s, %k : ptr<s32, shared>\n"
                "%v = add %k, %t : s32\nstore %p, %t, %v\nyield\n}\n"
                "for %z, %three, %one (%q: s32) {\n%c = slot_at %s, %q : ptr<s32, shared>\n"
                "%w = load %c, %t : s32\n%c64 = const {value = 64} : s32\n%o = mul %q, %c64 : s32\n"
                "%i = add %o, %t : s32\nstore %y, %i, %w\nyield\n}"),
      {x, y});
  if (r.finding) FAIL(to_string(*r.finding));
  for (int i = 0; i < 64; ++i) {
    REQUIRE(y.as<std::int32_t>()[i] == 6 + i);        // uses 0, 3, 6
    REQUIRE(y.as<std::int32_t>()[64 + i] == 4 + i);   // 1, 4
    REQUIRE(y.as<std::int32_t>()[128 + i] == 5 + i);  // 2, 5
  }
}

TEST_CASE("packed 4-bit elements: two a byte, the even one low; signs extend") {
  ir::Tensor x(Elem::S4, {64}), y(Elem::S32, {64});
  for (int i = 0; i < 32; ++i) x.data[i] = std::byte(0x8f ^ i);
  const std::string params =
      "param %x: in ptr<s4, global> [n]\nparam %y: out ptr<s32, global> [n]\n";
  REQUIRE(run(one_block(params, "", "%v = load %x, %t : s4\n%w = cast %v : s32\nstore %y, %t, %w"),
              {x, y})
              .clean());
  for (int i = 0; i < 64; ++i) {
    int nibble = (std::to_integer<int>(x.data[i / 2]) >> (i % 2 * 4)) & 15;
    REQUIRE(y.as<std::int32_t>()[i] == (nibble ^ 8) - 8);
  }
  ir::Tensor back(Elem::S4, {64});
  const std::string pack_params =
      "param %x: in ptr<s32, global> [n]\nparam %y: out ptr<s4, global> [n]\n";
  REQUIRE(run(one_block(pack_params, "",
                        "%two = const {value = 2} : s32\n%i = mul %t, %two : s32\n"
                        "%a = load %x, %i : s32\n%b = load %x, %i {offset = 1} : s32\n"
                        "%a4 = cast %a : s4\n%b4 = cast %b : s4\n%v = pack %a4, %b4 : vec<s4 x 2>\n"
                        "store %y, %i, %v",
                        32),
              {y, back})
              .clean());
  REQUIRE(back.data == x.data);
}

TEST_CASE("accesses outside a tensor or a slot are found, with element and byte") {
  ir::Tensor x = counting(256), y(Elem::S32, {256});
  Finding f = refused(
      one_block(in_out, "", "%v = load %x, %t {offset = 200} : s32\nstore %y, %t, %v"), {x, y});
  REQUIRE(f.kind == FindingKind::OutOfBounds);
  REQUIRE(f.root == "x");
  REQUIRE(f.element == 256);
  REQUIRE(f.address == 1024);
  REQUIRE(f.here.thread[0] == 56);
  REQUIRE(f.here.op == "load %x");
  REQUIRE(f.here.loc.line == 11);
  REQUIRE(to_string(f).find("test.bir:11:1: out-of-bounds in @k: element 256 of 'x'") == 0);

  f = refused(one_block(in_out, "slot %a: s32[8] x 1\nslot %s: s32[60] x 1\n", "store %s, %t, %t"),
              {x, y});
  REQUIRE(f.kind == FindingKind::OutOfBounds);
  REQUIRE(f.root == "s");
  REQUIRE(f.address == 32 + 60 * 4);
  f = refused(one_block(in_out, "", "%m = const {value = -1} : s32\n%v = load %x, %m : s32"),
              {x, y});
  REQUIRE(f.element == -1);
}

TEST_CASE("the end of a vector counts, and so does its alignment") {
  ir::Tensor x = counting(256), y(Elem::S32, {256});
  Finding f = refused(
      one_block(in_out, "", "%i = const {value = 252} : s32\n%v = load %x, %i : vec<s32 x 8>"),
      {x, y});
  REQUIRE(f.kind == FindingKind::OutOfBounds);
  f = refused(
      one_block(in_out, "", "%i = const {value = 2} : s32\n%v = load %x, %i : vec<s32 x 4>"),
      {x, y});
  REQUIRE(f.kind == FindingKind::Misaligned);
}

TEST_CASE("shared memory that nobody wrote is not read") {
  ir::Tensor x = counting(256), y(Elem::S32, {256});
  const std::string text = one_block(in_out, "slot %s: s32[64] x 1\n",
                                     "%lim = const {value = 63} : s32\n"
                                     "%p = cmp %t, %lim {pred = lt} : i1\nstore %s, %t, %t, %p\n"
                                     "%v = load %s, %t : s32\nstore %y, %t, %v");
  Finding f = refused(text, {x, y});
  REQUIRE(f.kind == FindingKind::UninitialisedRead);
  REQUIRE(f.root == "s");
  REQUIRE(f.element == 63);
  REQUIRE(run(text, {x, y}, {}, {.poison = false}).clean());
}

TEST_CASE("each block finds its shared memory fresh") {
  const std::string text =
      "kernel @k\naxis n = 64\nparam %y: out ptr<s32, global> [n]\nslot %s: s32[32] x 1\nthreads "
      "32 1 "
      "1\ngrid 2 1 1\n{\n%t = thread_rank : s32\n%b = block_id {dim = 0} : s32\n%z = const {value "
      "= 0} "
      ": s32\n%first = cmp %b, %z {pred = eq} : i1\nstore %s, %t, %t, %first\n%v = load %s, %t : "
      "s32\n"
      "store %y, %t, %v, %first\nyield\n}\n";
  ir::Tensor y(Elem::S32, {64});
  Finding f = refused(text, {y}, {.cores = 1});
  REQUIRE(f.kind == FindingKind::UninitialisedRead);
  REQUIRE(f.here.block[0] == 1);
}
