// SPDX-License-Identifier: Apache-2.0
// Starting a block (in the memory of one that ended) and completing what its threads wait for.
#include <algorithm>
#include <cstring>

#include "verify/interp/machine.h"
#include "verify/interp/merge_plan.h"
#include "verify/interp/value_types.h"

namespace barline::verify::sim {
namespace {

constexpr std::byte poison{0xA5};

/// What lane l of the warp finds in a preset register.
std::uint64_t preset_value(const Preset& p, const Warp& w, const Geometry& g, int l) {
  std::uint32_t rank = w.index * lanes + static_cast<std::uint32_t>(l);
  auto x = static_cast<std::uint32_t>(g.threads[0]), y = static_cast<std::uint32_t>(g.threads[1]);
  switch (p.source) {
    case Preset::Source::Bits: return p.bits;
    case Preset::Source::ThreadId:
      return p.dim == 0 ? rank % x : p.dim == 1 ? rank / x % y : rank / x / y;
    case Preset::Source::Rank: return rank;
    case Preset::Source::Lane: return static_cast<std::uint64_t>(l);
    case Preset::Source::WarpIndex: return w.index;
    case Preset::Source::BlockId: return static_cast<std::uint64_t>(w.block->at[p.dim]);
  }
  return 0;
}

void fill_preset(const Preset& p, Warp& w, const Geometry& g) {
  with_width(p.elem, [&](auto as) {
    using T = typename decltype(as)::type;
    T* out = w.at<T>({p.at, 0});
    for (int l = 0; l < lanes; ++l) out[l] = static_cast<T>(preset_value(p, w, g, l));
  });
}

void reset_warp(Warp& w, const Program& p, bool first_time) {
  Block& b = *w.block;
  auto threads = static_cast<std::uint32_t>(p.geometry.block_threads());
  std::uint32_t left = threads - w.index * lanes;
  w.full = left >= lanes ? ~Mask{0} : (Mask{1} << left) - 1;
  w.mask = w.full;
  w.pc = 0;
  w.state = WarpState::Ready;
  w.id = b.first_warp + w.index;
  w.floor = b.floor;
  std::fill_n(w.count, lanes, b.count);
  w.spin_depth = 0;
  w.frames.clear();
  w.flights.drop();
  w.products.drop();
  w.register_count = p.launch_registers;
  w.cluster_arrivals = w.cluster_waits = w.cluster_merges = 0;
  w.awaited_previous = 0;
  if (b.has_clocks)
    for (LaneSync& s : w.sync) s = {};
  for (const Preset& preset : p.presets)
    if (first_time || preset.source == Preset::Source::BlockId) fill_preset(preset, w, p.geometry);
}

void add_slots(Block& b, const Worker& worker) {
  const ir::Kernel& k = *worker.program.kernel;
  const SimOptions& o = *worker.machine.options;
  b.shared.resize(static_cast<std::size_t>(ir::shared_bytes(k)));
  for (std::size_t i = 0; i < k.slots.size(); ++i) {
    const ir::Slot& s = k.slots[i];
    std::int64_t cells = is_packed(s.elem) ? (s.extent + 1) / 2 : s.extent;
    bool shadowed = o.detect_races || o.poison;
    b.slot_offsets.push_back(ir::slot_offset(k, static_cast<int>(i)));
    Shadow& shadow = b.shadows.emplace_back(shadowed ? cells * s.copies : 0, false);
    shadow.require_order(o.detect_races && o.syncs_placed);
    shadow.require_writes(o.poison);
  }
  for (std::size_t i = 0; i < k.slots.size(); ++i) {
    b.first_gate.push_back(static_cast<std::uint32_t>(b.gates.size()));
    for (int copy = 0; k.slots[i].is_gate() && copy < k.slots[i].copies; ++copy) {
      Gate g;
      g.number = static_cast<std::uint32_t>(b.gates.size());
      g.slot = static_cast<int>(i);
      g.copy = copy;
      g.declared = k.slots[i].arrivals;
      b.gates.push_back(std::move(g));
    }
  }
}

}  // namespace

std::unique_ptr<Block> make_block(Worker& worker) {
  const Program& p = worker.program;
  auto b = std::make_unique<Block>();
  add_slots(*b, worker);
  auto warps = static_cast<std::size_t>(p.geometry.warps());
  std::size_t pitch = (p.register_bytes + 63) / 64 * 64 + 64;
  b->register_file.resize(pitch * warps + 64);
  auto base = (reinterpret_cast<std::uintptr_t>(b->register_file.data()) + 63) / 64 * 64;
  b->warps.resize(warps);
  for (std::size_t i = 0; i < warps; ++i) {
    Warp& w = b->warps[i];
    w.index = static_cast<std::uint32_t>(i);
    w.block = b.get();
    w.worker = &worker;
    w.registers = reinterpret_cast<std::byte*>(base + i * pitch);
  }
  return b;
}

void reset_block(Block& b, Worker& worker, std::uint32_t count, std::int64_t linear) {
  const Geometry& g = worker.program.geometry;
  bool first_time = b.count == 1;
  b.count = count;
  if (b.count > 1u << 31) {  // counts start again before they run out
    b.count = 1;
    for (Shadow& s : b.shadows) s.wipe();
  }
  b.linear = linear;
  b.at[0] = linear % g.grid[0];
  b.at[1] = linear / g.grid[0] % g.grid[1];
  b.at[2] = linear / g.grid[0] / g.grid[1];
  b.first_warp = static_cast<std::uint32_t>(linear * g.warps());
  b.floor = b.count++;
  b.stopped = b.done = 0;
  b.ended = false;
  b.sync.clear();
  b.remote_stores.clear();
  b.free_registers = 0;
  for (Gate& gate : b.gates) gate.reset();
  for (NamedBarrier& n : b.named) n = {};
  b.product_groups.assign(b.warps.size() / warps_a_group + 1, {});
  std::fill(b.shared.begin(), b.shared.end(), poison);
  for (Shadow& s : b.shadows) s.reborn(b.floor);
  for (Warp& w : b.warps) reset_warp(w, worker.program, first_time);
  b.has_clocks = false;
}

void complete_barrier(Block& b) {
  b.floor = b.count++;
  SharedClock all;
  if (b.has_clocks)
    for (Warp& w : b.warps)
      for (const LaneSync& s : w.sync) all = join(all, s.known);
  for (Warp& w : b.warps) {
    w.floor = b.floor;
    std::fill_n(w.count, lanes, b.count);
    if (all)
      for (LaneSync& s : w.sync) s.known = all;
  }
}

void complete_reduction(Block& b) {
  const Program& p = b.warps[0].worker->program;
  const Exchange& x = p.exchanges[p.code[b.warps[0].pc - 1].info];
  if (x.merge) return complete_merge(b, *x.merge);
  for (const Exchange::Value& v : x.values) {
    auto width = static_cast<std::size_t>(v.width);
    for (Warp& into : b.warps)
      for (const Warp& from : b.warps)
        for (std::size_t l = 0; l < lanes; ++l)
          std::memcpy(into.registers + v.to[from.index] + l * width, from.registers + v.from,
                      width);
  }
}

}  // namespace barline::verify::sim
