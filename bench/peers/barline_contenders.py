# SPDX-License-Identifier: Apache-2.0
"""barline's kernels as contenders: operands by parameter name, in the layout that each parameter's
shape says, in as many copies as leave the L2 cache."""

import torch

import weights as layouts
from harness import copies_for
from qkv_contenders import BARLINE_ERROR, FAMILIES, SEGMENTS, checked


def sizes_of(kernel, problem):
    """Axis sizes, or None where the kernel takes another number of segments."""
    sizes = {"M": problem.m, "K": problem.k}
    if kernel.family.startswith("qkv"):
        if len(problem.segments) != len(SEGMENTS):
            return None
        sizes |= {f"N_{s}": n for s, n in zip(SEGMENTS, problem.segments)}
    else:
        sizes["N"] = problem.n
    return sizes if kernel.fits(sizes) else None


def parts_of(kernel, problem):
    """(suffix, first row, rows) of each segment's parameters."""
    if not kernel.family.startswith("qkv"):
        return [("", 0, problem.n)]
    parts, at = [], 0
    for name, rows in zip(SEGMENTS, problem.segments):
        parts.append((f"_{name}", at, rows))
        at += rows
    return parts


def codes_as(param_shape, codes, bits):
    """Codes [N, K] in the layout of that shape: the register images, plain words, or s8 [K, N]."""
    if bits == 8 and param_shape == [codes.shape[1], codes.shape[0]]:
        return codes.t().contiguous()
    image = layouts.register_image(codes, bits)
    if list(image.shape) == param_shape:
        return image
    return layouts.plain_words(codes)


def operands(kernel, problem, sizes):
    """The tensors of one copy, by parameter, and the scalars."""
    w, tensors, scalars = problem.weights, {}, {}
    parts = {suffix: (at, rows) for suffix, at, rows in parts_of(kernel, problem)}
    for p in kernel.params:
        name = p["name"]
        base, suffix = name, ""
        if name[-2:] in parts:
            base, suffix = name[:-2], name[-2:]
        at, rows = parts.get(suffix, (0, problem.n))
        if not p["tensor"]:
            scalars[name] = w.segment_scales[list(parts).index(suffix)]
            continue
        shape = kernel.shape(p, sizes)
        if base == "x":
            tensors[name] = problem.x
        elif base == "w":
            tensors[name] = codes_as(shape, w.codes[at:at + rows], w.bits)
        elif base == "w_scale" and w.bits == 4:
            tensors[name] = w.scales[:, at:at + rows].contiguous()
        elif base == "w_scale":
            tensors[name] = w.scales[at:at + rows].contiguous()
        elif base == "y":
            tensors[name] = torch.full(shape, float("nan"), device="cuda", dtype=torch.float16)
        else:
            raise KeyError(f"{kernel.name}: no operand is known for parameter '{name}'")
    return tensors, scalars


def copies_of(first, count):
    """Copies of the weights; x and y stay one."""
    keep = {n: t for n, t in first.items() if n == "x" or n.startswith("y")}
    return [first] + [{n: keep.get(n, None) if n in keep else t.clone() for n, t in first.items()}
                      for _ in range(count - 1)]


def contenders(kernels, problem):
    """Every schedule of the bundle that takes the problem; those that run beside the next grid also
    under dependent launch."""
    for kernel in kernels:
        if FAMILIES.get(kernel.family) != problem.weights.bits:
            continue
        sizes = sizes_of(kernel, problem)
        if sizes is None:
            continue
        first, scalars = operands(kernel, problem, sizes)
        sets = copies_of(first, copies_for(problem.weights.read_bytes()))
        names = [p["name"] for p in kernel.params if p["name"].startswith("y")]
        for dependent in (False, True) if kernel.row["awaits_previous"] else (False,):
            for name in names:
                first[name].fill_(float("nan"))
            launches = [kernel.bind(t, scalars, sizes, dependent) for t in sets]
            yield checked(f"barline {kernel.name}", problem, lambda i, l=launches: l[i](),
                          lambda i: torch.cat([first[n] for n in names], 1), len(sets),
                          BARLINE_ERROR, dependent=dependent)


def singles(kernels, problem):
    """Three launches of one segment each against the fused one: the same kernel, the other segments
    empty. `launches` a row is 3."""
    if len(problem.segments) != 3:
        return
    for kernel in kernels:
        if not kernel.family.startswith("qkv") or FAMILIES[kernel.family] != problem.weights.bits:
            continue
        sizes = sizes_of(kernel, problem)
        if sizes is None:
            continue
        first, scalars = operands(kernel, problem, sizes)
        sets = copies_of(first, copies_for(problem.weights.read_bytes()))
        names = [p["name"] for p in kernel.params if p["name"].startswith("y")]
        for dependent in (False, True) if kernel.row["awaits_previous"] else (False,):
            launches = [three(kernel, t, scalars, sizes, dependent) for t in sets]
            yield checked(f"barline {kernel.name} as three calls", problem,
                          lambda i, l=launches: [one() for one in l[i]],
                          lambda i: torch.cat([first[n] for n in names], 1), len(sets),
                          BARLINE_ERROR, dependent=dependent, calls=3)


def three(kernel, tensors, scalars, sizes, dependent):
    calls = []
    for segment in SEGMENTS:
        own = {**sizes, **{f"N_{s}": 0 for s in SEGMENTS if s != segment}}
        shaped = {p["name"]: tensors[p["name"]].reshape(-1)[:product(kernel.shape(p, own))]
                  .view(kernel.shape(p, own)) if p["name"][-2:] != f"_{segment}"
                  else tensors[p["name"]] for p in kernel.params if p["tensor"]}
        calls.append(kernel.bind(shaped, scalars, own, dependent))
    return calls


def product(shape):
    n = 1
    for size in shape:
        n *= size
    return n
