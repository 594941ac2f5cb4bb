// SPDX-License-Identifier: Apache-2.0
// Tile-level kernels as text, shared by the tests of tiles and of the pipeline's stages.
#pragma once

#include <string>

namespace barline::verify {

/// y[r, :] = x[r, :] * sum(x[r, :]) over 96 threads of 4 neighbours. `axis`: "axis d", or bound.
inline std::string row_sum(const std::string& chunks, int chains,
                           const std::string& axis = "axis d") {
  return "kernel @row_sum\naxis rows\n" + axis +
         "\nlayout @s = reg 4 d * 1, lane 32 d * 4, warp 3 d * 128, chunk " + chunks +
         " d * 384\nparam %x: in ptr<f32, global> [rows, d]\nparam %y: out ptr<f32, global> [rows, "
         "d]\n" +
         "size %rows\n" + (axis == "axis d" ? "size %d\n" : "") +
         "threads 96 1 1\ngrid rows/1 1 1\n{\n" +
         (axis == "axis d" ? "" : "%d = const {value = " + axis.substr(9) + "} : s32\n") +
         "%row = block_id {dim = 0} : s32\n%base = mul %row, %d : s32\n"
         "%zero = const {value = 0.0} : f32\n"
         "%v = tile_load %x, %base : tile<f32, @s>\n"
         "%own = reduce %v, %zero {team = thread, chains = " +
         std::to_string(chains) +
         "} : f32 (%a: f32, %b: f32) {\n%ab = add %a, %b : f32\nyield %ab\n}\n"
         "%all = reduce %own, %zero {team = cta} : f32 (%c: f32, %e: f32) {\n"
         "%ce = add %c, %e : f32\nyield %ce\n}\n"
         "%scaled = mul %v, %all : tile<f32, @s>\ntile_store %y, %base, %scaled\nyield\n}\n";
}

/// Largest value of each warp's 32, and the lowest index that holds it.
inline const std::string argmax =
    "kernel @argmax\naxis n = 64\nparam %x: in ptr<f32, global> [n]\nparam %v: out ptr<f32, "
    "global> "
    "[n]\nparam %p: out ptr<s32, global> [n]\nthreads 64 1 1\ngrid 1 1 1\n{\n"
    "%t = thread_rank : s32\n%a = load %x, %t : f32\n%low = const {value = 0xff800000} : f32\n"
    "%far = const {value = 1000} : s32\n"
    "%m, %i = reduce %a, %t, %low, %far {team = warp} : f32, s32 "
    "(%va: f32, %ia: s32, %vb: f32, %ib: s32) {\n"
    "%gt = cmp %vb, %va {pred = gt} : i1\n%eq = cmp %vb, %va {pred = eq} : i1\n"
    "%lower = cmp %ib, %ia {pred = lt} : i1\n%tie = and %eq, %lower : i1\n%take = or %gt, %tie : "
    "i1\n"
    "%mv = select %take, %vb, %va : f32\n%mi = select %take, %ib, %ia : s32\nyield %mv, %mi\n}\n"
    "store %v, %t, %m\nstore %p, %t, %i\nyield\n}\n";

/// y[i] = 2 x[i] + i and p[i] = i, blocks of 192 along the second dimension of the grid.
inline const std::string scale_over_grid =
    "kernel @scale\naxis n\nlayout @s = reg 2 n * 1, lane 32 n * 2, warp 1 n * 64, chunk 3 n * "
    "64, "
    "cta 0 n * 192\nparam %x: in ptr<bf16, global> [n]\nparam %p: out ptr<s32, global> [n]\n"
    "param %y: out ptr<f32, global> [n]\nsize %n\nthreads 32 1 1\ngrid 1 n/192 1\n{\n"
    "%z = const {value = 0} : s32\n%v = tile_load %x, %z : tile<bf16, @s>\n"
    "%i = tile_index : tile<s32, @s>\n%f = cast %v : tile<f32, @s>\n"
    "%fi = cast %i : tile<f32, @s>\n%two = const {value = 2.0} : f32\n"
    "%r = fma %f, %two, %fi : tile<f32, @s>\n"
    "tile_store %y, %z, %r\ntile_store %p, %z, %i\nyield\n}\n";

/// Two block reductions in a row, in a loop.
inline const std::string twice =
    "kernel @twice\naxis n = 128\nparam %y: out ptr<s32, global> [n]\nthreads 128 1 1\ngrid 1 1 "
    "1\n{\n%t = thread_rank : s32\n%z = const {value = 0} : s32\n%one = const {value = 1} : s32\n"
    "%eight = const {value = 8} : s32\n"
    "%r = for %z, %eight, %one, %t : s32 (%k: s32, %v: s32) {\n"
    "%s = reduce %v, %z {team = cta} : s32 (%a: s32, %b: s32) {\n%ab = add %a, %b : s32\nyield "
    "%ab\n}\n%q = reduce %s, %z {team = cta} : s32 (%c: s32, %d: s32) {\n%m = max %c, %d : "
    "s32\nyield %m\n}\n%next = add %q, %t : s32\nyield %next\n}\nstore %y, %t, %r\nyield\n}\n";

}  // namespace barline::verify
