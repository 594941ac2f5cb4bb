// SPDX-License-Identifier: Apache-2.0
// Indices as numbers a thread plus symbols, with the wrapping of their types.
#include "ir/affine.h"

#include <catch2/catch.hpp>

#include "analyses.h"

using namespace barline;
using namespace barline::ir;
using test::analysed;
using test::named;

namespace {

struct Form {
  bool known = false;
  std::vector<std::int64_t> at;
  std::map<std::string, std::int64_t> symbols;
};

Form form_of(const std::string& body, const std::string& name,
             const std::string& threads = "64 1 1") {
  Kernel k = analysed(body, threads);
  AffineAnalysis a(k);
  const ThreadForm* f = a.form(named(k, name));
  if (!f) return {};
  Form out{true, f->at, {}};
  for (auto [v, factor] : f->symbols) out.symbols[k.values[v].name] = factor;
  return out;
}

using Symbols = std::map<std::string, std::int64_t>;

}  // namespace

TEST_CASE("thread ids are numbers, sizes and block ids symbols", "[ir]") {
  Form t = form_of("", "t");
  CHECK(t.at[5] == 5);
  CHECK(t.symbols.empty());
  CHECK(form_of("%i = thread_id {dim = 1} : s32", "i", "16 4 1").at[17] == 1);
  CHECK(form_of("%l = lane_id : s32", "l").at[33] == 1);
  CHECK(form_of("%w = warp_id : s32", "w").at[33] == 1);
  Form n = form_of("", "n");
  CHECK(n.at[9] == 0);
  CHECK(n.symbols == Symbols{{"n", 1}});
  CHECK_FALSE(form_of("%a = load %x, %t : s32", "a").known);
}

TEST_CASE("sums and products of symbols and numbers are followed", "[ir]") {
  Form a =
      form_of("%c = const {value = 3} : s32\n%m = mul %f, %c : s32\n%a = add %m, %t : s32", "a");
  CHECK(a.at[7] == 7);
  CHECK(a.symbols == Symbols{{"f", 3}});
  Form d = form_of("%a = add %f, %t : s32\n%d = sub %a, %f : s32", "d");
  CHECK(d.at[7] == 7);
  CHECK(d.symbols.empty());
  // A thread's number times a symbol is neither.
  CHECK_FALSE(form_of("%a = mul %f, %t : s32", "a").known);
  // A product of symbols is a symbol of its own.
  CHECK(form_of("%a = mul %f, %n : s32", "a").symbols == Symbols{{"a", 1}});
}

TEST_CASE("division, remainders and bits of numbers are computed", "[ir]") {
  const std::string c = "%c = const {value = 6} : s32\n";
  CHECK(form_of(c + "%a = div %t, %c : s32", "a").at[20] == 3);
  CHECK(form_of(c + "%a = rem %t, %c : s32", "a").at[20] == 2);
  CHECK(form_of(c + "%a = and %t, %c : s32", "a").at[5] == 4);
  CHECK(form_of(c + "%a = or %t, %c : s32", "a").at[1] == 7);
  CHECK(form_of(c + "%a = xor %t, %c : s32", "a").at[5] == 3);
  CHECK(form_of(c + "%a = shl %t, %c : s32", "a").at[3] == 192);
  CHECK(form_of(c + "%a = shr %t, %one : s32", "a").at[7] == 3);
  CHECK_FALSE(form_of("%u = add %t, %f : s32\n" + c + "%a = rem %u, %c : s32", "a").known);
  CHECK_FALSE(form_of("%a = div %one, %t : s32", "a").known);
}

TEST_CASE("values wrap to their type", "[ir]") {
  CHECK(form_of("%u = cast %t : u32\n%o = const {value = 1} : u32\n%a = sub %u, %o : u32", "a")
            .at[0] == 0xffffffff);
  CHECK(form_of("%u = cast %t : u32\n%o = const {value = 1} : u32\n%m = const {value = 8} : u32\n"
                "%b = sub %u, %o : u32\n%a = rem %b, %m : u32",
                "a")
            .at[0] == 7);
  CHECK(form_of("%c = const {value = 16} : s32\n%m = mul %t, %c : s32\n%a = cast %m : s8", "a")
            .at[9] == -112);
  CHECK(form_of("%c = const {value = 16} : s32\n%m = mul %t, %c : s32\n%a = cast %m : u8", "a")
            .at[33] == 16);
  CHECK(form_of("%c = const {value = 100000000} : s32\n%a = mul %t, %c : s32", "a").at[63] ==
        2005032704);
  CHECK(form_of("%c = const {value = 9223372036854775807} : s64\n%w = cast %t : s64\n%a = add %w, "
                "%c : s64",
                "a")
            .at[1] == INT64_MIN);
  // Narrow types beside symbols are not followed: tid + f as a byte may be anything.
  CHECK_FALSE(form_of("%a0 = add %f, %t : s32\n%a = cast %a0 : u8", "a").known);
  CHECK_FALSE(form_of("%a = cast %t {saturate = 1} : u8", "a").known);
}

TEST_CASE("beside symbols only the residue of 2^32 is kept", "[ir]") {
  Form a = form_of(
      "%u = cast %t : u32\n%g = cast %f : u32\n%o = const {value = 1} : u32\n"
      "%b = sub %u, %o : u32\n%a = add %b, %g : u32",
      "a");
  CHECK(a.at[0] == -1);  // the same as for s32, so that both are told to be one place
  CHECK(a.symbols == Symbols{{"f", 1}});
  // 2^32 times a symbol is not nothing in 64 bits: a form without symbols would be taken as exact.
  Form w = form_of(
      "%g = cast %f : s64\n%c = const {value = 4294967296} : s64\n%a = mul %g, %c : s64", "a");
  CHECK_FALSE(w.symbols.empty());
}
