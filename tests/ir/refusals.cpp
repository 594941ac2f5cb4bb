// SPDX-License-Identifier: Apache-2.0
// Text that is no kernel: refused by code, words and place, and never a crash.
#include <catch2/catch.hpp>

#include "ir/check.h"
#include "ir/diagnostic.h"
#include "ir/parse.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "tests/support/random_kernel.h"
#include "tests/support/random_source.h"

using namespace barline;
using namespace barline::ir;

namespace {

struct Refusal {
  const char* text;
  const char* code;
  const char* words;
  unsigned line, column;
};

const std::string head = "bir 1\nkernel @k\nthreads 32 1 1\n";

void refuse(const Refusal& r) {
  INFO(r.text);
  try {
    parse(r.text, "t.bir");
  } catch (const Error& e) {
    INFO(e.what());
    CHECK(code(e.diagnostic().diag) == r.code);
    CHECK_THAT(e.diagnostic().message, Catch::Contains(r.words));
    CHECK(e.diagnostic().loc == Loc{"t.bir", r.line, r.column});
    CHECK_FALSE(e.diagnostic().fix.empty());
    return;
  }
  FAIL("accepted");
}

void refuse_body(const std::string& body, const char* code, const char* words, unsigned line,
                 unsigned column) {
  std::string text = head + "{\n" + body + "\nyield\n}\n";
  refuse({text.c_str(), code, words, line + 4, column});
}

}  // namespace

TEST_CASE("the first line is 'bir 1'", "[ir]") {
  refuse({"", "bad-version", "no version line", 1, 1});
  refuse({"kernel @k {}", "bad-version", "no version line", 1, 1});
  refuse({"bir 2\nkernel @k {}", "bad-version", "version 2", 1, 1});
  refuse({"bir one\nkernel @k {}", "bad-version", "no version line", 1, 1});
  refuse({"bir 10\nkernel @k {}", "bad-version", "version 10", 1, 1});
  refuse({"bir 01\nkernel @k {}", "bad-version", "version 01", 1, 1});
}

TEST_CASE("header lines are refused where they are wrong", "[ir]") {
  const Refusal rows[] = {
      {"bir 1\n@k {}", "bad-syntax", "found 'k'", 2, 1},
      {"bir 1\nkernel k {}", "bad-syntax", "found 'k'", 2, 8},
      {"bir 1\nkernel @k\n", "bad-syntax", "the text ends", 3, 1},
      {"bir 1\nkernel @k\nfrobnicate 3\n{}", "bad-syntax", "unknown header line 'frobnicate'", 3,
       1},
      {"bir 1\nkernel @k\nconfig plain\n{}", "bad-syntax", "found 'plain'", 3, 8},
      {"bir 1\nkernel @k\nconfig \"open\n{}", "bad-syntax", "a string without an end", 3, 8},
      {"bir 1\nkernel @k\naxis d = many\n{}", "bad-syntax", "found 'many'", 3, 10},
      {"bir 1\nkernel @k\naxis d = 99999999999999999999\n{}", "bad-syntax", "no 64-bit integer", 3,
       10},
      {"bir 1\nkernel @k\nparam %x: in ptr<f32, global> [q]\n{}", "bad-syntax", "no axis 'q'", 3,
       32},
      {"bir 1\nkernel @k\nparam %x: in f32\n{}", "bad-syntax", "a scalar with one", 3, 14},
      {"bir 1\nkernel @k\nparam %x: ptr<f32, global>\n{}", "bad-syntax",
       "a tensor without an access", 3, 26},
      {"bir 1\nkernel @k\nparam %x: f12\n{}", "bad-syntax", "unknown element type 'f12'", 3, 11},
      {"bir 1\nkernel @k\nparam %x: f32\nparam %x: f32\n{}", "bad-syntax", "%x is defined twice", 4,
       7},
      {"bir 1\nkernel @k\naxis d\nsize %e\n{}", "bad-syntax", "no axis 'e'", 4, 6},
      {"bir 1\nkernel @k\nslot %s: f32[8] x 0\n{}", "bad-syntax", "0 as copies", 3, 19},
      {"bir 1\nkernel @k\nring @x lane slots 0 ahead 0\n{}", "bad-syntax",
       "ring 'x' of 0 slots that does not hoist", 3, 28},
      {"bir 1\nkernel @k\nring @x lane slots 0 ahead 1 hoist\n{}", "bad-syntax", "1 as uses", 3,
       28},
      {"bir 1\nkernel @k\nslot %s: f32 8 x 1\n{}", "bad-syntax", "found '8'", 3, 14},
      {"bir 1\nkernel @k\nlayout @l = foo 2 d * 1\n{}", "bad-syntax", "unknown coordinate 'foo'", 3,
       13},
      {"bir 1\nkernel @k\naxis d\nlayout @l = reg 2 d * 0\n{}", "bad-syntax",
       "a digit out of range", 4, 23},
      {"bir 1\nkernel @k\nthreads 4294967297 1 1\n{}", "bad-syntax", "4294967297 as threads", 3, 9},
      {"bir 1\nkernel @k\nmax_registers 1000\n{}", "bad-syntax", "1000 as a count of registers", 3,
       15},
      {"bir 1\nkernel @k\ngrid q/2 1 1\n{}", "bad-syntax", "no axis 'q'", 3, 6},
      {"bir 1\nkernel @k\n{\nyield\n}\nmore", "bad-syntax", "text after the kernel", 6, 1},
      {"bir 1\nkernel @k\n{\nyield\n", "bad-syntax", "the text ends", 5, 1},
  };
  for (const Refusal& r : rows) refuse(r);
}

