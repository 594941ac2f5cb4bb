# SPDX-License-Identifier: Apache-2.0
"""What every comparison prints: its rows on stderr as they come, the whole record on stdout at the
end, with the device, its driver and the date."""

import json
import subprocess
import sys
import time

import torch


def listed(text):
    """The parts of an option's comma-separated text."""
    return [part for part in text.split(",") if part]


def driver_version():
    try:
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        return subprocess.run(query, capture_output=True, text=True, timeout=20).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"


def show(row):
    shape = " ".join(f"{k}={row[k]}" for k in ("M", "B", "N", "K", "T", "D") if k in row)
    name = row["name"] + (" dependent" if row.get("dependent") else "")
    if "refused" in row:
        text = "refused: " + row["refused"]
    else:
        text = f"{row['us']:9.2f} us ({row['us_min']:.2f}..{row['us_max']:.2f})"
        if "tflop_per_s" in row:
            text += f" {row['tflop_per_s']:6.0f} TFLOP/s"
    print(f"{shape:24} {row.get('mode', '-'):9} {name:56} {text}", file=sys.stderr, flush=True)


def write(rows, peer="", schema="barline.peers/1", **more):
    """`peer`: versions of what was measured beside, besides torch's; `more`: fields of the record."""
    record = {
        "schema": schema,
        "peer": ", ".join(filter(None, [f"torch {torch.__version__}", peer])),
        "device": torch.cuda.get_device_name(),
        "driver": driver_version(),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **more,
        "rows": rows,
    }
    json.dump(record, sys.stdout, indent=1)
    print()
