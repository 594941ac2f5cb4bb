// SPDX-License-Identifier: Apache-2.0
// Gates (mbarriers) and the copies that report to them. A copy is checked when it is issued; its
// bytes land when a thread waits for its phase (gate.h).
#include <fmt/format.h>
#include <algorithm>

#include "ir/swizzle.h"
#include "verify/interp/elementwise.h"
#include "verify/interp/memory.h"

namespace barline::verify::sim {
namespace {

using ir::Key;

constexpr std::int64_t copy_unit = 16;  ///< bytes

Gate& gate_of(const Warp& w, const Access& a, int lane) {
  const std::uint32_t copy = a.rotating ? w.at<std::uint32_t>(a.copy)[lane] : 0;
  return w.block->gates[w.block->first_gate[static_cast<std::size_t>(a.slot)] + copy];
}

std::int64_t byte_of(const Access& a, std::int64_t index) { return index * ir::bits(a.elem) / 8; }

/// The pieces of one lane's copy.
class Pieces {
 public:
  Pieces(const Warp& w, int lane, const Access& to)
      : w_(w), lane_(lane), to_(to), slot_(view_of(w, to, lane)) {}

  /// The copy writes elements [at, at + n); from null: zeros.
  void add(std::int64_t at, std::int64_t n, const std::byte* from) {
    if (n == 0) return;
    Access piece = to_;
    piece.vec = 1;
    for (std::int64_t e : {at, at + n - 1}) check_bounds(w_, lane_, piece, slot_, e);
    for (std::int64_t e = at; e < at + n; ++e) {
      if (slot_.shadow) {
        const Refusal r = slot_.shadow->async_access(w_, lane_, cell_of(to_, slot_, e));
        if (r != Refusal::None) halt_refused(w_, lane_, to_, slot_, e, r);
      }
      touch(w_, lane_, to_, slot_, e, 1, Touch::WeakWrite);
    }
    pieces.push_back({.to = slot_.data + byte_of(to_, at),
                      .from = from,
                      .shadow = slot_.shadow,
                      .first_cell = cell_of(to_, slot_, at),
                      .cells = static_cast<std::int32_t>(n),
                      .bytes = static_cast<std::int32_t>(byte_of(to_, n)),
                      .lane = lane_,
                      .pc = w_.pc,
                      .warp = w_.id});
  }

  /// Halts unless element `at` of the slot stands at a multiple of so many bytes.
  void require_aligned(std::int64_t at, std::int64_t bytes) const {
    const std::int64_t address = slot_.data - w_.block->shared.data() + byte_of(to_, at);
    if (address % bytes == 0) return;
    halt(w_, lane_, FindingKind::Misaligned,
         fmt::format("a copy to byte {} of shared memory, which is no multiple of {}", address,
                     bytes));
  }

  std::vector<Flight> pieces;

