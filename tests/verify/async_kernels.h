// SPDX-License-Identifier: Apache-2.0
// Small kernels whose warps have jobs of their own, as text. Faults are planted by replacing a
// line.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "ir/parse.h"

namespace barline::verify::test {

/// `text` with its only (n-th, from 0) occurrence of `what` replaced.
inline std::string replaced(std::string text, std::string_view what, std::string_view with,
                            int nth = 0) {
  std::size_t at = text.find(what);
  for (; nth > 0 && at != std::string::npos; --nth) at = text.find(what, at + 1);
  if (at == std::string::npos) throw std::runtime_error("no such text: " + std::string(what));
  return text.replace(at, what.size(), with);
}

/// Row sums of a matrix, 4 rows a block: warp 2 copies boxes of 4 x 64 by TMA through a ring of 3
/// copies, warps 0 and 1 add two rows each; what a step summed stays in y at the step's column.
inline std::string ring_text() {
  return R"(bir 1
kernel @ring
axis m
axis k
axis b of m / 4 * 4
param %x: in ptr<f32, global> [m, k]
param %y: out ptr<f32, global> [b, k]
size %m
size %k
slot %s: f32[256] x 3 align 128
gate %full arrivals 1 x 3
gate %empty arrivals 2 x 3
threads 96 1 1
grid m / 4 1 1
{
  %warp = warp_id : s32
  %lane = lane_id : s32
  %block = block_id {dim = 0} : s32
  %c0 = const {value = 0} : s32
  %c1 = const {value = 1} : s32
  %c2 = const {value = 2} : s32
  %c3 = const {value = 3} : s32
  %c4 = const {value = 4} : s32
  %c63 = const {value = 63} : s32
  %c64 = const {value = 64} : s32
  %zero = const {value = 0.0} : f32
  %k63 = add %k, %c63 : s32
  %steps = div %k63, %c64 : s32
  %row0 = mul %block, %c4 : s32
  %fills = cmp %warp, %c2 {pred = ge} : i1
  if %fills () {
    %one = elect : i1
    if %one () {
      for %c0, %steps, %c1 (%i: s32) {
        %lap = div %i, %c3 : s32
        %before = sub %lap, %c1 : s32
        %e = slot_at %empty, %i : ptr<u64, shared>
        await %e, %before
        %f = slot_at %full, %i : ptr<u64, shared>
        arrive %f {bytes = 1024}
        %to = slot_at %s, %i : ptr<f32, shared>
        %col = mul %i, %c64 : s32
        copy_tensor %to, %c0, %x, %row0, %col, %f {rows = 4, columns = 64}
        yield
      }
      yield
    } () {
      yield
    }
    yield
  } () {
    %first = mul %warp, %c2 : s32
    for %c0, %steps, %c1 (%j: s32) {
      %clap = div %j, %c3 : s32
      %cf = slot_at %full, %j : ptr<u64, shared>
      await %cf, %clap
      %from = slot_at %s, %j : ptr<f32, shared>
      %at = mul %first, %c64 : s32
      %place = add %at, %lane : s32
      %a = load %from, %place : f32
      %b2 = load %from, %place {offset = 32} : f32
      %c = load %from, %place {offset = 64} : f32
      %d = load %from, %place {offset = 96} : f32
      warp_sync
      %cone = elect : i1
      if %cone () {
        %ce = slot_at %empty, %j : ptr<u64, shared>
        arrive %ce
        yield
      } () {
        yield
      }
      %r = add %row0, %first : s32
      %base = mul %r, %k : s32
      %ccol = mul %j, %c64 : s32
      %out = add %base, %ccol : s32
      %mine = add %out, %lane : s32
      %here = add %ccol, %lane : s32
      %in = cmp %here, %k {pred = lt} : i1
      %ab = add %a, %b2 : f32
      %cd = add %c, %d : f32
      store %y, %mine, %ab, %in
      %below = add %mine, %k : s32
      store %y, %below, %cd, %in
      yield
    }
    yield
  }
  yield
}
)";
}

inline ir::Kernel parsed(const std::string& text) { return ir::parse(text, "async.bir"); }

}  // namespace barline::verify::test
