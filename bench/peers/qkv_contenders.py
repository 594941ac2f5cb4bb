# SPDX-License-Identifier: Apache-2.0
"""The contenders of one weight-only product y[M, N] = x[M, K] w[N, K], each checked against an f32
product of the same weights before it is timed. X and the outputs of a launch are as the layer
before leaves them; weights rotate past the L2 cache."""

import torch
import torch.nn.functional as F

import triton_kernels as tk
from harness import Contender, copies_for, first_line, relative_l2

BARLINE_ERROR = 2e-3  # relative L2; peers in bf16 are held to PEER_ERROR
PEER_ERROR = 2e-2
FAMILIES = {"qkv_w4a16": 4, "qkv_w8a16": 8, "matmul_w4a16": 4}
SEGMENTS = ("q", "k", "v")


class Problem:
    """x, one set of weights and the f32 product."""

    def __init__(self, m, segments, weights):
        self.m, self.segments, self.weights = m, segments, weights
        self.n, self.k = weights.n, weights.k
        self.x = torch.randn(m, self.k, device="cuda", dtype=torch.float16)
        self.want = self.x.float() @ weights.values().float().t()
        self.flops = 2 * m * self.n * self.k
        self.bytes = weights.read_bytes() + 2 * m * (self.k + self.n)

    def fields(self):
        fields = {"M": self.m, "N": self.n, "K": self.k, "bits": self.weights.bits}
        if len(self.segments) == len(SEGMENTS):
            fields["segments"] = dict(zip(SEGMENTS, self.segments))
        return fields


def checked(name, problem, launch, output, copies, limit, **fields):
    """The contender, or a row that says why it is none. output(i) is what launch(i) writes."""
    fields = {**problem.fields(), **fields}
    try:
        launch(0)
        torch.cuda.synchronize()
        error = relative_l2(output(0), problem.want)
        if not error <= limit:
            return {"name": name, **fields, "refused": f"wrong: relative L2 error {error:.3g}"}
    except Exception as error:
        return {"name": name, **fields, "refused": first_line(error)}
    return Contender(name, launch, copies, **fields, error=error)


def functional(name, problem, operands, call, operand_bytes, **fields):
    """A peer that returns its result: operands() makes one copy of its weights."""
    fields = {**problem.fields(), **fields}
    try:
        first = operands()
        copies = [first] + [tuple(t.clone() for t in first)
                            for _ in range(copies_for(operand_bytes) - 1)]
        results = {}

        def launch(i):
            results[i] = call(*copies[i])

        return checked(name, problem, launch, lambda i: results[i], len(copies), PEER_ERROR,
                       **fields)
    except Exception as error:
        return {"name": name, **fields, "refused": first_line(error)}


def cublas(problem):
    w = problem.weights.values().half()
    return functional("torch F.linear f16", problem, lambda: (w,), lambda w: F.linear(problem.x, w),
                      w.numel() * 2)


def tinygemm(problem):
    x = problem.x.bfloat16()

    def call(w, scales):
        return torch._weight_int4pack_mm(x, w, 128, scales)

    return functional("torch _weight_int4pack_mm", problem, problem.weights.tinygemm, call,
                      problem.weights.read_bytes(), dtype="bf16")


def int8pack(problem):
    x, w = problem.x.bfloat16(), problem.weights

    def operands():
        return w.codes, w.scales.bfloat16()

    return functional("torch _weight_int8pack_mm", problem, operands,
                      lambda codes, scales: torch._weight_int8pack_mm(x, codes, scales),
                      w.read_bytes(), dtype="bf16")


def int_mm(problem):
    """Integer activations: another product, of the same weight bytes; its sums are exact."""
    x = torch.randint(-127, 128, (problem.m, problem.k), dtype=torch.int8, device="cuda")
    codes = problem.weights.codes
    exact = Problem.__new__(Problem)
    exact.__dict__.update(problem.__dict__)
    exact.want = x.float() @ codes.float().t()
    return functional("torch _int_mm (int8 activations)", exact, lambda: (codes,),
                      lambda w: torch._int_mm(x, w.t()), codes.numel(), dtype="s8")


def compiled(problem):
    """torch.compile of x @ dequantised(w): inductor chooses the kernels."""
    w = problem.weights

    def dequantised4(x, packed, scales):
        low, high = (packed & 15).half() - 8, (packed >> 4).half() - 8
        codes = torch.stack((low, high), 2).reshape(w.n, w.k // 128, 128)
        return F.linear(x, (codes * scales.t()[:, :, None]).reshape(w.n, w.k))

    def dequantised8(x, codes, scales):
        return F.linear(x, codes.half()) * scales.half()

    torch._dynamo.reset()
    if w.bits == 4:
        function = torch.compile(dequantised4, dynamic=False)
        halves = w.halves().reshape(w.n, w.k // 128, 64)
        operands = lambda: (halves, w.scales)
    else:
        function = torch.compile(dequantised8, dynamic=False)
        operands = lambda: (w.codes, w.scales)
    return functional("torch.compile x @ dequant(w)", problem, operands,
                      lambda *a: function(problem.x, *a), w.read_bytes())


def triton(problem):
    w = problem.weights
    packed, scales = (w.halves(), w.scales) if w.bits == 4 else (w.codes, w.scales)
    run = tk.run_int4 if w.bits == 4 else tk.run_int8
    copies = copies_for(w.read_bytes())
    weights = [(packed.clone(), scales.clone()) for _ in range(copies)]
    y = torch.full((problem.m, problem.n), float("nan"), device="cuda", dtype=torch.float16)
    name = f"triton int{w.bits}"
    try:
        config = tk.best_config(tk.configs(problem.m),
                                lambda i, c: run(problem.x, *weights[i], y, c), copies)
    except Exception as error:
        return {"name": name, **problem.fields(), "refused": first_line(error)}
    return checked(name, problem, lambda i: run(problem.x, *weights[i], y, config), lambda i: y,
                   copies, BARLINE_ERROR, config=config)


def read_only(problem):
    """A kernel that reads the weights' bytes and does nothing else."""
    words = problem.weights.read_bytes() // 4
    copies = copies_for(words * 4)
    data = [torch.randint(0, 1 << 30, (words,), device="cuda", dtype=torch.int32)
            for _ in range(copies)]
    out = torch.zeros(1024, device="cuda", dtype=torch.int32)
    config = tk.best_config(tk.READS, lambda i, c: tk.run_read(data[i], out, c), copies)
    return Contender("read-only kernel", lambda i: tk.run_read(data[i], out, config), copies,
                     **problem.fields(), bytes=words * 4, config=config)


def peers(problem, with_compile):
    """Contenders, and rows of those that refuse."""
    yield read_only(problem)
    yield cublas(problem)
    yield triton(problem)
    few = problem.m <= 64  # what tinygemm and int8pack are made for: 25 and 800 times slower at 2048
    if problem.weights.bits == 4 and few:
        yield tinygemm(problem)
    if problem.weights.bits == 8:
        if few:
            yield int8pack(problem)
        yield int_mm(problem)
    if with_compile:
        yield compiled(problem)
