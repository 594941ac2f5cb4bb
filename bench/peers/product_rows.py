# SPDX-License-Identifier: Apache-2.0
"""Contenders of the square products of 4096 (f16, and int8 by int8) and of causal attention over
4096 tokens."""

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from harness import Contender, copies_for, first_line, relative_l2

LIMIT = 2e-3


def contender(name, want, sets, call, output, limit=LIMIT, **fields):
    """Checked on copy 0, or a row that says why not."""
    try:
        call(*sets[0])
        torch.cuda.synchronize()
        error = relative_l2(output(), want)
        if not error <= limit:
            return {"name": name, **fields, "refused": f"wrong: relative L2 error {error:.3g}"}
    except Exception as error:
        return {"name": name, **fields, "refused": first_line(error)}
    return Contender(name, lambda i: call(*sets[i]), len(sets), **fields, error=error)


def copies(tensors):
    bytes_ = sum(t.numel() * t.element_size() for t in tensors)
    return [tensors] + [tuple(t.clone() for t in tensors) for _ in range(copies_for(bytes_) - 1)]


def barline(kernels, family, elem, sizes, named, scalars, want, limit=LIMIT, **fields):
    """The schedules of a family; `named` are the inputs by parameter name, the one output is made
    here."""
    for kernel in kernels:
        if kernel.family != family or kernel.row["type"] != elem or not kernel.fits(sizes):
            continue
        out = next(p for p in kernel.params if p["tensor"] and p["access"] != "in")
        dtype = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}[out["elem"]]
        y = torch.full(kernel.shape(out, sizes), float("nan"), device="cuda", dtype=dtype)
        launches = [(kernel.bind({**dict(zip(named, t)), out["name"]: y}, scalars, sizes),)
                    for t in copies(tuple(named.values()))]
        yield contender(f"barline {kernel.name}", want, launches, lambda launch: launch(),
                        lambda: y, limit, **fields)


def square_f16(kernels, n=4096):
    x, w = (torch.randn(n, n, device="cuda", dtype=torch.float16) for _ in range(2))
    want = x.float() @ w.float()
    fields = {"kernel": "matmul f16", "M": n, "N": n, "K": n, "flops": 2 * n**3}
    y = torch.empty_like(x)
    yield contender("torch mm f16", want, copies((x, w)), lambda a, b: torch.mm(a, b, out=y),
                    lambda: y, **fields)
    yield from barline(kernels, "matmul", "f16", {"M": n, "N": n, "K": n}, {"x": x, "w": w}, {},
                       want, **fields)


def square_int8(kernels, n=4096):
    x, w = (torch.randint(-127, 128, (n, n), dtype=torch.int8, device="cuda") for _ in range(2))
    rows, columns = (torch.rand(n, device="cuda") * 1e-2 + 1e-3 for _ in range(2))
    exact = x.float() @ w.float()
    fields = {"kernel": "matmul int8", "M": n, "N": n, "K": n, "flops": 2 * n**3}
    results = []

    def int_mm(a, b):
        results[:] = [torch._int_mm(a, b)]

    for layout, weight in (("row-major", w), ("column-major", w.t().contiguous().t())):
        sets = copies((x, weight))
        yield contender(f"torch _int_mm, {layout} w", exact, sets, int_mm, lambda: results[0],
                        **fields)
    for elem in ("f16", "f32"):
        yield from barline(kernels, "matmul_w8a8", elem, {"M": n, "N": n, "K": n},
                           {"x": x, "w": w.t().contiguous(), "x_scale": rows, "w_scale": columns}, {},
                           exact * rows[:, None] * columns, **fields)


def attention(kernels, heads=32, kv_heads=8, dim=128, tokens=4096, elem="f16"):
    dtype = {"f16": torch.float16, "bf16": torch.bfloat16}[elem]
    q = torch.randn(1, heads, tokens, dim, device="cuda", dtype=dtype)
    k, v = (torch.randn(1, kv_heads, tokens, dim, device="cuda", dtype=dtype) for _ in range(2))
    want = F.scaled_dot_product_attention(
        q.float(), k.float().repeat_interleave(heads // kv_heads, 1),
        v.float().repeat_interleave(heads // kv_heads, 1), is_causal=True)
    sizes = {"B": 1, "H": heads, "G": kv_heads, "T": tokens, "S": tokens, "D": dim}
    fields = {"kernel": f"attention causal {elem}", **sizes,
              "flops": 2 * tokens * (tokens + 1) * dim * heads}
    limit = LIMIT if elem == "f16" else 1e-2
    sets = copies((q, k, v))
    for name, backend in (("flash", SDPBackend.FLASH_ATTENTION),
                          ("cudnn", SDPBackend.CUDNN_ATTENTION)):
        results = []

        def sdpa(q, k, v, backend=backend, results=results):
            with sdpa_kernel(backend):
                results[:] = [F.scaled_dot_product_attention(q, k, v, is_causal=True,
                                                             enable_gqa=True)]

        yield contender(f"torch SDPA {name}", want, sets, sdpa, lambda r=results: r[0], 1e-2,
                        **fields)
    yield from barline(kernels, "attention_prefill_causal", elem, sizes,
                       {"q": q, "k": k, "v": v}, {"scale": dim**-0.5}, want, limit, **fields)


def all_products(kernels, only):
    if "f16" in only:
        yield list(square_f16(kernels))
    if "int8" in only:
        yield list(square_int8(kernels))
    if "attention" in only:
        for elem in ("f16", "bf16"):
            yield list(attention(kernels, elem=elem))
