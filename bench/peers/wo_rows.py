# SPDX-License-Identifier: Apache-2.0
"""The output projection of NVFP4 weights: barline's kernels beside cuBLAS in bf16 and a kernel that
reads the weights and does nothing else, interleaved in one process and one graph harness
(harness.py). Every contender is compared with an f64 product first. Prints a table on stderr and
one JSON object on stdout.

  barline build wo_nvfp4_fast wo_nvfp4_fast64 wo_nvfp4_chains wo_nvfp4_fused --arch sm_90a \\
      --launch-json -o bundle/peers
  python3 bench/peers/wo_rows.py --barline bundle/peers/launches.json > rows.json
"""

import argparse

import torch
import torch.nn.functional as F

import qkv_contenders
import record
from barline_cubin import load_bundle
from harness import Contender, copies_for, first_line, relative_l2, time_interleaved
from nvfp4 import Nvfp4
from record import listed, show

LIMIT = 1e-5  # of f32 sums; a bf16 peer is held to PEER_LIMIT
PEER_LIMIT = 1e-2
IMAGES = {
    "wo_nvfp4_fast": lambda w: {"w_fast": w.fast(5)},
    "wo_nvfp4_fast64": lambda w: {"w_fast64": w.fast(4, 2)},
    "wo_nvfp4_chains": lambda w: {"w_chains": w.chains()},
    "wo_nvfp4_fused": lambda w: {"w_chains": w.chains()},
}


class Problem:
    """x, one set of weights and the f64 product."""

    def __init__(self, batch, weights):
        self.batch, self.weights = batch, weights
        self.x = torch.randn(batch, weights.k, device="cuda", dtype=torch.bfloat16)
        self.want = self.x.double() @ weights.values().t()

    def fields(self):
        return {"B": self.batch, "N": self.weights.n, "K": self.weights.k}


def checked(name, problem, launch, y, copies, limit, **fields):
    fields = {**problem.fields(), **fields}
    try:
        launch(0)
        torch.cuda.synchronize()
        error = relative_l2(y().double(), problem.want)
        if not error <= limit:
            return {"name": name, **fields, "refused": f"wrong: relative L2 error {error:.3g}"}
    except Exception as error:
        return {"name": name, **fields, "refused": first_line(error)}
    return Contender(name, launch, copies, **fields, error=error)


def barline(kernels, problem):
    """Every schedule that takes the problem; those that run beside the next grid also under
    dependent launch."""
    w = problem.weights
    sizes = {"B": problem.batch, "N": w.n, "K": w.k}
    images = {}
    for kernel in kernels:
        if kernel.family not in IMAGES or not kernel.fits(sizes):
            continue
        if kernel.family not in images:
            first = IMAGES[kernel.family](w)
            images[kernel.family] = [first] + [{n: t.clone() for n, t in first.items()}
                                               for _ in range(copies_for(w.read_bytes()) - 1)]
        sets = images[kernel.family]
        y = torch.empty(problem.batch, w.n, device="cuda")
        for dependent in (False, True) if kernel.row["awaits_previous"] else (False,):
            y.fill_(float("nan"))
            launches = [kernel.bind({"x": problem.x, "y": y, **image},
                                    {"global_scale": w.global_scale}, sizes, dependent)
                        for image in sets]
            yield checked(f"barline {kernel.name}", problem, lambda i, l=launches: l[i](),
                          lambda y=y: y, len(sets), LIMIT, dependent=dependent)


def cublas(problem):
    first = problem.weights.values().bfloat16()
    copies = [first] + [first.clone() for _ in range(copies_for(first.numel() * 2) - 1)]
    results = {}

    def launch(i):
        results["y"] = F.linear(problem.x, copies[i])

    return checked("torch F.linear bf16", problem, launch, lambda: results["y"], len(copies),
                   PEER_LIMIT)


def groups(kernels, options):
    for n, k in options.shapes:
        weights = Nvfp4(n, k)
        for batch in options.batch if (n, k) == options.shapes[0] else options.batch[:1]:
            problem = Problem(batch, weights)
            group = [qkv_contenders.read_only(problem)]
            if not options.no_peers:
                group.append(cublas(problem))
            yield group + list(barline(kernels, problem))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--barline", required=True, help="launches.json of barline build")
    parser.add_argument("--shapes", default="5120x6144,8192x8192", help="NxK; all B at the first",
                        type=lambda t: [tuple(map(int, s.split("x"))) for s in listed(t)])
    parser.add_argument("--batch", default="1,2,4,8,16",
                        type=lambda t: [int(b) for b in listed(t)])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-peers", action="store_true", help="barline and the reader alone")
    return parser.parse_args()


def main():
    options = arguments()
    rows = []
    for group in groups(load_bundle(options.barline), options):
        rows += [c for c in group if isinstance(c, dict)]
        rows += time_interleaved([c for c in group if isinstance(c, Contender)],
                                 rounds=options.rounds)
        for row in rows[-len(group):]:
            show(row)
        torch.cuda.empty_cache()
    record.write(
        rows, schema="barline.projection_peers/1",
        harness="interleaved graphs; weights rotate past L2, x and y do not; random codes and "
                "scales, every contender compared with f64 first")


if __name__ == "__main__":
    main()
