// SPDX-License-Identifier: Apache-2.0
// Lane operations a second of processor time of the simulator, by kind of kernel; run with [bench].
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <ctime>

#include "interp_run.h"

using namespace barline;
using namespace barline::verify;
using ir::Elem;

namespace {

/// Runs and prints millions of lane ops a second of processor time, with and without the checks.
void measure(const std::string& what, const std::string& text, std::vector<SimArgument> arguments,
             std::vector<std::int64_t> sizes) {
  ir::Kernel k = kernel(text);
  for (bool checked : {true, false}) {
    std::clock_t start = std::clock();
    SimReport r =
        simulate(k, arguments, sizes, {.cores = 1, .detect_races = checked, .poison = checked});
    double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    REQUIRE(r.clean());
    double millions = static_cast<double>(r.counts.lane_ops) / 1e6;
    fmt::print("{:24} {:10} {:8.1f} M lane-ops/s ({:.1f} M in {:.3f} s)\n", what,
               checked ? "checked" : "unchecked", millions / seconds, millions, seconds);
  }
}

const std::string polynomial =
    "kernel @poly\naxis n\nparam %x: in ptr<f32, global> [n]\nparam %y: out ptr<f32, global> [n]\n"
    "size %n\nthreads 256 1 1\ngrid n/256 1 1\n{\n%t = thread_rank : s32\n%b = block_id {dim = 0} "
    ": s32\n"
    "%w = const {value = 256} : s32\n%z = const {value = 0} : s32\n%one = const {value = 1} : s32\n"
    "%trips = const {value = 64} : s32\n%o = mul %b, %w : s32\n%i = add %o, %t : s32\n"
    "%v = load %x, %i : f32\n%c = const {value = 0.5} : f32\n"
    "%r = for %z, %trips, %one, %v : f32 (%k: s32, %a: f32) {\n%p = fma %a, %v, %c : f32\n"
    "%q = mul %p, %c : f32\n%s = add %q, %v : f32\n%m = min %s, %c : f32\nyield %m\n}\n"
    "store %y, %i, %r\nyield\n}\n";

const std::string row_norm =
    "kernel @rows\naxis rows\naxis d\nlayout @s = reg 8 d * 1, lane 32 d * 8, warp 8 d * 256, "
    "chunk 0 "
    "d * 2048\nparam %x: in ptr<bf16, global> [rows, d]\nparam %y: out ptr<bf16, global> [rows, "
    "d]\n"
    "size %rows\nsize %d\nthreads 256 1 1\ngrid rows/1 1 1\n{\n%row = block_id {dim = 0} : s32\n"
    "%base = mul %row, %d : s32\n%zero = const {value = 0.0} : f32\n"
    "%h = tile_load %x, %base : tile<bf16, @s>\n%v = cast %h : tile<f32, @s>\n"
    "%q = mul %v, %v : tile<f32, @s>\n"
    "%own = reduce %q, %zero {team = thread, chains = 4} : f32 (%a: f32, %b: f32) {\n"
    "%ab = add %a, %b : f32\nyield %ab\n}\n"
    "%all = reduce %own, %zero {team = cta} : f32 (%c: f32, %e: f32) {\n%ce = add %c, %e : f32\n"
    "yield %ce\n}\n%n = mul %v, %all : tile<f32, @s>\n%o = cast %n : tile<bf16, @s>\n"
    "tile_store %y, %base, %o\nyield\n}\n";

const std::string shared_copy =
    "kernel @shared\naxis n\nparam %x: in ptr<f32, global> [n]\nparam %y: out ptr<f32, global> "
    "[n]\n"
    "slot %s: f32[1024] x 2\nsize %n\nthreads 256 1 1\ngrid n/1024 1 1\n{\n%t = thread_rank : s32\n"
    "%b = block_id {dim = 0} : s32\n%w = const {value = 1024} : s32\n%four = const {value = 4} : "
    "s32\n"
    "%z = const {value = 0} : s32\n%one = const {value = 1} : s32\n%trips = const {value = 16} : "
    "s32\n"
    "%o = mul %b, %w : s32\n%u = mul %t, %four : s32\n%i = add %o, %u : s32\n"
    "%v0 = load %x, %i : vec<f32 x 4>\n%last = const {value = 1020} : s32\n%j = sub %last, %u : "
    "s32\n"
    "%r = for %z, %trips, %one, %v0 : vec<f32 x 4> (%k: s32, %v: vec<f32 x 4>) {\n"
    "%p = slot_at %s, %k : ptr<f32, shared>\nstore %p, %u, %v\nbarrier\n"
    "%q = load %p, %j : vec<f32 x 4>\nyield %q\n}\nstore %y, %i, %r\nyield\n}\n";

}  // namespace

TEST_CASE("lane operations a second", "[.][bench]") {
  const std::int64_t n = 1 << 18;
  ir::Tensor x(Elem::F32, {n}), y(Elem::F32, {n});
  for (std::int64_t i = 0; i < n; ++i) x.as<float>()[i] = static_cast<float>(i) / n;
  measure("arithmetic in a loop", polynomial, {x, y}, {n});
  measure("shared memory, barriers", shared_copy, {x, y}, {n});
  ir::Tensor h(Elem::BF16, {256, 8192}), o(Elem::BF16, {256, 8192});
  for (std::int64_t i = 0; i < h.count(); ++i)
    h.as<std::uint16_t>()[i] = static_cast<std::uint16_t>(0x3f00 + i % 128);
  measure("row norm, tile level", row_norm, {h, o}, {256, 8192});
}
