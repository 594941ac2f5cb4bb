// SPDX-License-Identifier: Apache-2.0
// Every rule of ir/diagnostics.def has a case here: a kernel that breaks it, and the code, the
// words, the fix and the place that its author is told. Texts mark the line with `//!`.
#include "ir/diagnostic.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "dsl/dsl.h"
#include "ir/check.h"
#include "ir/parse.h"
#include "ir/pipeline.h"
#include "ir/target.h"

using namespace barline;
using namespace barline::ir;

namespace {

struct Case {
  Diag diag;
  const char* words;
  const char* fix;
  std::string text;                ///< a kernel; `//!` stands on the line of the mistake
  std::function<void()> act = {};  ///< or code that fails, and sets `at` on the line where
};

int at = 0;

constexpr const char* frame_head = R"(bir 1
kernel @k
axis n = 64
param %x: in ptr<f32, global> [n]
param %y: out ptr<f32, global> [n]
param %z: inout ptr<s32, global> [n]
slot %s: f32[64] x 2
threads 64 1 1
grid 1 1 1
{
  %t = thread_rank : s32
  %zero = const {value = 0} : s32
  %one = const {value = 1} : s32
  %odd = cmp %t, %one {pred = eq} : i1
  %v = load %x, %t : f32
)";

std::string in_frame(const std::string& body) { return frame_head + body + "\n  yield\n}\n"; }

std::string header(const std::string& line) {
  return "bir 1\nkernel @k\n" + line + "\nthreads 32 1 1\ngrid 1 1 1\n{\n  yield\n}\n";
}

/// A tensor and a launch for cases in the DSL.
dsl::KernelSource source(const std::function<void(dsl::Thread&, const dsl::Tensor&)>& body) {
  dsl::Axis n{"n"};
  dsl::InOut y{"y", dsl::f32, {n}};
  return dsl::kernel("k", {y}, {.threads = {32}, .grid = {}}, [=](dsl::Thread& t) { body(t, y); });
}

/// What the case's text or code throws.
void run(const Case& c) {
  if (c.act) return c.act();
  Kernel k = parse(c.text, "case.bir");
  check_for(k, *find_target("sm_80"));
  run_pipeline(k);
}

unsigned marked_line(const std::string& text) {
  std::size_t at = text.find("//!");
  if (at == std::string::npos) return 0;
  return 1 + static_cast<unsigned>(
                 std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

std::vector<Case> cases() {
  using dsl::Thread;
  using dsl::Value;
  std::vector<Case> all = {
      {Diag::TypeMismatch, "add of f32 and s32", ".to(", in_frame("  %a = add %v, %t : f32 //!")},
      {Diag::TypeMismatch, "neg gives a s32", "its operands make it a f32",
       in_frame("  %a = neg %v : s32 //!")},
      {Diag::TypeMismatch, "store of s32", "convert", in_frame("  store %y, %t, %t //!")},
      {Diag::TypeMismatch, "thread_rank gives a vec<s32 x 4>", "docs/ops.md",
       in_frame("  %a = thread_rank : vec<s32 x 4> //!")},
      {Diag::TypeMismatch, "vote ballot gives a i1", "u32",
       in_frame("  %a = vote %odd {vote = ballot} : i1 //!")},
      {Diag::TypeMismatch, "pack gives a vec<f32 x 4>", "",
       in_frame("  %a = pack %v, %v : vec<f32 x 4> //!")},
      {Diag::WrongClass, "operand 'a' of and is a f32", "use one of: i1, s8",
       in_frame("  %a = and %v, %v : f32 //!")},
      {Diag::WrongClass, "atomic of f32", "32- or 64-bit",
       in_frame("  %p = slot_at %s, %zero : ptr<f32, shared>\n  %a = atomic %p, %zero, %v {rmw = "
                "max} : f32 //!")},
      {Diag::WrongClass, "ex2_approx of f64", "cast",
       in_frame("  %d = cast %v {round = rn} : f64\n  %a = ex2_approx %d : f64 //!")},
      {Diag::WrongClass, "clz of u8", "convert",
       in_frame("  %b = cast %t : u8\n  %a = clz %b : s32 //!")},
      {Diag::WrongAxis, "reduce of tile<f32, @a> with tile<f32, @b>", "one axis", R"(bir 1
kernel @k
axis a = 32
axis b = 32
layout @a = reg 1 a * 1, lane 32 a * 1, warp 1 a * 32, chunk 1 a * 32
layout @b = reg 1 b * 1, lane 32 b * 1, warp 1 b * 32, chunk 1 b * 32
param %x: in ptr<f32, global> [a]
threads 32 1 1
grid 1 1 1
{
  %zero = const {value = 0} : s32
  %z = const {value = 0.0} : f32
  %p = tile_load %x, %zero : tile<f32, @a>
  %q = tile_load %x, %zero : tile<f32, @b>
  %s, %u = reduce %p, %q, %z, %z {team = thread} : f32, f32 (%e: f32, %f: f32, %g: f32, %h: f32) { //!
    %l = add %e, %g : f32
    %m = add %f, %h : f32
    yield %l, %m
  }
  yield
}
)"},
      {Diag::BadParam, "parameter 'b' of type i1", "a number", header("param %b: i1 //!")},
      {Diag::BadParam, "parameter 'v' of type vec<f32 x 2>", "a number",
       header("param %v: vec<f32 x 2> //!")},
      {Diag::BadName, "slot '9'", "rename", header("slot %9: f32[4] x 1 //!")},
      {Diag::BadName, "two axes 'n'", "rename", header("axis n\naxis n")},
      {Diag::BadName, "parameter 'a.b'", "rename", header("param %a.b: f32 //!")},
      {Diag::BadLaunch, "2048x1x1 threads", "1 to 1024",
       "bir 1\nkernel @k\nthreads 2048 1 1\ngrid 1 1 1\n{\n  yield\n}\n"},
      {Diag::BadLaunch, "a grid dimension of no blocks", "positive",
       "bir 1\nkernel @k\nthreads 32 1 1\ngrid 0 1 1\n{\n  yield\n}\n"},
      {Diag::PartialWarp, "in a block of 16 x 3 x 1 = 48 threads", "a multiple of 32",
       "bir 1\nkernel @k\nthreads 16 3 1\ngrid 1 1 1\n{\n  %l = lane_id : s32 //!\n  yield\n}\n"},
      {Diag::DivergentConvergent,
       "barrier under a condition that differs between the threads of its block", "move it out",
       in_frame("  if %odd () {\n    barrier //!\n    yield\n  } () {\n    yield\n  }")},
      {Diag::DivergentConvergent, "shuffle under a condition", "move it out",
       in_frame("  if %odd () {\n    %a = shuffle %v, %one {mode = xor} : f32 //!\n    yield\n  } "
                "() {\n    yield\n  }")},
      {Diag::SlotMisuse, "slot 's' of 0 x 1", "an extent", header("slot %s: f32[0] x 1 //!")},
      {Diag::SlotMisuse, "store of s32 through a ptr<f32, shared>", "convert",
       in_frame("  store %s, %t, %t //!")},
      {Diag::WriteToInput, "store to 'x'", "Out or InOut", in_frame("  store %x, %t, %v //!")},
      {Diag::ReadOfOutput, "load of 'y'", "InOut", in_frame("  %a = load %y, %t : f32 //!")},
      {Diag::TargetFeature, "cluster scope of fence", "cta or gpu",
       in_frame("  fence {scope = cluster} //!")},
      {Diag::TargetFeature, "262144 bytes of shared memory", "smaller",
       header("slot %s: f32[65536] x 1 //!")},
      {Diag::BadSchedule, "all trips of a loop of unknown bounds", "constant bounds",
       in_frame("  for %zero, %t, %one {unroll = 0} (%i: s32) { //!\n    yield\n  }")},
      {Diag::BadDim, "axis 'd' is bound to 0", "1 to 2^31 - 1", header("axis d = 0")},
      {Diag::BadDim, "axis 'd' has neither a bound nor a size", "size %d", header("axis d")},
      {Diag::BadDim, "axis 'd' is bound and has a size", "size %d", header("axis d = 4\nsize %d")},
      {Diag::BadAttr, "thread_id with dim = 3", "docs/ops.md",
       in_frame("  %a = thread_id {dim = 3} : s32 //!")},
      {Diag::BadAttr, "const without a value", "give it one", in_frame("  %a = const : s32 //!")},
      {Diag::BadAttr, "const has no attribute 'why'", "docs/ops.md",
       in_frame("  %a = const {why = \"x\"} : s32 //!")},
      {Diag::BadAttr, "store with order acquire", "release",
       in_frame("  store %y, %t, %v {order = acquire} //!")},
      {Diag::BadAttr, "a const load of 'z'", "weak",
       in_frame("  %a = load %z, %t {order = const} : s32 //!")},
      {Diag::BadAttr, "reduce over a grid", "a warp or a cta",
       in_frame(
           "  %a = reduce %v, %v {team = grid} : f32 (%p: f32, %q: f32) { //!\n    yield %p\n  }")},
      {Diag::BadAttr, "cmp lt of i1", "eq or ne",
       in_frame("  %a = cmp %odd, %odd {pred = lt} : i1 //!")},
      {Diag::BadAttr, "a cast to e4m3 that rounds rz", "nearest",
       in_frame("  %a = cast %v {round = rz} : e4m3 //!")},
      {Diag::BadAttr, "extract with index = 2", "docs/ops.md",
       in_frame("  %p = pack %v, %v : vec<f32 x 2>\n  %a = extract %p {index = 2} : f32 //!")},
      {Diag::BadStructure, "the body of for does not end in yield", "terminator",
       in_frame("  for %zero, %one, %one (%i: s32) {\n    barrier //!\n  }")},
      {Diag::BadStructure, "uses a value that is not defined here", "above",
       in_frame("  if %odd () {\n    %a = neg %v : f32\n    yield\n  } () {\n    yield\n  }\n  "
                "store %y, %t, %a //!")},
      {Diag::BadStructure, "for carries other values than it gives", "",
       in_frame("  %a = for %zero, %one, %one, %v, %v : f32 (%i: s32, %p: f32) { //!\n    yield "
                "%p\n  }")},
      {Diag::BadStructure, "reduce without one value and one identity", "",
       in_frame(
           "  %a = reduce %v {team = warp} : f32 (%p: f32, %q: f32) { //!\n    yield %p\n  }")},
      {Diag::BadStructure, "shuffle in a combine", "one thread alone",
       in_frame("  %a = reduce %v, %v {team = warp} : f32 (%p: f32, %q: f32) {\n    %b = shuffle "
                "%p, %zero {mode = xor} : f32 //!\n    yield %b\n  }")},
      {Diag::BadStructure, "if carries a ptr<f32, shared>", "scalars, vectors or fragments",
       in_frame("  %a = if %odd : ptr<f32, shared> () { //!\n    yield %s\n  } () {\n    yield "
                "%s\n  }")},
      {Diag::BadStructure, "which is no stripe over 64 threads", "reg, lane, warp", R"(bir 1
kernel @k
axis n = 64
layout @n = reg 0 n * 1, lane 32 n * 1
param %x: in ptr<f32, global> [n]
threads 64 1 1
grid 1 1 1
{
  %zero = const {value = 0} : s32
  %v = tile_load %x, %zero : tile<f32, @n> //!
  yield
}
)"},
      {Diag::BadFragment, "which is no fragment over 64 threads", "32 lanes", R"(bir 1
kernel @k
axis n = 64
layout @n = reg 4 n * 1, lane 32 n * 4
threads 64 1 1
grid 1 1 1
{
  %v = const {value = 0.0} : tile<f32, @n> //!
  yield
}
)"},
      {Diag::BadRoot, "slot_at of something that is no slot", "a slot of the kernel",
       in_frame("  %a = slot_at %x, %one : ptr<f32, global> //!")},
      {Diag::BadRoot, "prefetch of a slot", "a parameter's tensor",
       in_frame("  prefetch %s, %one //!")},
      {Diag::BadRoot, "load through a computed pointer", "by index",
       in_frame("  while %s (%p: ptr<f32, shared>) {\n    %d = load %p, %t : f32 //!\n"
                "    condition %odd\n  } () {\n    yield %s\n  }")},
      {Diag::BadSyntax, "unknown operation 'leap'", "docs/ops.md", in_frame("  leap //!")},
      {Diag::BadVersion, "version 7", "bir 1", "bir 7 //!\nkernel @k\n"},
      {Diag::BadCall, "print of 9 values", "at most 8",
       in_frame("  print %t, %t, %t, %t, %t, %t, %t, %t, %t {message = \"m\"} //!")},
      {Diag::BadCall, "add has 1 operands", "give it 2", in_frame("  %a = add %v : f32 //!")},
  };
  // Rules of the DSL alone (tests/dsl/refusals.cpp has more of them).
  auto dsl_case = [&](Diag diag, const char* words, const char* fix, auto body) {
    all.push_back({diag, words, fix, "", [=] { instantiate(source(body), {}); }});
  };
  dsl_case(Diag::WrongRank, "2 coordinates in 'y'", "one coordinate",
           [](Thread& t, const dsl::Tensor& y) { at = __LINE__, t.store(y(0, 0), 1); });
  dsl_case(Diag::WrongAxis, "axis 'q' is on no listed", "an axis of a tensor",
           [](Thread& t, const dsl::Tensor&) { at = __LINE__, t.size(dsl::Axis{"q"}); });
  dsl_case(Diag::UnlistedParam, "scalar 'a' is not in", "add it",
           [](Thread& t, const dsl::Tensor& y) {
             Value v = t.load(y(0));
             at = __LINE__, v = v * dsl::Arg{"a"};
           });
  dsl_case(Diag::HostValue, "a Value that no kernel made", "before its first use",
           [](Thread& t, const dsl::Tensor& y) { at = __LINE__, t.store(y(0), Value()); });
  dsl_case(Diag::ForeignValue, "of a loop or branch that is done", "a variable",
           [](Thread& t, const dsl::Tensor& y) {
             Value last;
             t.loop(0, 2, [&](Value i) { last = i; });
             at = __LINE__, t.store(y(last), 1);
           });
  all.push_back({Diag::UnusedParam, "parameter 'a' is listed but not used", "drop it", "", [] {
                   dsl::Arg a = (at = __LINE__, dsl::Arg{"a"});
                   instantiate(dsl::kernel("k", {a}, {.threads = {32}, .grid = {}}, [](Thread&) {}),
                               {});
                 }});
  all.push_back(
      {Diag::NotLowered, "reduce is left", "run the pipeline", "", [] {
         check_lowered(parse(
             in_frame(
                 "  %a = reduce %v, %v {team = cta} : f32 (%p: f32, %q: f32) {\n    yield %p\n  }"),
             "case.bir"));
       }});
  return all;
}

void judge(const Case& c) {
  at = 0;
  INFO((c.act ? std::string("code") : c.text));
  try {
    run(c);
  } catch (const Error& e) {
    const Diagnostic& d = e.diagnostic();
    INFO(e.what());
    CHECK(code(d.diag) == code(c.diag));
    CHECK_THAT(d.message, Catch::Contains(c.words));
    CHECK_THAT(d.fix, Catch::Contains(c.fix));
    CHECK_THAT(e.what(),
               Catch::Contains("error[" + std::string(code(c.diag)) + "]: " + d.message) &&
                   Catch::Contains("\n  rule: " + std::string(rule(c.diag)) + "\n  fix: "));
    if (unsigned line = c.act ? static_cast<unsigned>(at) : marked_line(c.text)) {
      CHECK(d.loc.line == line);
      CHECK(d.loc.file == (c.act ? __FILE__ : "case.bir"));
    }
    return;
  }
  FAIL("nothing was refused; expected " << code(c.diag));
}

}  // namespace

TEST_CASE("every diagnostic says what, where, which rule and the fix", "[ir]") {
  for (const Case& c : cases()) judge(c);
}

TEST_CASE("every diagnostic has a case", "[ir]") {
  std::set<Diag> seen;
  for (const Case& c : cases()) seen.insert(c.diag);
  for (int i = 0; i < diag_count; ++i) {
    INFO(code(static_cast<Diag>(i)));
    CHECK(seen.contains(static_cast<Diag>(i)));
  }
}

TEST_CASE("codes and rules are told apart", "[ir]") {
  std::set<std::string_view> codes, rules;
  for (int i = 0; i < diag_count; ++i) {
    codes.insert(code(static_cast<Diag>(i)));
    rules.insert(rule(static_cast<Diag>(i)));
  }
  CHECK(codes.size() == static_cast<std::size_t>(diag_count));
  CHECK(rules.size() == static_cast<std::size_t>(diag_count));
  CHECK(to_string(Loc{}) == "<unknown>");
  CHECK(to_string(Loc{"f.cpp", 3, 4}) == "f.cpp:3:4");
}
