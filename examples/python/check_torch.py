# SPDX-License-Identifier: Apache-2.0
"""Checks barline's Python module against PyTorch on a GPU; prints one line a check and PASS or
FAIL, and exits 1 after a failure. Without PyTorch or a GPU: SKIP.

    barline pack rms_norm.bf16@row256 vector_add.f32 -o kernels.blp
    PYTHONPATH=python python3 examples/python/check_torch.py kernels.blp"""

import sys
import threading
import time

import barline

try:
    import torch
except ImportError:
    torch = None

EPS = 1e-6


def inputs(rows=64, d=4096, seed=1):
    generator = torch.Generator(device="cuda").manual_seed(seed)
    make = lambda *shape: torch.randn(*shape, device="cuda", generator=generator).bfloat16()
    return make(rows, d), make(d)


def reference(x, w):
    wide = x.double()
    inverse = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + EPS)
    return wide * inverse * w.double()


def check_values(kernel, add):
    """Near the reference in f64; sums of floats to the bit."""
    x, w = inputs()
    y = torch.full_like(x, float("nan"))
    kernel(x, w, y, EPS)
    want = reference(x, w)
    assert ((y.double() - want).abs() <= want.abs() * 2**-7 + 1e-6).all(), "values"
    a, b = torch.randn(1000003, device="cuda"), torch.randn(1000003, device="cuda")
    sum_ = torch.empty_like(a)
    add(a, b, sum_)
    assert torch.equal(sum_, a + b), "sums"


def check_current_stream(kernel, add):
    """Work goes to torch's current stream, ordered behind what is there."""
    x, w = inputs(rows=2048)
    want = torch.empty_like(x)
    kernel(x, w, want, EPS)
    torch.cuda.synchronize()
    stream = torch.cuda.Stream()
    later = torch.empty_like(x)
    y = torch.empty_like(x)
    with torch.cuda.stream(stream):
        torch.cuda._sleep(50_000_000)
        later.copy_(x)
        kernel(later, w, y, EPS)
        assert not stream.query(), "the launch waited"
    stream.synchronize()
    assert torch.equal(y, want), "another stream"
    y.zero_()
    torch.cuda.synchronize()
    kernel(x, w, y, EPS, stream=stream)
    stream.synchronize()
    assert torch.equal(y, want), "a named stream"


def check_graph(kernel, add):
    """A captured launch replays to the same bits a thousand times, on new inputs too."""
    x, w = inputs()
    y = torch.empty_like(x)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        kernel(x, w, y, EPS)
    for seed in (1, 2):
        x.copy_(inputs(seed=seed)[0])
        want = torch.empty_like(x)
        kernel(x, w, want, EPS)
        for _ in range(500):
            graph.replay()
        torch.cuda.synchronize()
        assert torch.equal(y, want), "replays"


def check_prepare_beside_capture(runtime):
    """Another thread prepares while this one captures; preparing in the capture is refused."""
    kernel = runtime.prepare("rms_norm.bf16@row256")
    x, w = inputs()
    y = torch.empty_like(x)
    failures = []

    def prepare_meanwhile():
        try:
            for _ in range(20):
                runtime.prepare("rms_norm.bf16@row256")
        except Exception as error:
            failures.append(error)

    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        other = threading.Thread(target=prepare_meanwhile)
        other.start()
        for _ in range(50):
            kernel(x, w, y, EPS)
        try:
            runtime.prepare("vector_add.f32@flat256")
            failures.append("preparing under capture went through")
        except barline.Error as error:
            if error.status != "BARLINE_IN_CAPTURE":
                failures.append(error)
        other.join()
    graph.replay()
    torch.cuda.synchronize()
    assert not failures, failures


def check_operator(runtime):
    """The operator of torch_op.py, its fake implementation, and its place in a graph."""
    import torch_op
    torch_op.prepare(runtime)
    x, w = inputs(rows=6)
    x = x.view(2, 3, -1)
    got = torch.ops.barline.rms_norm(x, w, EPS)
    want = reference(x, w)
    assert got.shape == x.shape, "shape"
    assert ((got.double() - want).abs() <= want.abs() * 2**-7 + 1e-6).all(), "values"
    tests = ("test_schema", "test_faketensor")
    torch.library.opcheck(torch_op.rms_norm, (x, w, EPS), test_utils=tests)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = torch.ops.barline.rms_norm(x, w, EPS)
    graph.replay()
    torch.cuda.synchronize()
    assert torch.equal(captured, got), "captured"


def check_mistakes(kernel, add):
    """What is wrong is refused before the GPU sees it."""
    x, w = inputs()
    y = torch.empty_like(x)
    for wrong, error in [((x.t(), w, y), barline.Error), ((x.half(), w, y), barline.Error),
                         ((x, w[:-8], y), barline.Error), ((x.cpu(), w, y), TypeError),
                         ((x[:, 1:], w, y), barline.Error)]:
        try:
            kernel(*wrong, EPS)
        except error:
            continue
        raise AssertionError("a wrong tensor went through")


def check_capsule(kernel, add):
    """The way of other frameworks, by DLPack, gives the same bits."""

    class Capsule:
        def __init__(self, tensor):
            self.tensor = tensor

        def __dlpack__(self, stream=None):
            return self.tensor.__dlpack__(stream=stream)

    x, w = inputs()
    want, y = torch.empty_like(x), torch.empty_like(x)
    kernel(x, w, want, EPS)
    kernel(Capsule(x), Capsule(w), Capsule(y), EPS)
    assert torch.equal(y, want), "capsules"


def launch_microseconds(kernel):
    x, w = inputs(rows=1)
    y = torch.empty_like(x)
    best = float("inf")
    for _ in range(20):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(200):
            kernel(x, w, y, EPS)
        best = min(best, (time.perf_counter() - start) / 200)
    torch.cuda.synchronize()
    return 1e6 * best


def main():
    if torch is None or not torch.cuda.is_available():
        print("SKIP: no PyTorch or no GPU")
        return 0
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    runtime = barline.Runtime(packs=[sys.argv[1]], jit="off", cache_dir="")
    kernel = runtime.prepare("rms_norm.bf16@row256")
    add = runtime.prepare("vector_add.f32@flat256")
    pair, alone = (kernel, add), (runtime,)
    failed = 0
    for check, arguments in [(check_values, pair), (check_current_stream, pair),
                             (check_graph, pair), (check_prepare_beside_capture, alone),
                             (check_operator, alone), (check_mistakes, pair),
                             (check_capsule, pair)]:
        try:
            check(*arguments)
            print(f"{check.__name__[6:]:24} ok")
        except Exception as error:
            failed += 1
            print(f"{check.__name__[6:]:24} FAIL: {type(error).__name__}: {error}")
    print(f"a launch from Python: {launch_microseconds(kernel):.1f} us of host time")
    print(f"{'FAIL' if failed else 'PASS'}: barline {barline.version()}, "
          f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
