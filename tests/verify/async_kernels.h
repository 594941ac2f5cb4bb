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

/// "%a0, %a1, .." and "f32, f32, ..".
inline std::string listed(std::string_view name, int n) {
  std::string text;
  for (int i = 0; i < n; ++i) text += (i ? ", " : "") + std::string(name) + std::to_string(i);
  return text;
}
inline std::string repeated(std::string_view text, int n) {
  std::string all;
  for (int i = 0; i < n; ++i) all += (i ? ", " : "") + std::string(text);
  return all;
}

/// A product of f16 matrices in tiles of 128 x 64, 64 of k a step: blocks take one tile after the
/// other, one thread of the last four warps fills a ring of 4 copies, two warpgroups multiply and
/// release a step's copy when the step after it is on its way.
inline std::string gemm_text() {
  const std::string acc = repeated("flight<f32 x 4>", 8), sums = repeated("vec<f32 x 4>", 8);
  return R"(bir 1
kernel @gemm
axis m
axis n = 128
axis k = 704
axis tiles of m / 128 * 128
param %x: in ptr<f16, global> [m, k]
param %w: in ptr<f16, global> [n, k]
param %y: out ptr<f32, global> [tiles, n]
size %m
slot %xs: f16[8192] x 4 align 1024
slot %ws: f16[4096] x 4 align 1024
gate %full arrivals 1 x 4
gate %empty arrivals 8 x 4
threads 384 1 1
grid m / 128 n / 64 1
persistent
max_registers 168
{
  %c0 = const {value = 0} : s32
  %c1 = const {value = 1} : s32
  %c2 = const {value = 2} : s32
  %c4 = const {value = 4} : s32
  %c8 = const {value = 8} : s32
  %c11 = const {value = 11} : s32
  %c16 = const {value = 16} : s32
  %c64 = const {value = 64} : s32
  %c127 = const {value = 127} : s32
  %c128 = const {value = 128} : s32
  %c4096 = const {value = 4096} : s32
  %block = block_id {dim = 0} : s32
  %blocks = grid_dim {dim = 0} : s32
  %up = add %m, %c127 : s32
  %down = div %up, %c128 : s32
  %tiles_n = mul %down, %c2 : s32
  %warp = warp_id : s32
  %lane = lane_id : s32
  %computes = cmp %warp, %c8 {pred = lt} : i1
  if %computes () {
    set_registers {registers = 240}
    %zero = const {value = 0.0} : f32
    %none = pack %zero, %zero, %zero, %zero : vec<f32 x 4>
    %group = div %warp, %c4 : s32
    %rows = mul %group, %c4096 : s32
    %used = for %block, %tiles_n, %blocks, %c0 : s32 (%tile: s32, %u0: s32) {
      %row = rem %tile, %down : s32
      %col = div %tile, %down : s32
      )" + listed("%s", 8) +
         " = wgmma_fence " + repeated("%none", 8) + " : " + acc + R"(
      )" + listed("%e", 8) +
         ", %ue = for %c0, %c11, %c1, " + listed("%s", 8) + ", %u0 : " + acc + R"(, s32 (%i: s32, )" +
         [] {
           std::string args;
           for (int i = 0; i < 8; ++i) args += "%a" + std::to_string(i) + ": flight<f32 x 4>, ";
           return args;
         }() +
         R"(%u: s32) {
        %phase = div %u, %c4 : s32
        %f = slot_at %full, %u : ptr<u64, shared>
        await %f, %phase
        %xa = slot_at %xs, %u : ptr<f16, shared>
        %wa = slot_at %ws, %u : ptr<f16, shared>
        wgmma_fence
        )" +
         listed("%b", 8) + " = wgmma_slots %xa, %rows, %wa, %c0, " + listed("%a", 8) + " : " + acc +
         R"(
        %rows16 = add %rows, %c16 : s32
        )" +
         listed("%d", 8) + " = wgmma_slots %xa, %rows16, %wa, %c0, " + listed("%b", 8) +
         " {offset = 16} : " + acc + R"(
        wgmma_commit
        wgmma_wait {pending = 1}
        %later = cmp %u, %u0 {pred = gt} : i1
        if %later () {
          %last = sub %u, %c1 : s32
          warp_sync
          %one = elect : i1
          if %one () {
            %e = slot_at %empty, %last : ptr<u64, shared>
            arrive %e
            yield
          } () {
            yield
          }
          yield
        } () {
          yield
        }
        %un = add %u, %c1 : s32
        yield )" +
         listed("%d", 8) + R"(, %un
      }
      )" + listed("%r", 8) +
         " = wgmma_wait " + listed("%e", 8) + " : " + sums + R"(
      warp_sync
      %one2 = elect : i1
      if %one2 () {
        %last2 = sub %ue, %c1 : s32
        %er = slot_at %empty, %last2 : ptr<u64, shared>
        arrive %er
        yield
      } () {
        yield
      }
      %y0 = mul %row, %c128 : s32
      %wr = mul %warp, %c16 : s32
      %lr = div %lane, %c4 : s32
      %y1 = add %y0, %wr : s32
      %y2 = add %y1, %lr : s32
      %y3 = mul %y2, %c128 : s32
      %lc = rem %lane, %c4 : s32
      %lc2 = mul %lc, %c2 : s32
      %colg = mul %col, %c64 : s32
      %y4 = add %y3, %colg : s32
      %y5 = add %y4, %lc2 : s32
      %low = extract %r0 {index = 0} : vec<f32 x 2>
      store %y, %y5, %low
      %high = extract %r7 {index = 2} : vec<f32 x 2>
      store %y, %y5, %high {offset = 1080}
      yield %ue
    }
    yield
  } () {
    set_registers {registers = 24}
    %first = cmp %warp, %c8 {pred = eq} : i1
    if %first () {
      %one3 = elect : i1
      if %one3 () {
        %filled = for %block, %tiles_n, %blocks, %c0 : s32 (%tile2: s32, %v0: s32) {
          %row2 = rem %tile2, %down : s32
          %col2 = div %tile2, %down : s32
          %row3 = mul %row2, %c128 : s32
          %col3 = mul %col2, %c64 : s32
          %ve = for %c0, %c11, %c1, %v0 : s32 (%j: s32, %v: s32) {
            %lap = div %v, %c4 : s32
            %before = sub %lap, %c1 : s32
            %g = slot_at %empty, %v : ptr<u64, shared>
            await %g, %before
            %h = slot_at %full, %v : ptr<u64, shared>
            arrive %h {bytes = 24576}
            %xt = slot_at %xs, %v : ptr<f16, shared>
            %wt = slot_at %ws, %v : ptr<f16, shared>
            %kk = mul %j, %c64 : s32
            copy_tensor %xt, %c0, %x, %row3, %kk, %h {rows = 128, columns = 64, swizzled = 1}
            copy_tensor %wt, %c0, %w, %col3, %kk, %h {rows = 64, columns = 64, swizzled = 1}
            %vn = add %v, %c1 : s32
            yield %vn
          }
          yield %ve
        }
        yield
      } () {
        yield
      }
      yield
    } () {
      yield
    }
    yield
  }
  yield
}
)";
}

