# SPDX-License-Identifier: Apache-2.0
"""Bytes that ncu counts at the DRAM, a launch of each arm of a sweep: for `barline sweep
--counters`, and to hold counted bytes against. The arms are the folders of an earlier sweep.

  barline sweep wo_nvfp4 --wo-split 1,2,4,8 --out sweep
  python3 bench/peers/ncu_counters.py --barline bin/barline sweep > counters.json
  barline sweep wo_nvfp4 --wo-split 1,2,4,8 --out again --counters counters.json

A launch is profiled with cold caches (ncu flushes them between passes)."""

import argparse
import csv
import json
import pathlib
import subprocess
import sys

READ, WRITTEN = "dram__bytes_read.sum", "dram__bytes_write.sum"
SHARE, TIME = "dram__throughput.avg.pct_of_peak_sustained_elapsed", "gpu__time_duration.sum"
METRICS = (READ, WRITTEN, SHARE, TIME)
SCALES = {"byte": 1, "Kbyte": 1e3, "Mbyte": 1e6, "Gbyte": 1e9, "%": 1, "ns": 1e-3, "us": 1,
          "ms": 1e3, "nsecond": 1e-3, "usecond": 1, "msecond": 1e3}


def profiled(options, config):
    sizes = [word for axis, n in config["sizes"].items() for word in ("--set", f"{axis}={n}")]
    run = [options.barline, *options.global_options, "run", config["kernel"], "--device",
           options.device, *sizes]
    command = [options.ncu, "--csv", "--page", "details", "--metrics", ",".join(METRICS),
               "--kernel-name", f"regex:{config['kernel'].split('.')[0]}", "--launch-count", "1"]
    done = subprocess.run(command + run, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith('"ID"')), None)
    if start is None:
        sys.exit(f"ncu counted nothing of {config['kernel']}:\n{done.stdout}{done.stderr}")
    values = {}
    for row in csv.DictReader(lines[start:]):
        value = float(row["Metric Value"].replace(",", ""))
        values[row["Metric Name"]] = value * SCALES[row["Metric Unit"]]
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--barline", default="barline", help="the command")
    parser.add_argument("--global-options", nargs="*", default=[], help="before its subcommand")
    parser.add_argument("--ncu", default="ncu")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("sweep", type=pathlib.Path, help="the folder of a sweep")
    options = parser.parse_args()
    rows = []
    for path in sorted(options.sweep.glob("*/config.json")):
        config = json.loads(path.read_text())
        values = profiled(options, config)
        rows.append({"kernel": config["kernel"], "sizes": config["sizes"],
                     "dram_bytes": values[READ] + values[WRITTEN],
                     "dram_share": values[SHARE] / 100, "us": values[TIME]})
    json.dump({"schema": "barline.counters/1", "rows": rows}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
