# SPDX-License-Identifier: Apache-2.0
"""Triton kernels written for the comparison: weight-only int4 and int8 products, and a kernel that
only reads. Weights are operand A, widened in registers, as Hopper's wgmma likes them; tokens are
the narrow side of the tile."""

import torch
import triton
import triton.language as tl


@triton.jit(do_not_specialize=["M"])
def int4_kernel(x, w, scales, y, M, N, K, BLOCK_N: tl.constexpr, BLOCK_M: tl.constexpr):
    """y = x rn_f16(code * scale); a step is one group of 128, in the order of Int4.halves()."""
    rows = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    tokens = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    half = tl.arange(0, 64)
    keep = tokens < M
    acc = tl.zeros((BLOCK_N, BLOCK_M), tl.float32)
    for group in range(0, K // 128):
        bytes_ = tl.load(w + rows[:, None] * (K // 2) + group * 64 + half[None, :])
        scale = tl.load(scales + group * N + rows)[:, None]
        low = ((bytes_ & 15).to(tl.float16) - 8.0) * scale
        high = ((bytes_ >> 4).to(tl.float16) - 8.0) * scale
        at = x + tokens[None, :] * K + group * 128 + half[:, None]
        x0 = tl.load(at, mask=keep[None, :], other=0.0)
        x1 = tl.load(at + 64, mask=keep[None, :], other=0.0)
        acc = tl.dot(low.to(tl.float16), x0, acc)
        acc = tl.dot(high.to(tl.float16), x1, acc)
    out = y + tokens[None, :] * N + rows[:, None]
    tl.store(out, acc.to(tl.float16), mask=keep[None, :])


@triton.jit(do_not_specialize=["M"])
def int8_kernel(x, w, scales, y, M, N, K, BLOCK_N: tl.constexpr, BLOCK_M: tl.constexpr):
    """y = (x code) * scale[n], f32 scales."""
    rows = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    tokens = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    step = tl.arange(0, 128)
    keep = tokens < M
    acc = tl.zeros((BLOCK_N, BLOCK_M), tl.float32)
    for k in range(0, K, 128):
        codes = tl.load(w + rows[:, None] * K + k + step[None, :]).to(tl.float16)
        xs = tl.load(x + tokens[None, :] * K + k + step[:, None], mask=keep[None, :], other=0.0)
        acc = tl.dot(codes, xs, acc)
    acc = acc * tl.load(scales + rows)[:, None]
    out = y + tokens[None, :] * N + rows[:, None]
    tl.store(out, acc.to(tl.float16), mask=keep[None, :])


@triton.jit
def read_kernel(words, out, n, BLOCK: tl.constexpr, TRIPS: tl.constexpr):
    """Reads n words; writes only if all of a lane's are one value that none is."""
    at = tl.program_id(0) * BLOCK * TRIPS + tl.arange(0, BLOCK)
    seen = tl.zeros((BLOCK,), tl.int32)
    for t in tl.static_range(TRIPS):
        seen |= tl.load(words + at + t * BLOCK, mask=at + t * BLOCK < n, other=0)
    tl.store(out + at % 1024, seen, mask=seen == 0x7FFFFFF3)


# (BLOCK_N, BLOCK_M, warps, stages)
SMALL = [(32, 16, 4, 5), (64, 16, 4, 4), (64, 16, 8, 5), (128, 16, 4, 4)]
MIDDLE = [(64, 64, 4, 4), (128, 64, 4, 4), (128, 64, 8, 3)]
LARGE = [(128, 128, 8, 3), (128, 256, 8, 3), (256, 128, 8, 3)]


def configs(m):
    return SMALL if m <= 16 else MIDDLE if m <= 64 else LARGE


def run_int4(x, w, scales, y, config):
    run(int4_kernel, x, w, scales, y, w.shape[1] * 2, config)


def run_int8(x, w, scales, y, config):
    run(int8_kernel, x, w, scales, y, w.shape[1], config)


def run(kernel, x, w, scales, y, k, config):
    block_n, block_m, warps, stages = config
    m, n = x.shape[0], w.shape[0]
    grid = (triton.cdiv(m, block_m), n // block_n)
    kernel[grid](x, w, scales, y, m, n, k, BLOCK_N=block_n, BLOCK_M=block_m, num_warps=warps,
                 num_stages=stages)


# (BLOCK, TRIPS, warps)
READS = [(2048, 4, 8), (4096, 2, 8), (4096, 4, 16), (2048, 2, 4), (8192, 2, 16)]


def run_read(words, out, config):
    block, trips, warps = config
    grid = (triton.cdiv(words.numel(), block * trips),)
    read_kernel[grid](words, out, words.numel(), BLOCK=block, TRIPS=trips, num_warps=warps)


def best_config(choices, launch, copies):
    """The choice with the least time over a few graph replays; one that does not compile loses."""
    best, best_us = None, float("inf")
    for config in choices:
        try:
            us = quick_us(lambda i: launch(i, config), copies)
        except Exception:
            torch.cuda.synchronize()
            continue
        if us < best_us:
            best, best_us = config, us
    if best is None:
        raise RuntimeError("no configuration of this kernel compiles here")
    return best


def quick_us(launch, copies):
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        launch(0)
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        for i in range(max(copies, 8)):
            launch(i % copies)
    times = []
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    for _ in range(4):
        start.record()
        graph.replay()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return min(times)
