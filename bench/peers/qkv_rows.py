# SPDX-License-Identifier: Apache-2.0
"""Weight-only products, the square products of 4096 and causal attention: barline's kernels beside
PyTorch's and Triton's, interleaved in one process and one graph harness (harness.py). Prints a
table on stderr and one JSON object on stdout.

  barline build qkv_w4a16 qkv_w8a16 --arch sm_90a --launch-json -o bundle/peers
  python3 bench/peers/qkv_rows.py --barline bundle/peers/launches.json > rows.json
"""

import argparse
import sys
import time

import torch

import barline_contenders
import product_rows
import qkv_contenders
import record
from barline_cubin import load_bundle
from harness import Contender, time_interleaved
from record import listed, show
from weights import Int4, Int8

# Segments of the fused projections: Llama-2-7B, Llama-3-8B, Llama-3-70B, Qwen3.5-27B.
SHAPES = {
    "12288x4096": ((4096, 4096, 4096), 4096),
    "6144x4096": ((4096, 1024, 1024), 4096),
    "10240x8192": ((8192, 1024, 1024), 8192),
    "14336x5120": ((12288, 1024, 1024), 5120),
}
PREFILL = 512


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--barline", help="launches.json of barline build --launch-json")
    parser.add_argument("--shapes", type=listed, default=list(SHAPES))
    parser.add_argument("--m", type=lambda t: [int(m) for m in listed(t)],
                        default=[1, 16, 64, 512, 2048])
    parser.add_argument("--bits", type=lambda t: [int(b) for b in listed(t)], default=[4, 8])
    parser.add_argument("--products", type=listed, default=["f16", "int8", "attention"],
                        help="square f16, square int8, attention; empty: none")
    parser.add_argument("--compile", type=listed, default=["12288x4096"],
                        help="shapes that torch.compile is timed at")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-peers", action="store_true", help="barline and the reader alone")
    parser.add_argument("--no-singles", action="store_true", help="no three calls beside the fused")
    parser.add_argument("--seconds", type=float, default=1e9, help="start no new group after")
    return parser.parse_args()


def timed(group, prefill, rounds, flops):
    rows = [c for c in group if isinstance(c, dict)]
    rows += time_interleaved([c for c in group if isinstance(c, Contender)], prefill, rounds)
    for row in rows:
        row.pop("flops", None)
        if "us" in row and prefill and row["name"] != "read-only kernel":
            row["tflop_per_s"] = flops / row["us"] / 1e6
        show(row)
    return rows


def products(options, kernels, late):
    for shape in options.shapes:
        segments, k = SHAPES[shape]
        for bits in options.bits:
            n = sum(segments)
            weights = Int4(n, k) if bits == 4 else Int8(n, k, segments)
            for m in options.m:
                if late():
                    print(f"out of time before {shape} int{bits} M={m}", file=sys.stderr)
                    return
                problem = qkv_contenders.Problem(m, segments, weights)
                group = []
                if options.no_peers:
                    group.append(qkv_contenders.read_only(problem))
                else:
                    group += qkv_contenders.peers(problem, shape in options.compile)
                group += barline_contenders.contenders(kernels, problem)
                if not options.no_singles:
                    group += barline_contenders.singles(kernels, problem)
                yield from timed(group, m >= PREFILL, options.rounds, problem.flops)
                del group, problem
                torch.cuda.empty_cache()


def main():
    options = arguments()
    begin = time.time()
    late = lambda: time.time() - begin > options.seconds
    torch.backends.cuda.matmul.allow_tf32 = False
    kernels = load_bundle(options.barline) if options.barline else []
    rows = list(products(options, kernels, late))
    for group in product_rows.all_products(kernels, options.products):
        if late():
            break
        flops = next((c.fields["flops"] for c in group if isinstance(c, Contender)), 0)
        rows += timed(group, True, options.rounds, flops)
        del group
        torch.cuda.empty_cache()
    record.write(
        rows,
        f"triton {qkv_contenders.tk.triton.__version__}, cudnn {torch.backends.cudnn.version()}",
        harness="interleaved graphs; weights rotate past L2, x and y do not; random codes, the "
                "f16 peers multiply the same dequantised values")


if __name__ == "__main__":
    main()
