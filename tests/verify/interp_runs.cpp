// SPDX-License-Identifier: Apache-2.0
// Runs as a whole: schedules give the same bits, reports count and map writers, wrong arguments are
// refused, prints and checks carry their place.
#include <catch2/catch.hpp>

#include "interp_run.h"
#include "ir/diagnostic.h"

using namespace barline;
using namespace barline::verify;
using ir::Elem;

namespace {

/// A transpose of 16 x 16 tiles through shared memory, one element a thread.
const std::string transpose =
    "kernel @transpose\naxis r\naxis c\nparam %x: in ptr<f32, global> [r, c]\n"
    "param %y: out ptr<f32, global> [c, r]\nsize %r\nsize %c\nslot %s: f32[272] x 1\n"
    "threads 16 16 1\ngrid c/16 r/16 1\n{\n%tx = thread_id {dim = 0} : s32\n"
    "%ty = thread_id {dim = 1} : s32\n%bx = block_id {dim = 0} : s32\n%by = block_id {dim = 1} : "
    "s32\n"
    "%n = const {value = 16} : s32\n%p = const {value = 17} : s32\n"
    "%r0 = mul %by, %n : s32\n%row = add %r0, %ty : s32\n%c0 = mul %bx, %n : s32\n"
    "%col = add %c0, %tx : s32\n%rin = cmp %row, %r {pred = lt} : i1\n"
    "%cin = cmp %col, %c {pred = lt} : i1\n%in = and %rin, %cin : i1\n%a0 = mul %row, %c : s32\n"
    "%a = add %a0, %col : s32\n%v = load %x, %a, %in : f32\n%s0 = mul %ty, %p : s32\n"
    "%sa = add %s0, %tx : s32\nstore %s, %sa, %v\nbarrier\n%q0 = mul %tx, %p : s32\n"
    "%q = add %q0, %ty : s32\n%w = load %s, %q : f32\n%orow = add %c0, %ty : s32\n"
    "%ocol = add %r0, %tx : s32\n%orin = cmp %orow, %c {pred = lt} : i1\n"
    "%ocin = cmp %ocol, %r {pred = lt} : i1\n%oin = and %orin, %ocin : i1\n%o0 = mul %orow, %r : "
    "s32\n"
    "%o = add %o0, %ocol : s32\nstore %y, %o, %w, %oin\nyield\n}\n";

const std::string debugging =
    "kernel @k\naxis n = 2\nparam %y: out ptr<f32, global> [n]\nthreads 2 1 1\ngrid 1 1 "
    "1\ndebug\n{\n"
    "%t = thread_rank : s32\n%h = const {value = 0.5} : f32\n"
    "print %t, %h {message = \"here\"} @ \"a.cpp\":12:3\n"
    "%one = const {value = 1} : s32\n%ok = cmp %t, %one {pred = lt} : i1\n"
    "check %ok {message = \"t < 1\"} @ \"a.cpp\":13:3\nstore %y, %t, %h\nyield\n}\n";

template <class F>
std::string diagnostic_of(F f) {
  try {
    f();
  } catch (const ir::Error& e) {
    return std::string(ir::code(e.diagnostic().diag));
  }
  return "none";
}

}  // namespace

TEST_CASE("every schedule and core count gives the same bits") {
  const std::int64_t r = 37, c = 50;
  ir::Tensor x(Elem::F32, {r, c});
  for (int i = 0; i < r * c; ++i) x.as<float>()[i] = static_cast<float>(i);
  for (WarpOrder order : {WarpOrder::RoundRobin, WarpOrder::Reverse, WarpOrder::Random})
    for (std::uint64_t seed : {1, 2, 3})
      for (int cores : {1, 2, 3}) {
        ir::Tensor y(Elem::F32, {c, r});
        SimReport report =
            run(transpose, {x, y}, {r, c}, {.order = order, .seed = seed, .cores = cores});
        if (report.finding) FAIL(to_string(*report.finding));
        REQUIRE(report.counts.blocks == 12);
        REQUIRE(report.counts.barriers == 12);
        for (int i = 0; i < r; ++i)
          for (int j = 0; j < c; ++j) REQUIRE(y.as<float>()[j * r + i] == x.as<float>()[i * c + j]);
      }
}

