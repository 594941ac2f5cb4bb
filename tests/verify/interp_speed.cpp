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

/// x[128, 256] * z[128, 256]^T by mma: a warp a tile of 32 x 32, steps of 16. y: sums as lanes hold
/// them.
std::string product() {
  std::string text =
      "kernel @mm\naxis m = 128\naxis n = 128\naxis k = 256\nparam %x: in ptr<bf16, global> [m, "
      "k]\nparam %z: in ptr<bf16, global> [n, k]\nparam %y: out ptr<f32, global> [m, n]\n"
      "slot %a: bf16[512] x 1\nslot %b: bf16[512] x 1\nthreads 32 1 1\ngrid m/32 n/32 1\n{\n"
      "%t = thread_rank : s32\n%bi = block_id {dim = 0} : s32\n%bj = block_id {dim = 1} : s32\n"
      "%c0 = const {value = 0} : s32\n%c4 = const {value = 4} : s32\n%c7 = const {value = 7} : "
      "s32\n%c8 = const {value = 8} : s32\n%c16 = const {value = 16} : s32\n%c128 = const {value = "
      "128} : s32\n%c256 = const {value = 256} : s32\n%c32 = const {value = 32} : s32\n"
      "%zero = const {value = 0.0} : f32\n%none = pack %zero, %zero, %zero, %zero : vec<f32 x 4>\n"
      "%rx = mul %bi, %c32 : s32\n%rz = mul %bj, %c32 : s32\n%gx = add %rx, %t : s32\n"
      "%gz = add %rz, %t : s32\n%px = mul %gx, %c256 : s32\n%pz = mul %gz, %c256 : s32\n"
      "%st = mul %t, %c16 : s32\n%row = rem %t, %c16 : s32\n%half = div %t, %c16 : s32\n"
      "%o1 = mul %row, %c16 : s32\n%o2 = mul %half, %c8 : s32\n%at = add %o1, %o2 : s32\n"
      "%r0, %r1, %r2, %r3, %r4, %r5, %r6, %r7 = for %c0, %c256, %c16, %none, %none, %none, %none, "
      "%none, %none, %none, %none : vec<f32 x 4>, vec<f32 x 4>, vec<f32 x 4>, vec<f32 x 4>, "
      "vec<f32 x 4>, vec<f32 x 4>, vec<f32 x 4>, vec<f32 x 4> (%k0: s32, %s0: vec<f32 x 4>, %s1: "
      "vec<f32 x 4>, %s2: vec<f32 x 4>, %s3: vec<f32 x 4>, %s4: vec<f32 x 4>, %s5: vec<f32 x 4>, "
      "%s6: vec<f32 x 4>, %s7: vec<f32 x 4>) {\n%qx = add %px, %k0 : s32\n%qz = add %pz, %k0 : "
      "s32\nbarrier\n";
  for (const char* of : {"x", "z"})
    for (int h = 0; h < 2; ++h)
      text += fmt::format(
          "%v{0}{1} = load %{0}, %q{0} {{offset = {2}}} : vec<bf16 x 8>\n"
          "store %{3}, %st, %v{0}{1} {{offset = {2}}}\n",
          of, h, 8 * h, *of == 'x' ? 'a' : 'b');
  text += "barrier\n";
  for (int h = 0; h < 2; ++h)
    text += fmt::format(
        "%fa{0} = load_matrix %a, %at {{offset = {1}}} : vec<bf16 x 8>\n"
        "%fb{0} = load_matrix %b, %at {{offset = {1}}} : vec<bf16 x 8>\n"
        "%g{0}0 = extract %fb{0} {{index = 0}} : vec<bf16 x 4>\n"
        "%g{0}1 = extract %fb{0} {{index = 4}} : vec<bf16 x 4>\n",
        h, 256 * h);
  for (int i = 0; i < 8; ++i)
    text += fmt::format("%d{0} = mma %fa{1}, %g{2}{3}, %s{0} : vec<f32 x 4>\n", i, i / 4, i / 2 % 2,
                        i % 2);
  text +=
      "yield %d0, %d1, %d2, %d3, %d4, %d5, %d6, %d7\n}\n%w0 = mul %gx, %c128 : s32\n%w = add %w0, "
      "%rz : s32\n";
  for (int i = 0; i < 8; ++i) text += fmt::format("store %y, %w, %r{} {{offset = {}}}\n", i, 4 * i);
  return text + "yield\n}\n";
}

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
  ir::Tensor a(Elem::BF16, {128, 256}), b(Elem::BF16, {128, 256}), c(Elem::F32, {128, 128});
  for (ir::Tensor* t : {&a, &b})
    for (std::int64_t i = 0; i < t->count(); ++i)
      t->as<std::uint16_t>()[i] = static_cast<std::uint16_t>(0x3f00 + i % 128);
  measure("128 x 128 x 256 by mma", product(), {a, b, c}, {});
}
