# SPDX-License-Identifier: Apache-2.0
"""What a host pays for a kernel, barline beside Triton in one run: the first launch from an empty
cache, the first of a new process from a filled one, and the host time of a launch.

  python3 bench/peers/host_rows.py --barline bin/barline KERNEL.. > rows.json

barline's figures are `barline bench --host`'s: to a loaded kernel. Triton's are the first call's,
after its import and the operands, less a second call; each in processes of their own, medians."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

PROCESSES = 5


def child(name):
    """One process: a kernel's first call, another, and a launch's host time."""
    import torch

    import triton_kernels as tk

    torch.cuda.init()
    make = {"row": row_kernel, "int4": int4_product}[name]
    launch = make(torch, tk)
    torch.cuda.synchronize()

    def ms():
        start = time.perf_counter()
        launch()
        torch.cuda.synchronize()
        return (time.perf_counter() - start) * 1e3

    first, second = ms(), ms()
    batches = []
    for _ in range(21):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(200):
            launch()
        batches.append((time.perf_counter() - start) / 200 * 1e6)
    print(json.dumps({"first_ms": first - second, "launch_us": statistics.median(batches)}))


def row_kernel(torch, tk):
    words = torch.zeros(1 << 14, device="cuda", dtype=torch.int32)
    out = torch.zeros(1024, device="cuda", dtype=torch.int32)
    return lambda: tk.run_read(words, out, tk.READS[0])


def int4_product(torch, tk):
    n = k = 4096
    x = torch.zeros(1, k, device="cuda", dtype=torch.float16)
    w = torch.zeros(n, k // 2, device="cuda", dtype=torch.uint8)
    scales = torch.ones(k // 128, n, device="cuda", dtype=torch.float16)
    y = torch.zeros(1, n, device="cuda", dtype=torch.float16)
    config = tk.configs(1)[0]
    return lambda: tk.run_int4(x, w, scales, y, config)


def in_process(name, cache):
    env = {**os.environ, "TRITON_CACHE_DIR": cache}
    out = subprocess.run([sys.executable, __file__, "--child", name], env=env, check=True,
                         capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])


def triton_row(name):
    cold, warm, launch = [], [], []
    for _ in range(PROCESSES):
        with tempfile.TemporaryDirectory() as cache:
            cold.append(in_process(name, cache)["first_ms"])
            again = in_process(name, cache)
        warm.append(again["first_ms"])
        launch.append(again["launch_us"])
    return {"kernel": f"triton {name}", "cold_jit_ms": statistics.median(cold),
            "warm_disk_ms": statistics.median(warm), "launch_us": statistics.median(launch)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--barline", default="barline", help="the command")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("kernels", nargs="*")
    options = parser.parse_args()
    if options.child:
        return child(options.child)
    command = [options.barline, "bench", "--host", "--json", *options.kernels]
    record = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    record["host"] += [triton_row(name) for name in ("row", "int4")]
    json.dump(record, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
