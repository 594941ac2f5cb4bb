// SPDX-License-Identifier: Apache-2.0
// Clocks of the simulated device: both count the warp instructions of the host thread that runs the
// blocks, so they are deterministic, and one for all blocks that are resident together.
#include "verify/interp/elementwise.h"

namespace barline::verify::sim {
namespace {

void run_clock(Warp& w, const Inst& i) {
  std::fill_n(w.at<std::uint64_t>(i.out), lanes, static_cast<std::uint64_t>(w.worker->now()));
}

void emit_clock(Compiler& c, const Operation& op) {
  c.emit({.run = &run_clock, .out = c.define(op.out[0]), .weight = 1});
}

}  // namespace

void mean(Tag<Op::Clock>, Compiler& c, const Operation& op) { emit_clock(c, op); }
void mean(Tag<Op::GlobalTimer>, Compiler& c, const Operation& op) { emit_clock(c, op); }
void mean(Tag<Op::RegionBegin>, Compiler& c, const Operation& op) { emit_clock(c, op); }
void mean(Tag<Op::RegionEnd>, Compiler&, const Operation&) {}
void mean(Tag<Op::SmId>, Compiler& c, const Operation& op) { c.preset(op.out[0], {}); }

}  // namespace barline::verify::sim