TEST_CASE("ops are refused where they are wrong", "[ir]") {
  refuse_body("fly", "bad-syntax", "unknown operation 'fly'", 1, 1);
  refuse_body("%a = const {value = 1} : s33", "bad-syntax", "unknown element type 's33'", 1, 26);
  refuse_body("%a = const {size = 1} : s32", "bad-attr", "const has no attribute 'size'", 1, 13);
  refuse_body("%a = const {value = 1, value = 2} : s32", "bad-syntax", "'value' twice", 1, 24);
  refuse_body("%a = neg %b : f32", "bad-syntax", "%b is not defined", 1, 10);
  refuse_body("%a = const {value = 1}", "bad-syntax", "1 results and 0 types", 1, 22);
  refuse_body("barrier : f32", "bad-syntax", "0 results and 1 types", 1, 11);
  refuse_body("%a = const {value = 1} : s32\n%a = const {value = 2} : s32", "bad-syntax",
              "%a is defined twice", 2, 1);
  refuse_body("%a = thread_id {dim = x} : s32", "bad-syntax", "found 'x'", 1, 23);
  refuse_body("%a = thread_id {dim 0} : s32", "bad-syntax", "found '0'", 1, 21);
  refuse_body("barrier {why = loud}", "bad-syntax", "found 'loud'", 1, 16);
  refuse_body("fence {scope = galaxy}", "bad-syntax", "unknown scope 'galaxy'", 1, 16);
  refuse_body("barrier {why = \"open}", "bad-syntax", "a string without an end", 1, 16);
  refuse_body("% = thread_rank : s32", "bad-syntax", "found '%'", 1, 1);
  refuse_body("%v = load %v, %v : vec<f32 x 3>", "bad-syntax", "%v is not defined", 1, 11);
  refuse_body("%a = const {value = 1} : vec<s32 x 3>", "bad-syntax", "a vector of 3", 1, 36);
  refuse_body("%a = const {value = 1} : tile<s32, @l>", "bad-syntax", "no layout @l", 1, 36);
  refuse_body("%a = const {value = 1} : ptr<s32, local>", "bad-syntax", "found 'local'", 1, 35);
}

TEST_CASE("literals are numbers of their type", "[ir]") {
  const std::pair<const char*, const char*> bad[] = {{"256", "u8"},
                                                     {"-1", "u8"},
                                                     {"128", "s8"},
                                                     {"-129", "s8"},
                                                     {"2", "i1"},
                                                     {"true", "s32"},
                                                     {"false", "f32"},
                                                     {"0x100", "u8"},
                                                     {"0x1ffffffff", "f32"},
                                                     {"1e39", "f32"},
                                                     {"nan", "f32"},
                                                     {"inf", "f64"},
                                                     {"1.5", "s32"},
                                                     {"99999999999999999999", "u64"},
                                                     {"9223372036854775808", "s64"},
                                                     {"1x", "f32"},
                                                     {"0x", "u32"},
                                                     {"word", "s32"},
                                                     {"16", "u4"}};
  for (auto [text, type] : bad)
    refuse_body(std::string("%a = const {value = ") + text + "} : " + type, "bad-syntax",
                "no literal of", 1, 21);
  refuse_body("%a = const {value = \"1\"} : s32", "bad-syntax", "found '1'", 1, 21);
  refuse_body("%a = const {value = %x} : s32", "bad-syntax", "found 'x'", 1, 21);
  const std::pair<const char*, const char*> good[] = {{"255", "u8"},
                                                      {"-128", "s8"},
                                                      {"1", "i1"},
                                                      {"true", "i1"},
                                                      {"0xff", "s8"},
                                                      {"1e38", "f32"},
                                                      {"-0.0", "f16"},
                                                      {"1e-45", "f32"},
                                                      {"-9223372036854775808", "s64"},
                                                      {"18446744073709551615", "u64"}};
  for (auto [text, type] : good)
    CHECK_NOTHROW(parse(head + "{\n%a = const {value = " + text + "} : " + type + "\nyield\n}"));
}

