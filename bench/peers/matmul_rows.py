# SPDX-License-Identifier: Apache-2.0
"""PyTorch's f16 products (cuBLAS) in the harness of `barline bench` (torch_rows.py): the square one
of 4096 and the three projections as one call. Prints one JSON object."""

import torch

import record
from torch_rows import time_us


def row(name, m, n, k):
    def make(*shape):
        return torch.randn(*shape, device="cuda", dtype=torch.float16)

    out = {"kernel": name, "M": m, "N": n, "K": k, "dtype": "float16"}
    out |= time_us(lambda: (make(m, k), make(k, n)), torch.mm, 2 * (m * k + k * n))
    return out | {"tflop_per_s": 2 * m * n * k / out["us"] / 1e6}


def main():
    record.write([row("mm", 4096, 4096, 4096)]
                 + [row("mm_qkv", m, 12288, 4096) for m in (1, 16, 64, 512, 2048)])


if __name__ == "__main__":
    main()
