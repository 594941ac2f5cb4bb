# SPDX-License-Identifier: Apache-2.0
"""The harness of every interleaved comparison: each contender's launches are captured as a CUDA graph
that visits its copies of the operands in shuffled order, past the L2 cache; rounds go through all
contenders in a new order each, and a row is the median of its rounds with the least and the most.

Modes:
  graph       replays back to back: what small products are measured by
  burst       one short graph after 100 ms of idle: a cool card
  sustained   replays for tens of milliseconds on a warm card: at the power cap
"""

import random
import statistics
import time

import torch

ROTATE_BYTES = 256 << 20
ROUNDS = 7


def copies_for(operand_bytes):
    """Copies of operands of so many bytes that together do not fit in the L2 cache."""
    return min(max(-(-ROTATE_BYTES // max(operand_bytes, 1)), 2), 1024)


class Contender:
    """One kernel of one implementation. launch(i) enqueues it on copy i of its operands."""

    def __init__(self, name, launch, copies, **fields):
        self.name, self.launch, self.copies, self.fields = name, launch, copies, fields
        self.times = {}

    def order(self, launches):
        rng = random.Random(1)
        order = []
        while len(order) < launches:
            once = list(range(self.copies))
            rng.shuffle(once)
            order += once
        return order

    def capture(self, launches, stream):
        order = self.order(launches)
        with torch.cuda.stream(stream):
            for i in order[:2]:
                self.launch(i)
        stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            for i in order:
                self.launch(i)
        return graph, len(order)

    def prepare(self, stream, prefill):
        """Captures the graphs: for small products one of about a millisecond or more."""
        self.graph, self.launches = self.capture(self.copies if prefill else 96, stream)
        if prefill:
            self.short, self.short_launches = self.capture(min(8, self.copies), stream)
        self.graph.replay()
        torch.cuda.synchronize()


def elapsed_us(graph, replays):
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(replays):
        graph.replay()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) * 1e3 / replays


def once(c, mode):
    """Microseconds a launch, of one round in a mode."""
    if mode == "burst":
        torch.cuda.synchronize()
        time.sleep(0.1)
        return elapsed_us(c.short, 1) / c.short_launches
    budget_us, warm_us = (60e3, 30e3) if mode == "sustained" else (3e3, 300)
    us = getattr(c, "about_us", None) or elapsed_us(c.graph, 1)
    c.about_us = us
    elapsed_us(c.graph, max(1, round(warm_us / us)))
    return elapsed_us(c.graph, max(2, round(budget_us / us))) / c.launches


def summary(times):
    return {"us": statistics.median(times), "us_min": min(times), "us_max": max(times)}


def time_interleaved(contenders, prefill=False, rounds=ROUNDS):
    """Rows of all contenders, timed in one process: [{name, fields.., us, us_min, us_max}], for
    prefill one row a mode."""
    stream = torch.cuda.Stream()
    ready, rows = [], []
    for c in contenders:
        try:
            c.prepare(stream, prefill)
            ready.append(c)
        except Exception as error:  # a peer that cannot be captured is a row that says so
            torch.cuda.synchronize()
            rows.append({"name": c.name, **c.fields, "refused": first_line(error)})
    modes = ("burst", "sustained") if prefill else ("graph",)
    rng = random.Random(2)
    for mode in modes:
        for c in ready:
            c.times[mode] = []
        for _ in range(rounds):
            rng.shuffle(ready)
            for c in ready:
                c.times[mode].append(once(c, mode))
    for c in sorted(ready, key=lambda c: contenders.index(c)):
        for mode in modes:
            rows.append({"name": c.name, **c.fields, "mode": mode, "rounds": rounds,
                         "copies": c.copies, **summary(c.times[mode])})
    for c in contenders:
        c.graph = c.short = None
    return rows


def first_line(error):
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]


def relative_l2(got, want):
    """||got - want|| / ||want||; an element that was not written is NaN and never passes."""
    return (torch.linalg.norm(got.float() - want.float()) / torch.linalg.norm(want)).item()