/// Two pairs of warps hand 64 numbers to the other warp of their pair, each by a barrier of its own.
inline std::string pairs_text() {
  return R"(bir 1
kernel @pairs
axis n = 128
param %x: in ptr<f32, global> [n]
param %y: out ptr<f32, global> [n]
slot %s: f32[128] x 1
threads 128 1 1
grid 1 1 1
{
  %t = thread_rank : s32
  %warp = warp_id : s32
  %c2 = const {value = 2} : s32
  %c32 = const {value = 32} : s32
  %other = xor %t, %c32 : s32
  %v = load %x, %t : f32
  store %s, %t, %v
  %low = cmp %warp, %c2 {pred = lt} : i1
  if %low () {
    barrier {id = 1, warps = 2}
    %a = load %s, %other : f32
    store %y, %t, %a
    yield
  } () {
    barrier {id = 2, warps = 2}
    %b = load %s, %other : f32
    store %y, %t, %b
    yield
  }
  yield
}
)";
}

/// Each block of a pair stores 64 numbers into the other one's slot.
inline std::string exchange_text() {
  return R"(bir 1
kernel @exchange
axis n = 256
param %x: in ptr<f32, global> [n]
param %y: out ptr<f32, global> [n]
slot %s: f32[64] x 1
threads 64 1 1
grid n / 64 1 1
cluster 2
{
  %t = thread_rank : s32
  %block = block_id {dim = 0} : s32
  %rank = cluster_rank : s32
  %c1 = const {value = 1} : s32
  %c64 = const {value = 64} : s32
  %o = mul %block, %c64 : s32
  %g = add %o, %t : s32
  %v = load %x, %g : f32
  %peer = xor %rank, %c1 : s32
  cluster_arrive
  cluster_wait
  store_remote %s, %t, %peer, %v
  cluster_arrive
  cluster_wait
  %w = load %s, %t : f32
  store %y, %g, %w
  yield
}
)";
}

/// Reads weights beside the grid before, and what that grid writes after waiting for it.
inline std::string dependent_text() {
  return R"(bir 1
kernel @dependent
axis n = 128
param %w: in ptr<f32, global> [n]
param %x: in ptr<f32, global> [n]
param %y: inout ptr<f32, global> [n]
threads 64 1 1
grid n / 64 1 1
{
  %t = thread_rank : s32
  %block = block_id {dim = 0} : s32
  %c64 = const {value = 64} : s32
  %o = mul %block, %c64 : s32
  %g = add %o, %t : s32
  %a = load %w, %g {order = const} : f32
  release_next
  await_previous
  %b = load %x, %g : f32
  %c = load %y, %g : f32
  %d = fma %a, %b, %c : f32
  store %y, %g, %d
  yield
}
)";
}

inline ir::Kernel parsed(const std::string& text) { return ir::parse(text, "async.bir"); }

}  // namespace barline::verify::test