TEST_CASE("nesting is bounded", "[ir]") {
  auto nest = [](int depth) {
    std::string text = head + "{\n%c = const {value = true} : i1\n";
    for (int i = 0; i < depth; ++i) text += "if %c () {\n";
    for (int i = 0; i < depth; ++i) text += "yield\n} () {\nyield\n}\n";
    return text + "yield\n}\n";
  };
  Kernel deep = parse(nest(150));
  check(deep);
  run_pipeline(deep);
  CHECK_THROWS_WITH(parse(nest(100000)), Catch::Contains("regions nested too deep"));
}

namespace {

/// One random edit: a byte changed, put in, taken out, a piece doubled, or words exchanged.
std::string mutated(std::string text, test::Random& rng) {
  static const char* words[] = {"%0",
                                "%1",
                                "f32",
                                "s32",
                                "vec<f32 x 4>",
                                "-1",
                                "99999999999",
                                "yield",
                                "if",
                                "for",
                                "{",
                                "}",
                                "(",
                                ")",
                                ",",
                                "=",
                                "\"",
                                "ptr<s8, shared>",
                                "const",
                                "load",
                                "@d",
                                "reduce",
                                "0x7f",
                                "x"};
  for (int edits = rng.one_in(3) ? 2 : 1; edits > 0 && !text.empty(); --edits) {
    std::size_t at = rng.next() % text.size();
    std::size_t n = 1 + rng.next() % 12;
    switch (rng.below(12)) {
      case 0: text[at] = static_cast<char>(rng.below(256)); break;
      case 1: text.insert(at, words[rng.below(static_cast<int>(std::size(words)))]); break;
      case 2: text.erase(at, n); break;
      case 3: text.insert(at, text.substr(at, 8 * n)); break;
      case 4: text.insert(rng.next() % text.size(), text.substr(at, n)); break;
      default: {
        // Another number or name in place of this one: most of these still parse.
        std::size_t digit = text.find_first_of("0123456789", at);
        if (digit != std::string::npos) text[digit] = static_cast<char>('0' + rng.below(10));
      }
    }
  }
  return text;
}

}  // namespace

TEST_CASE("10 000 mutated texts are refused or are kernels, and never crash", "[ir]") {
  int accepted = 0, lowered = 0;
  test::Random rng(1);
  for (int i = 0; i < 10'000; ++i) {
    Kernel k = test::random_kernel(static_cast<std::uint64_t>(i % 97)).kernel;
    if (i % 3 == 0) run_pipeline(k);
    std::string text = mutated(print(k), rng);
    try {
      Kernel back = parse(text, "m.bir");
      std::string printed = print(back);
      check(back);
      ++accepted;
      REQUIRE(print(parse(printed)) == printed);
      run_pipeline(back);
      ++lowered;
    } catch (const Error& e) {
      REQUIRE_FALSE(e.diagnostic().fix.empty());
    }
  }
  CHECK(accepted > 500);
  CHECK(lowered > 400);
}

TEST_CASE("regions that are none are refused", "[ir]") {
  refuse({"bir 1\nkernel @k\nregion @a rest\n{", "bad-syntax", "unknown class of a region", 3, 11});
  const std::string body =
      "  %c = region_begin {region = 0} : u64\n  region_end %c {region = 0}\n  yield\n}\n";
  auto message = [&](const std::string& header, const std::string& of) {
    try {
      check(parse(head + header + "{\n" + of));
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  CHECK(message("region @a work\n", body) == "accepted");
  CHECK_THAT(message("", body), Catch::Contains("region_begin of region 0") &&
                                    Catch::Contains("name a region of the kernel's table"));
  CHECK_THAT(message("region @a work\nregion @a wait\n", body),
             Catch::Contains("two regions 'a'") && Catch::Contains("rename one"));
  CHECK_THAT(message("region @a work\ntimed\n", body),
             Catch::Contains("@k is timed without a buffer of samples") &&
                 Catch::Contains("make its last parameter 'region_times'"));
  CHECK_THAT(message("", "  %c = clock : u32\n  yield\n}\n"),
             Catch::Contains("clock with u32") && Catch::Contains("make it u64"));
}
