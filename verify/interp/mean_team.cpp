// SPDX-License-Identifier: Apache-2.0
// Warps and blocks: exchanges between lanes, and the points where threads wait for each other.
#include "verify/interp/elementwise.h"

namespace barline::verify::sim {
namespace {

using ir::ShuffleMode;
using ir::VoteMode;

template <class T>
void run_shuffle(Warp& w, const Inst& i) {
  require_whole_warp(w);
  const T* value = w.at<T>(i.a);
  const auto* n = w.at<std::int32_t>(i.b);
  T* out = w.at<T>(i.out);
  for (int l = 0; l < lanes; ++l) {
    std::int64_t from = n[l];
    switch (static_cast<ShuffleMode>(i.imm)) {
      case ShuffleMode::Xor: from = l ^ from; break;
      case ShuffleMode::Up: from = l - from; break;
      case ShuffleMode::Down: from = l + from; break;
      case ShuffleMode::Index: from &= lanes - 1; break;
    }
    out[l] = value[from >= 0 && from < lanes ? from : l];
  }
}

void run_vote(Warp& w, const Inst& i) {
  require_whole_warp(w);
  const i1_t* p = w.at<i1_t>(i.a);
  Mask ballot = 0;
  for (int l = 0; l < lanes; ++l) ballot |= Mask{p[l].bits & 1u} << l;
  ballot &= w.full;
  auto mode = static_cast<VoteMode>(i.imm);
  if (mode == VoteMode::Ballot) {
    std::fill_n(w.at<std::uint32_t>(i.out), lanes, ballot);
  } else {
    bool holds = mode == VoteMode::All ? ballot == w.full : ballot != 0;
    std::fill_n(w.at<i1_t>(i.out), lanes, i1_t{holds});
  }
}

void run_warp_sync(Warp& w, const Inst&) {
  require_whole_warp(w);
  Block& b = *w.block;
  w.floor = b.count++;
  std::fill_n(w.count, lanes, b.count);
  if (b.has_clocks) merge_lanes(w);
}

/// `imm`: groups of copies that may stay in flight, or -1 to wait for none.
void run_barrier(Warp& w, const Inst& i) {
  require_whole_warp(w);
  if (i.imm >= 0) w.flights.wait(w, static_cast<std::size_t>(i.imm));
  w.state = WarpState::AtBarrier;
}

/// The same for barrier `info` of `n` warps.
void run_named_barrier(Warp& w, const Inst& i) {
  require_whole_warp(w);
  if (i.imm >= 0) w.flights.wait(w, static_cast<std::size_t>(i.imm));
  come_to_named(w, i.info, i.n);
}

}  // namespace

void require_whole_warp(const Warp& w) {
  if (w.mask == w.full) return;
  int absent = std::countr_zero(w.full & ~w.mask);
  halt(w, absent, FindingKind::BarrierDivergence,
       "a lane of the warp does not come to an operation that the whole warp executes");
}

void mean(Tag<Op::Shuffle>, Compiler& c, const Operation& op) {
  if (c.elem(op.in[1]) != ir::Elem::S32) c.refuse(op, "a lane is an s32");
  with_width(c.elem(op.in[0]), [&](auto as) {
    using T = typename decltype(as)::type;
    c.emit({.run = &run_shuffle<T>,
            .out = c.define(op.out[0]),
            .a = c.in(op.in[0]),
            .b = c.in(op.in[1]),
            .weight = 1,
            .imm = op.attr(ir::Key::Mode)});
  });
}

void mean(Tag<Op::Vote>, Compiler& c, const Operation& op) {
  bool ballot = op.attr_as<VoteMode>(ir::Key::Vote) == VoteMode::Ballot;
  if ((c.elem(op.out[0]) == ir::Elem::U32) != ballot)
    c.refuse(op, "a ballot is a u32; all and any are an i1");
  c.emit({.run = &run_vote,
          .out = c.define(op.out[0]),
          .a = c.in(op.in[0]),
          .weight = 1,
          .imm = op.attr(ir::Key::Vote)});
}

void mean(Tag<Op::WarpSync>, Compiler& c, const Operation&) {
  c.emit({.run = &run_warp_sync, .weight = 1});
}

void mean(Tag<Op::Barrier>, Compiler& c, const Operation& op) {
  const std::int64_t warps = op.attr(ir::Key::Warps);
  c.emit({.run = warps ? &run_named_barrier : &run_barrier,
          .n = static_cast<std::uint32_t>(warps),
          .weight = 1,
          .info = static_cast<std::uint32_t>(op.attr(ir::Key::Id)),
          .imm = op.attr(ir::Key::Pending, -1)});
}

}  // namespace barline::verify::sim
