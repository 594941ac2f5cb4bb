// SPDX-License-Identifier: Apache-2.0
// Asynchronous copies, and pointers chosen for a block. A copy is checked when it is issued, and
// moves its bytes when its group is waited for (flight.h); what it reads no op of the kernel may
// write, so when it reads makes no difference. Before barriers are placed nobody waits: then it is
// done at once.
#include <fmt/format.h>
#include <cstring>

#include "verify/interp/elementwise.h"
#include "verify/interp/memory.h"

namespace barline::verify::sim {
namespace {

using ir::Key;

std::int64_t byte_of(const Access& a, std::int64_t index) { return index * ir::bits(a.elem) / 8; }

/// The lanes' copies, one after the other. `placed`: barriers are, so the copies take their time.
void run_copy(Warp& w, const Inst& i, bool placed) {
  const Program& p = w.worker->program;
  const Access &to = p.accesses[i.info], &from = p.accesses[static_cast<std::size_t>(i.imm)];
  if (!w.mask) return;
  Indices at, source;
  read_indices(w, to, at);
  read_indices(w, from, source);
  const Mask reads = enabled(w, from);
  for_each_lane(w.mask, [&](int l) {
    const View slot = view_of(w, to, l);
    check_bounds(w, l, to, slot, at.at[l]);
    touch(w, l, to, slot, at.at[l], to.vec, Touch::WeakWrite);
    const std::byte* data = nullptr;
    if (reads >> l & 1) {
      const View tensor = view_of(w, from, l);
      check_bounds(w, l, from, tensor, source.at[l]);
      touch(w, l, from, tensor, source.at[l], from.vec, Touch::WeakRead);
      data = tensor.data + byte_of(from, source.at[l]);
    }
    const std::int64_t first = cell_of(to, slot, at.at[l]);
    const std::int64_t last = cell_of(to, slot, at.at[l] + to.vec - 1);
    const Flight f{.to = slot.data + byte_of(to, at.at[l]),
                   .from = data,
                   .shadow = slot.shadow,
                   .first_cell = first,
                   .cells = static_cast<std::int32_t>(last - first + 1),
                   .bytes = static_cast<std::int32_t>(byte_of(to, to.vec)),
                   .lane = l,
                   .pc = w.pc};
    if (placed) return w.flights.issue(w, f);
    if (f.from)
      std::memcpy(f.to, f.from, static_cast<std::size_t>(f.bytes));
    else
      std::memset(f.to, 0, static_cast<std::size_t>(f.bytes));
  });
}

void run_copy_async(Warp& w, const Inst& i) { run_copy(w, i, true); }
void run_copy_now(Warp& w, const Inst& i) { run_copy(w, i, false); }

void run_commit(Warp& w, const Inst&) {
  require_whole_warp(w);
  w.flights.commit();
}

/// The number of the pointer; memory ops find its tensor in their own table.
template <class T>
void run_choose(Warp& w, const Inst& i) {
  const T* index = w.at<T>(i.a);
  auto* out = w.at<std::uint32_t>(i.out);
  for_each_lane(w.mask, [&](int l) {
    const auto n = static_cast<std::int64_t>(index[l]);
    if (n < 0 || n >= i.imm)
      halt(w, l, FindingKind::OutOfBounds, fmt::format("pointer {} of {} is chosen", n, i.imm));
  });
  for (int l = 0; l < lanes; ++l) out[l] = static_cast<std::uint32_t>(index[l]);
}

}  // namespace

void mean(Tag<Op::Choose>, Compiler& c, const Operation& op) {
  with_elem(c.elem(op.in[0]), [&](auto as) {
    using T = typename decltype(as)::type;
    if constexpr (num::Integer<T>)
      c.emit({.run = &run_choose<T>,
              .out = c.define(op.out[0]),
              .a = c.in(op.in[0]),
              .weight = 1,
              .imm = static_cast<std::int64_t>(op.in.size()) - 1});
    else
      c.refuse(op, "an index is an integer");
  });
}

void mean(Tag<Op::CopyAsync>, Compiler& c, const Operation& op) {
  Operation read{
      .op = Op::Load, .in = {op.in[2], op.in[3]}, .out = {}, .attrs = {}, .regions = {}, .loc = {}};
  Access from = c.access(read), to = c.access(op);
  from.copied = true;
  from.vec = to.vec = static_cast<std::int32_t>(op.attr(Key::Lanes, 1));
  if (op.in.size() > 4) {
    from.has_active = true;
    from.active = c.in(op.in[4]);
  }
  std::uint32_t source = c.add(from);
  c.emit({.run = c.syncs_placed() ? &run_copy_async : &run_copy_now,
          .weight = 1,
          .info = c.add(to),
          .imm = source});
}

void mean(Tag<Op::CommitCopies>, Compiler& c, const Operation&) {
  c.emit({.run = &run_commit, .weight = 1});
}

}  // namespace barline::verify::sim
