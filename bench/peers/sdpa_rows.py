# SPDX-License-Identifier: Apache-2.0
"""PyTorch's scaled_dot_product_attention, flash and cuDNN backends, in the harness of `barline
bench` (torch_rows.py). Prints one JSON object."""

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

import record
from torch_rows import time_us

BACKENDS = {"flash": SDPBackend.FLASH_ATTENTION, "cudnn": SDPBackend.CUDNN_ATTENTION}


def row(name, backend, causal, dim, tokens, dtype, heads=32, kv_heads=8):
    def make(h):
        return torch.randn(1, h, tokens, dim, device="cuda", dtype=dtype)

    def launch(q, k, v):
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=True)

    operand_bytes = 2 * tokens * dim * (heads + 2 * kv_heads)
    out = {"kernel": f"sdpa_{name}", "causal": causal, "D": dim, "T": tokens, "H": heads}
    out |= {"G": kv_heads, "dtype": str(dtype).split(".")[-1]}
    try:
        with sdpa_kernel(backend):
            out |= time_us(lambda: (make(heads), make(kv_heads), make(kv_heads)), launch,
                           operand_bytes)
    except RuntimeError as error:
        return out | {"refused": str(error).splitlines()[0]}
    pairs = tokens * (tokens + 1) / 2 if causal else tokens * tokens
    return out | {"tflop_per_s": 4 * pairs * dim * heads / out["us"] / 1e6}


def main():
    rows = [
        row(name, backend, causal, dim, 4096, torch.bfloat16)
        for dim in (64, 128, 256)
        for causal in (True, False)
        for name, backend in BACKENDS.items()
    ]
    record.write(rows, f"cudnn {torch.backends.cudnn.version()}")


if __name__ == "__main__":
    main()