TEST_CASE("the writer map names the thread that wrote each element") {
  ir::Tensor x(Elem::F32, {16, 32}), y(Elem::F32, {32, 16});
  SimOptions o;
  o.record_writers = true;
  SimReport report = run(transpose, {x, y}, {16, 32}, o);
  REQUIRE(report.clean());
  REQUIRE(report.writers.size() == 2);
  REQUIRE(report.writers[0].empty());
  for (int row = 0; row < 32; ++row)
    for (int col = 0; col < 16; ++col)
      REQUIRE(report.writers[1][row * 16 + col] == row / 16 * 256 + row % 16 * 16 + col);
}

TEST_CASE("lane ops count what active lanes do") {
  ir::Tensor y(Elem::S32, {40});
  SimReport report = run(
      "kernel @k\naxis n = 40\nparam %y: out ptr<s32, global> [n]\nthreads 40 1 1\ngrid 1 1 1\n{\n"
      "%t = thread_rank : s32\n%a = add %t, %t : s32\nstore %y, %t, %a\nyield\n}\n",
      {y});
  REQUIRE(report.counts.lane_ops == 80);
}

TEST_CASE("a run that does not end within max_steps is refused") {
  ir::Tensor y(Elem::S32, {1});
  SimOptions o;
  o.max_steps = 10000;
  auto f =
      run("kernel @k\naxis n = 1\nparam %y: out ptr<s32, global> [n]\nthreads 32 1 1\ngrid 1 1 1\n"
          "{\n%yes = const {value = true} : i1\nwhile () {\ncondition %yes\n} () {\nyield\n}\n"
          "yield\n}\n",
          {y}, {}, o)
          .finding;
  REQUIRE(f);
  REQUIRE(f->kind == FindingKind::StepLimit);
}

TEST_CASE("arguments that do not fit the kernel are refused") {
  ir::Tensor x(Elem::F32, {16, 16}), y(Elem::F32, {16, 16}), h(Elem::F16, {16, 16});
  REQUIRE(diagnostic_of([&] { run(transpose, {x}, {16, 16}); }) == "bad-call");
  REQUIRE(diagnostic_of([&] { run(transpose, {x, ir::Scalar{}}, {16, 16}); }) == "bad-call");
  REQUIRE(diagnostic_of([&] { run(transpose, {x, h}, {16, 16}); }) == "type-mismatch");
  REQUIRE(diagnostic_of([&] { run(transpose, {x, y}, {16, 17}); }) == "bad-dim");
  REQUIRE(diagnostic_of([&] { run(transpose, {x, y}, {16}); }) == "bad-dim");
  REQUIRE(diagnostic_of([&] { run(transpose, {x, y}, {16, 16, 1}); }) == "bad-dim");
}

TEST_CASE("print writes a line a thread; a failed check is a finding at its place") {
  std::vector<std::string> lines;
  SimOptions o;
  o.print = [&](std::string_view line) { lines.emplace_back(line); };
  ir::Tensor y(Elem::F32, {2});
  auto f = run(debugging, {y}, {}, o).finding;
  REQUIRE(lines ==
          std::vector<std::string>{"here (a.cpp:12) t=0 h=0.5\n", "here (a.cpp:12) t=1 h=0.5\n"});
  REQUIRE(f);
  REQUIRE(f->kind == FindingKind::Trap);
  REQUIRE(f->here.thread[0] == 1);
  REQUIRE(f->here.loc.line == 13);
  REQUIRE(f->message == "check failed: t < 1");
}
