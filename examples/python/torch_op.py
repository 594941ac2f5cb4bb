# SPDX-License-Identifier: Apache-2.0
"""rms_norm of barline as an operator of PyTorch: torch.ops.barline.rms_norm(x, w, eps).

    barline pack rms_norm.bf16@row256 -o kernels.blp
    BARLINE_PACK=kernels.blp python3 torch_op.py
    python3 torch_op.py --compile          # no pack: compiled once, then out of the cache

The operator has a fake implementation, so torch.compile and export see its shape; the kernel is
prepared when this module is loaded, so that a capture only ever launches."""

import sys

import barline
import torch

_kernels = {}


def prepare(runtime, device=0):
    """Loads the kernel for a GPU; call it once for each before the operator runs there."""
    _kernels[device] = runtime.prepare("rms_norm.bf16@row256", device=device)


@torch.library.custom_op("barline::rms_norm", mutates_args=(), device_types="cuda")
def rms_norm(x: torch.Tensor, w: torch.Tensor, eps: float) -> torch.Tensor:
    rows = x.contiguous().view(-1, x.shape[-1])
    y = torch.empty_like(rows)
    _kernels[x.device.index](rows, w, y, eps)
    return y.view(x.shape)


@rms_norm.register_fake
def _(x, w, eps):
    return torch.empty_like(x, memory_format=torch.contiguous_format)


def reference(x, w, eps):
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps) * w.float()).to(x.dtype)


def main():
    prepare(barline.Runtime(kernels="" if "--compile" in sys.argv else None))
    x = torch.randn(64, 8192, device="cuda", dtype=torch.bfloat16)
    w = torch.randn(8192, device="cuda", dtype=torch.bfloat16)
    got = torch.ops.barline.rms_norm(x, w, 1e-6)
    error = (got.float() - reference(x, w, 1e-6).float()).abs().max().item()
    print(f"rms_norm of {tuple(x.shape)}: largest difference to PyTorch {error:.3g}")


if __name__ == "__main__":
    main()
