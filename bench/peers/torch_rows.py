# SPDX-License-Identifier: Apache-2.0
"""PyTorch's row kernels in the harness of `barline bench`: CUDA graphs of launches that rotate
through copies of the operands past the L2 cache, medians over rounds. Prints one JSON object."""

import random

import torch
import torch.nn.functional as F

import record

ROTATE_BYTES = 256 << 20
ROUNDS, REPLAYS, MIN_LAUNCHES = 5, 20, 20


def time_us(make, launch, operand_bytes):
    """Median over rounds of one launch. make() gives one copy of the operands."""
    copies = min(max(-(-ROTATE_BYTES // operand_bytes), 2), 4096)
    operands = [make() for _ in range(copies)]
    order = []
    rng = random.Random(1)
    while len(order) < max(MIN_LAUNCHES, copies):
        once = list(range(copies))
        rng.shuffle(once)
        order += once
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for i in order[:3]:
            launch(*operands[i])
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        for i in order:
            launch(*operands[i])
    times = []
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    for round_ in range(-1, ROUNDS):
        start.record()
        for _ in range(REPLAYS):
            graph.replay()
        end.record()
        end.synchronize()
        if round_ >= 0:
            times.append(start.elapsed_time(end) * 1e3 / (REPLAYS * len(order)))
    times.sort()
    return {"us": times[len(times) // 2], "us_min": times[0], "us_max": times[-1]}


def rows_of(rows, d, dtype):
    def x():
        return torch.randn(rows, d, device="cuda", dtype=dtype)

    size = torch.empty(0, dtype=dtype).element_size()
    both = 2 * rows * d * size
    weight = torch.randn(d, device="cuda", dtype=dtype)
    shape = {"rows": rows, "d": d, "dtype": str(dtype).split(".")[-1]}
    yield "copy", both, shape, time_us(lambda: (x(), x()), lambda a, b: b.copy_(a), both)
    yield "rms_norm", both, shape, time_us(
        lambda: (x(), weight.clone()), lambda a, w: F.rms_norm(a, (d,), w, 1e-6), both
    )
    yield "layer_norm", both, shape, time_us(
        lambda: (x(),), lambda a: F.layer_norm(a, (d,), weight, None, 1e-6), both
    )
    yield "softmax", both, shape, time_us(lambda: (x(),), lambda a: torch.softmax(a, -1), both)


def main():
    out = []
    for rows, d, dtype in ((4096, 8192, torch.bfloat16), (1, 5120, torch.bfloat16)):
        for name, moved, shape, timing in rows_of(rows, d, dtype):
            row = {"kernel": name, **shape, **timing, "gb_per_s": moved / timing["us"] / 1e3}
            out.append(row)
    record.write(out)


if __name__ == "__main__":
    main()