 private:
  const Warp& w_;
  int lane_;
  const Access& to_;
  View slot_;
};

/// a: imm packs nothing; info: the destination; target: the source; b.at: the gate's access.
struct CopyTables {
  const Access &to, &from, &gate;
};
CopyTables tables(const Warp& w, const Inst& i) {
  const auto& all = w.worker->program.accesses;
  return {all[i.info], all[i.info + 1], all[i.info + 2]};
}

void run_copy_bulk(Warp& w, const Inst& i) {
  const auto [to, from, gate] = tables(w, i);
  Indices at, source;
  read_indices(w, to, at);
  read_indices(w, from, source);
  for_each_lane(w.mask, [&, &to = to, &from = from, &gate = gate](int l) {
    const View tensor = view_of(w, from, l);
    const std::int64_t first = source.at[l], n = i.imm;
    for (std::int64_t e : {first, first + n - 1}) check_bounds(w, l, from, tensor, e);
    if (byte_of(from, first) % copy_unit)
      halt(w, l, FindingKind::Misaligned,
           fmt::format("a copy from byte {} of a tensor, which is no multiple of {}",
                       byte_of(from, first), copy_unit));
    for (std::int64_t e = first; e < first + n; ++e)
      touch(w, l, from, tensor, e, 1, Touch::WeakRead);
    Pieces p(w, l, to);
    p.require_aligned(at.at[l], copy_unit);
    p.add(at.at[l], n, tensor.data + byte_of(from, first));
    issue(w, l, gate_of(w, gate, l), std::move(p.pieces), byte_of(to, n));
  });
}

/// One box of a tensor's last two axes.
struct BoxCopy {
  std::int64_t rows, columns;          ///< of the box
  std::int64_t row, col;               ///< its origin
  std::int64_t all_rows, all_columns;  ///< of the tensor, or of one of its planes
  std::int64_t plane, planes;
};

/// The matrices of a tensor, all axes before the last two counted as one.
std::int64_t planes_of(std::span<const int> axes, std::span<const std::int64_t> sizes) {
  std::int64_t n = 1;
  for (std::size_t i = 0; i + 2 < axes.size(); ++i) n *= sizes[static_cast<std::size_t>(axes[i])];
  return n;
}

/// Elements [c, c + n) of row r of the box go to `at`: those inside, then zeros.
void add_stretch(Pieces& p, const View& tensor, const Access& from, const BoxCopy& b,
                 std::int64_t r, std::int64_t c, std::int64_t n, std::int64_t at) {
  const std::int64_t row = b.row + r, col = b.col + c;
  std::int64_t inside = 0, before = 0;
  if (row >= 0 && row < b.all_rows && b.plane >= 0 && b.plane < b.planes) {
    before = std::clamp<std::int64_t>(-col, 0, n);
    inside = std::clamp<std::int64_t>(b.all_columns - col - before, 0, n - before);
  }
  p.add(at, before, nullptr);
  p.add(at + before, inside,
        tensor.data + byte_of(from, (b.plane * b.all_rows + row) * b.all_columns + col + before));
  p.add(at + before + inside, n - before - inside, nullptr);
}

void copy_box(Warp& w, int l, const Inst& i, const Access& to, const Access& from, const BoxCopy& b,
              std::int64_t at, Pieces& p) {
  const View tensor = view_of(w, from, l);
  if (i.n == 0) {
    p.require_aligned(at, 128);
    for (std::int64_t r = 0; r < b.rows; ++r)
      add_stretch(p, tensor, from, b, r, 0, b.columns, at + r * b.columns);
    return;
  }
  p.require_aligned(at, 1024);
  const int bytes = ir::bytes(to.elem);
  const ir::Swizzle swizzle = ir::swizzle_of(b.columns, bytes);
  for (std::int64_t r = 0; r < b.rows; ++r)
    for (std::int64_t c = 0; c < b.columns; c += swizzle.chunk)
      add_stretch(p, tensor, from, b, r, c, swizzle.chunk, at + swizzle.at(r, c));
}

/// a, b, c: row, column and plane; imm: columns, target: rows; n: swizzled.
void run_copy_tensor(Warp& w, const Inst& i) {
  const auto [to, from, gate] = tables(w, i);
  const Program& program = w.worker->program;
  Indices at;
  read_indices(w, to, at);
  for_each_lane(w.mask, [&, &to = to, &from = from, &gate = gate](int l) {
    const int param =
        from.choices.empty() ? from.param : from.choices[w.at<std::uint32_t>(from.copy)[l]].param;
    const auto& axes = program.kernel->params[static_cast<std::size_t>(param)].axes;
    const auto& sizes = program.geometry.axis_sizes;
    const bool planes = axes.size() > 2;
    const BoxCopy box{.rows = i.target,
                      .columns = i.imm,
                      .row = w.at<std::int32_t>(i.a)[l],
                      .col = w.at<std::int32_t>(i.b)[l],
                      .all_rows = axes.size() > 1 ? sizes[axes[axes.size() - 2]] : 1,
                      .all_columns = sizes[axes.back()],
                      .plane = planes ? w.at<std::int32_t>(i.c)[l] : 0,
                      .planes = planes_of(axes, sizes)};
    Pieces p(w, l, to);
    copy_box(w, l, i, to, from, box, at.at[l], p);
    issue(w, l, gate_of(w, gate, l), std::move(p.pieces), byte_of(to, box.rows * box.columns));
  });
}

/// The operand that names a gate; it counts its own copies.
Access gate_access(Compiler& c, ir::ValueId gate) {
  const ir::Root root = c.root(gate);
  Access a;
  a.slot = root.slot;
  a.rotating = root.use != ir::no_value;
  if (a.rotating) a.copy = c.in(gate);
  return a;
}

void run_arrive(Warp& w, const Inst& i) {
  const Access& a = w.worker->program.accesses[i.info];
  for_each_lane(w.mask, [&](int l) { arrive(w, l, gate_of(w, a, l), i.imm); });
}

/// Waits lane by lane: a warp that waits comes here again.
template <class T>
void run_await(Warp& w, const Inst& i) {
  const Access& a = w.worker->program.accesses[i.info];
  const T* phase = w.at<T>(i.a);
  const Gate* seen = nullptr;
  T seen_phase{};
  for (Mask left = w.mask; left; left &= left - 1) {
    const int l = std::countr_zero(left);
    Gate& g = gate_of(w, a, l);
    if (seen == &g && seen_phase == phase[l]) continue;
    if (!is_complete(w, l, g, static_cast<std::int64_t>(phase[l]))) {
      --w.pc;
      w.gate = &g;
      w.state = WarpState::AtGate;
      return;
    }
    seen = &g;
    seen_phase = phase[l];
  }
  for (Mask left = w.mask; left;) {
    Gate& g = gate_of(w, a, std::countr_zero(left));
    Mask same = 0;
    for_each_lane(left, [&](int l) { same |= Mask{&gate_of(w, a, l) == &g} << l; });
    acquire(w, same, g);
    left &= ~same;
  }
}

void run_proxy_fence(Warp& w, const Inst&) { fence_proxy(w, w.mask); }

void run_elect(Warp& w, const Inst& i) {
  require_whole_warp(w);
  i1_t* out = w.at<i1_t>(i.out);
  for (int l = 0; l < lanes; ++l) out[l] = i1_t{l == 0};
}

/// The accesses of a copy, one after the other: destination, source, gate.
std::uint32_t add_tables(Compiler& c, const Operation& op, Access from, ir::ValueId gate) {
  Access to = c.access(op);
  from.vec = to.vec = 1;
  from.copied = true;
  const std::uint32_t first = c.add(to);
  c.add(from);
  c.add(gate_access(c, gate));
  return first;
}

}  // namespace

void mean(Tag<Op::CopyBulk>, Compiler& c, const Operation& op) {
  Operation read{
      .op = Op::Load, .in = {op.in[2], op.in[3]}, .out = {}, .attrs = {}, .regions = {}, .loc = {}};
  c.emit({.run = &run_copy_bulk,
          .weight = 1,
          .info = add_tables(c, op, c.access(read), op.in[4]),
          .imm = op.attr(Key::Lanes, 1)});
}

void mean(Tag<Op::CopyTensor>, Compiler& c, const Operation& op) {
  Operation read{
      .op = Op::Load, .in = {op.in[2], op.in[3]}, .out = {}, .attrs = {}, .regions = {}, .loc = {}};
  c.emit({.run = &run_copy_tensor,
          .a = c.in(op.in[3]),
          .b = c.in(op.in[4]),
          .c = op.in.size() > 6 ? c.in(op.in[6]) : Operand{},
          .n = static_cast<std::uint32_t>(op.attr(Key::Swizzled)),
          .weight = 1,
          .target = static_cast<std::uint32_t>(op.attr(Key::Rows, 1)),
          .info = add_tables(c, op, c.access(read), op.in[5]),
          .imm = op.attr(Key::Columns, 1)});
}

void mean(Tag<Op::Arrive>, Compiler& c, const Operation& op) {
  c.emit({.run = &run_arrive,
          .weight = 1,
          .info = c.add(gate_access(c, op.in[0])),
          .imm = op.attr(Key::Bytes)});
}

void mean(Tag<Op::Await>, Compiler& c, const Operation& op) {
  with_elem(c.elem(op.in[1]), [&](auto as) {
    using T = typename decltype(as)::type;
    if constexpr (num::Integer<T>)
      c.emit({.run = &run_await<T>,
              .a = c.in(op.in[1]),
              .weight = 1,
              .info = c.add(gate_access(c, op.in[0]))});
    else
      c.refuse(op, "a phase is an integer");
  });
}

void mean(Tag<Op::ProxyFence>, Compiler& c, const Operation&) {
  c.emit({.run = &run_proxy_fence, .weight = 1});
}

void mean(Tag<Op::Elect>, Compiler& c, const Operation& op) {
  c.emit({.run = &run_elect, .out = c.define(op.out[0]), .weight = 1});
}

}  // namespace barline::verify::sim
