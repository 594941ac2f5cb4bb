// SPDX-License-Identifier: Apache-2.0
// Clusters of blocks, which are resident together, and the grids before and after. No other grid
// runs in the simulator: it only says which accesses stand before the wait for one.
#include <fmt/format.h>

#include "verify/interp/elementwise.h"
#include "verify/interp/memory.h"

namespace barline::verify::sim {
namespace {

void run_cluster_rank(Warp& w, const Inst& i) {
  std::fill_n(w.at<std::int32_t>(i.out), lanes, static_cast<std::int32_t>(w.block->rank));
}

void run_cluster_arrive(Warp& w, const Inst&) {
  require_whole_warp(w);
  arrive_at_cluster(w);
}

void run_cluster_wait(Warp& w, const Inst&) {
  require_whole_warp(w);
  if (cluster_waited(w)) return;
  --w.pc;
  w.state = WarpState::AtCluster;
}

/// The block of the cluster that a lane's rank names; it runs.
Block& peer_of(Warp& w, const Inst& i, int lane) {
  const Cluster& c = *w.block->cluster;
  const std::int64_t rank = w.at<std::int32_t>(i.b)[lane];
  if (rank < 0 || rank >= std::ssize(c.blocks))
    halt(w, lane, FindingKind::OutOfBounds,
         fmt::format("a store to block {} of a cluster of {}", rank, c.blocks.size()));
  Block& peer = *c.blocks[static_cast<std::size_t>(rank)];
  if (&peer == w.block) return peer;
  if (w.cluster_waits == 0)
    halt(w, lane, FindingKind::Protocol,
         "a store to another block before any cluster_wait: that block may not have started");
  if (peer.ended) halt(w, lane, FindingKind::Protocol, "a store to another block that has ended");
  RemoteStore s{w.id, w.count[lane], Mask{1} << lane, w.pc - 1};
  if (!peer.remote_stores.empty()) {
    RemoteStore& last = peer.remote_stores.back();
    if (last.warp == s.warp && last.count == s.count) {
      last.who |= s.who;
      return peer;
    }
  }
  peer.remote_stores.push_back(s);
  return peer;
}

/// The slot as the peer has it.
View view_in(const Warp& w, const Access& a, int lane, Block& peer) {
  View v = view_of(w, a, lane);
  Shadow& s = peer.shadows[static_cast<std::size_t>(a.slot)];
  v.data = peer.shared.data() + (v.data - w.block->shared.data());
  if (v.shadow) v.shadow = &s;
  v.sync = &peer.sync;
  return v;
}

template <class T>
void run_store_remote(Warp& w, const Inst& i) {
  const Access& a = w.worker->program.accesses[i.info];
  Indices index;
  read_indices(w, a, index);
  for_each_lane(w.mask, [&](int l) {
    Block& peer = peer_of(w, i, l);
    const View v = view_in(w, a, l, peer);
    check_bounds(w, l, a, v, index.at[l]);
    touch(w, l, a, v, index.at[l], a.vec, Touch::WeakWrite);
    for (std::int32_t e = 0; e < a.vec; ++e)
      put_element<T>(a, v, index.at[l] + e, w.at<T>(a.value, static_cast<std::uint32_t>(e))[l]);
  });
}

void run_await_previous(Warp& w, const Inst&) {
  if (const Mask twice = w.awaited_previous & w.mask)
    halt(w, std::countr_zero(twice), FindingKind::Protocol,
         "a thread comes to await_previous a second time");
  w.awaited_previous |= w.mask;
}

void run_nothing(Warp&, const Inst&) {}

}  // namespace

void mean(Tag<Op::ClusterRank>, Compiler& c, const Operation& op) {
  c.emit({.run = &run_cluster_rank, .out = c.define(op.out[0]), .weight = 1});
}

void mean(Tag<Op::ClusterArrive>, Compiler& c, const Operation&) {
  c.emit({.run = &run_cluster_arrive, .weight = 1});
}

void mean(Tag<Op::ClusterWait>, Compiler& c, const Operation&) {
  c.emit({.run = &run_cluster_wait, .weight = 1});
}

void mean(Tag<Op::StoreRemote>, Compiler& c, const Operation& op) {
  if (c.elem(op.in[2]) != ir::Elem::S32) c.refuse(op, "a rank is an s32");
  Access a = c.access(op);
  a.vec = static_cast<std::int32_t>(c.count(c.type(op.in[3])));
  a.value = c.in(op.in[3]);
  with_width(a.elem, [&](auto as) {
    using T = typename decltype(as)::type;
    c.emit({.run = &run_store_remote<T>, .b = c.in(op.in[2]), .weight = 1, .info = c.add(a)});
  });
}

void mean(Tag<Op::AwaitPrevious>, Compiler& c, const Operation&) {
  c.emit({.run = &run_await_previous, .weight = 1});
}

void mean(Tag<Op::ReleaseNext>, Compiler& c, const Operation&) {
  c.emit({.run = &run_nothing, .weight = 1});
}

}  // namespace barline::verify::sim
