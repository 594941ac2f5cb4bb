// SPDX-License-Identifier: Apache-2.0
// Blocks that meet (ir/meeting.h), each op as its row says it: the block's threads come together,
// its first thread acts on the counter in one step, and the threads come together again where they
// go on by what it saw. Also a block that leaves.
#include "ir/meeting.h"
#include "verify/interp/elementwise.h"
#include "verify/interp/memory.h"

namespace barline::verify::sim {
namespace {

using ir::MemOrder;

/// The first thread of its block is in this warp, and runs.
bool has_first(const Warp& w) { return w.index == 0 && (w.mask & 1); }

/// The counter as the first thread sees it.
struct Counter {
  Warp& w;
  const Access& a;
  View view;
  std::int64_t index;

  Counter(Warp& warp, const Inst& i) : w(warp), a(warp.worker->program.accesses[i.info]) {
    Indices all;
    read_indices(w, a, all);
    view = view_of(w, a, 0);
    index = all.at[0];
    check_bounds(w, 0, a, view, index);
  }
  std::uint64_t key() const { return view.key + static_cast<std::uint64_t>(index); }
  std::uint64_t get() const { return get_element<std::uint64_t>(a, view, index); }
  void put(std::uint64_t value) const {
    w.worker->progress = true;
    put_element(a, view, index, value);
  }
  void note(Touch kind) const { touch(w, 0, a, view, index, 1, kind); }
};

std::uint64_t first_of(const Warp& w, Operand o) { return w.at<std::uint64_t>(o)[0]; }

void run_enter(Warp& w, const Inst& i) {
  std::uint64_t* out = w.at<std::uint64_t>(i.out);
  std::fill_n(out, lanes, 0);
  if (!has_first(w)) return;
  const Counter c(w, i);
  c.note(Touch::WeakRead);
  c.note(Touch::WeakWrite);
  out[0] = c.get() + 1;
  c.put(out[0]);
}

void run_release(Warp& w, const Inst& i) {
  if (!has_first(w)) return;
  const Counter c(w, i);
  c.note(Touch::StrongWrite);
  c.view.sync->store(w, 0, c.key(), c.a);
  c.put(first_of(w, i.a));
}

/// a: the generation, b: how many arrive. The first lanes of `out` learn whether this one is last.
void run_arrive(Warp& w, const Inst& i) {
  if (!has_first(w)) return;
  const Counter c(w, i);
  c.note(Touch::StrongUpdate);
  c.view.sync->rmw(w, 0, c.key(), c.a);
  const std::uint64_t word = std::max(c.get(), first_of(w, i.a) << ir::arrival_bits) + 1;
  c.put(word);
  const bool last = (word & ir::most_arrivals) == first_of(w, i.b);
  if (i.n) std::fill_n(w.at<i1_t>(i.out), lanes, i1_t{last});
}

void run_begin_wait(Warp& w, const Inst&) { w.spin_depth += has_first(w); }

/// a: the generation, b: of a barrier how many arrive. Comes again until the counter is so far.
void run_wait(Warp& w, const Inst& i) {
  if (!has_first(w)) return;
  const Counter c(w, i);
  c.note(Touch::StrongRead);
  c.view.sync->load(w, 0, c.key(), c.a);
  const std::uint64_t generation = first_of(w, i.a);
  const std::uint64_t least =
      i.n ? (generation << ir::arrival_bits) + first_of(w, i.b) : generation;
  if (c.get() >= least) {
    --w.spin_depth;
    return;
  }
  --w.pc;
  ++w.spins;
  w.yield = true;
}

void run_exchange(Warp& w, const Inst&) { w.state = WarpState::AtReduction; }

/// The access of the op's counter.
std::uint32_t counter(Compiler& c, const Operation& op, MemOrder order) {
  if (c.elem(op.in[0]) != ir::Elem::U64) c.refuse(op, "a counter is a u64");
  Operation strong = op;
  if (order != MemOrder::Weak) {
    strong.set(ir::Key::Order, static_cast<std::int64_t>(order));
    strong.set(ir::Key::Scope, static_cast<std::int64_t>(ir::MemScope::Gpu));
  }
  return c.add(c.access(strong));
}

void block_barrier(Compiler& c, const Operation& op) { mean(Tag<Op::Barrier>{}, c, op); }

void wait(Compiler& c, const Operation& op, bool for_arrivals) {
  c.emit({.run = &run_begin_wait});
  c.emit({.run = &run_wait,
          .a = c.in(op.in[2]),
          .b = c.in(op.in[for_arrivals ? 3 : 2]),
          .n = for_arrivals,
          .weight = 1,
          .info = counter(c, op, MemOrder::Acquire)});
  block_barrier(c, op);
}

}  // namespace

void mean(Tag<Op::GenerationEnter>, Compiler& c, const Operation& op) {
  const std::uint32_t at = counter(c, op, MemOrder::Weak);
  c.emit({.run = &run_enter, .out = c.define(op.out[0]), .weight = 1, .info = at});
}

void mean(Tag<Op::GenerationRelease>, Compiler& c, const Operation& op) {
  block_barrier(c, op);
  const std::uint32_t at = counter(c, op, MemOrder::Release);
  c.emit({.run = &run_release, .a = c.in(op.in[2]), .weight = 1, .info = at});
}

void mean(Tag<Op::GenerationWait>, Compiler& c, const Operation& op) { wait(c, op, false); }

/// The first warp tells the others by an exchange.
void mean(Tag<Op::ArriveLast>, Compiler& c, const Operation& op) {
  block_barrier(c, op);
  const std::uint32_t at = counter(c, op, MemOrder::AcqRel);
  const Operand mine = c.temporary(ir::Elem::I1, 1);
  c.emit({.run = &run_arrive,
          .out = mine,
          .a = c.in(op.in[2]),
          .b = c.in(op.in[3]),
          .n = 1,
          .weight = 1,
          .info = at});
  Exchange::Value v{ir::bytes(ir::Elem::I1), mine.at, {}};
  std::vector<Operand> told;
  for (int i = 0; i < c.geometry().warps(); ++i) {
    told.push_back(c.temporary(ir::Elem::I1, 1));
    v.to.push_back(told.back().at);
  }
  Exchange x;
  x.values.push_back(v);
  c.emit({.run = &run_exchange, .info = c.add(x)});
  block_barrier(c, op);
  c.copy(told[0], c.define(op.out[0]), ir::Elem::I1, 1, false);
  for (Operand o : told) c.release(o);
  c.release(mine);
}

void mean(Tag<Op::MeetAll>, Compiler& c, const Operation& op) {
  block_barrier(c, op);
  const std::uint32_t at = counter(c, op, MemOrder::AcqRel);
  c.emit({.run = &run_arrive,
          .a = c.in(op.in[2]),
          .b = c.in(op.in[3]),
          .n = 0,
          .weight = 1,
          .info = at});
  wait(c, op, true);
}

void mean(Tag<Op::Leave>, Compiler& c, const Operation&) { c.leave(); }

}  // namespace barline::verify::sim
