// SPDX-License-Identifier: Apache-2.0
// What a warpgroup does together. Each warp multiplies its 16 rows of a's 64 by all of b, step of k
// by step, as ir/tensor_core.h says; its results are in flight (warpgroup.h) until it waits.
#include "verify/interp/warpgroup.h"

#include <fmt/format.h>
#include <array>

#include "ir/swizzle.h"
#include "ir/tensor_core.h"
#include "verify/interp/elementwise.h"
#include "verify/interp/memory.h"

namespace barline::verify::sim {
namespace {

using ir::Elem;
using ir::Key;

constexpr int rows = 16, columns = 8;  ///< of a warp and an accumulator
constexpr int widest = 32;             ///< k of s8
constexpr std::int64_t row_bytes = 128, lines = 1024;

/// A matrix operand in a slot: rows of 128 bytes, swizzled.
class SlotMatrix {
 public:
  SlotMatrix(Warp& w, const Access& a, const ProductPlan& p) : w_(w), a_(a), plan_(p) {
    Indices index;
    read_indices(w, a, index);
    start_ = index.at[0];
    for (int l = 1; l < lanes; ++l)
      if (index.at[l] != start_)
        halt(w, l, FindingKind::Protocol, "the lanes of a warp multiply by different elements");
    view_ = view_of(w, a, 0);
    width_ = row_bytes / ir::bytes(a.elem);
    swizzle_ = ir::swizzle_of(width_, ir::bytes(a.elem));
    const std::int64_t line = lines / ir::bytes(a.elem);
    base_ = start_ >= 0 ? start_ / line * line : start_;
    column_ = start_ - base_;
    require_placed();
  }

  std::int64_t start() const { return start_; }

  /// Position of (row, k) of an operand whose rows are m or n.
  std::int64_t by_rows(std::int64_t row, std::int64_t k) const {
    return base_ + swizzle_.at(row, column_ + k);
  }
  /// Position of (k, n) where rows are k and panels of columns stand `pitch` apart.
  std::int64_t by_columns(std::int64_t k, std::int64_t n) const {
    return base_ + n / width_ * plan_.pitch + swizzle_.at(k, n % width_);
  }

  /// `n` elements from `at` on, which stand beside each other.
  template <class T>
  void read(std::int64_t at, std::int64_t n, T* out, std::ptrdiff_t step) {
    for (std::int64_t e = 0; e < n; ++e) {
      const std::int64_t i = at + e;
      check_bounds(w_, 0, a_, view_, i);
      touch(w_, 0, a_, view_, i, 1, Touch::WeakRead);
      out[e * step] = get_element<T>(a_, view_, i);
    }
    if (!view_.shadow || !view_.shadow->orders()) return;
    const AsyncRead r{view_.shadow, cell_of(a_, view_, at), static_cast<std::int32_t>(n), w_.pc};
    for (std::int64_t e = 0; e < n; ++e) {
      const Refusal refusal = view_.shadow->async_access(w_, 0, r.first_cell + e);
      if (refusal != Refusal::None) halt_refused(w_, 0, a_, view_, at + e, refusal);
      view_.shadow->begin_read(w_, r.first_cell + e);
    }
    w_.products.read(r);
  }

 private:
  void require_placed() const {
    const std::int64_t address = view_.data - w_.block->shared.data() + base_ * ir::bytes(a_.elem);
    const bool inner = plan_.transposed && &a_ == &plan_.b
                           ? column_ == 0
                           : column_ < width_ && column_ % plan_.k == 0;
    if (start_ >= 0 && address % lines == 0 && inner) return;
    halt(w_, 0, FindingKind::Misaligned,
         fmt::format("a wgmma's operand from element {} on, at byte {} of shared memory: its rows "
                     "begin at a multiple of 1024 bytes, its steps of k at a multiple of {}",
                     start_, address + column_ * ir::bytes(a_.elem), plan_.k));
  }

  Warp& w_;
  const Access& a_;
  const ProductPlan& plan_;
  View view_;
  std::int64_t start_ = 0, base_ = 0, column_ = 0, width_ = 64;
  ir::Swizzle swizzle_;
};

/// A warp's operands: 16 rows of a, and all columns of b.
template <class T>
struct Factors {
  std::array<T, rows * widest> a{};
  std::vector<T> b;
};

/// a in registers, as mma's.
void gather_a(const Warp& w, const ProductPlan& p, Factors<std::uint16_t>& f) {
  for (std::uint32_t half = 0; half < 4; ++half)  // (g, left), (g + 8, left), (g, right), ..
    for (std::uint32_t e = 0; e < 2; ++e)
      for (std::uint32_t l = 0; l < lanes; ++l) {
        const std::uint32_t row = l / 4 + half % 2 * 8, col = half / 2 * 8 + l % 4 * 2 + e;
        f.a[row * 16 + col] = w.at<std::uint16_t>(p.a, 2 * half + e)[l];
      }
}
void gather_a(const Warp& w, const ProductPlan& p, Factors<std::int8_t>& f) {
  for (std::uint32_t half = 0; half < 4; ++half)
    for (std::uint32_t e = 0; e < 4; ++e)
      for (std::uint32_t l = 0; l < lanes; ++l) {
        const std::uint32_t row = l / 4 + half % 2 * 8, col = half / 2 * 16 + l % 4 * 4 + e;
        f.a[row * widest + col] =
            static_cast<std::int8_t>(w.at<std::uint32_t>(p.a, half)[l] >> (8 * e));
      }
}

/// A row of an operand, chunk by chunk of 16 bytes.
template <class T>
void read_row(SlotMatrix& m, int row, int k, T* out) {
  constexpr int chunk = 16 / sizeof(T);
  for (int c = 0; c < k; c += chunk) m.read(m.by_rows(row, c), chunk, out + c, 1);
}

template <class T>
void read_columns(SlotMatrix& m, int n, int k, T* out) {
  constexpr int chunk = 16 / sizeof(T);
  for (int row = 0; row < k; ++row)
    for (int c = 0; c < n; c += chunk) m.read(m.by_columns(row, c), chunk, out + c * k + row, k);
}

template <class T>
Factors<T> gather(Warp& w, const ProductPlan& p, std::uint64_t& what) {
  Factors<T> f;
  const int n = columns * static_cast<int>(p.to.size());
  if (p.a_in_slot) {
    SlotMatrix a(w, p.a_slot, p);
    what = static_cast<std::uint64_t>(a.start()) << 32;
    const int first = static_cast<int>(w.index % warps_a_group) * rows;
    for (int r = 0; r < rows; ++r) read_row(a, first + r, p.k, f.a.data() + r * p.k);
  } else {
    gather_a(w, p, f);
  }
  SlotMatrix b(w, p.b, p);
  what ^= static_cast<std::uint64_t>(b.start());
  f.b.resize(static_cast<std::size_t>(n * p.k));
  if (p.transposed)
    read_columns(b, n, p.k, f.b.data());
  else
    for (int c = 0; c < n; ++c) read_row(b, c, p.k, f.b.data() + c * p.k);
  return f;
}

/// Row and column of word e of a lane.
constexpr int at_of(int e, int l) { return (l / 4 + e / 2 * 8) * columns + l % 4 * 2 + e % 2; }

void multiply(const ProductPlan& p, const Factors<std::uint16_t>& f, std::size_t j,
              std::uint32_t* words) {
  std::array<float, rows * columns> sums;
  for (int e = 0; e < sums_a_lane; ++e)
    for (int l = 0; l < lanes; ++l)
      sums[static_cast<std::size_t>(at_of(e, l))] = std::bit_cast<float>(words[e * lanes + l]);
  ir::mma_tile(p.elem, f.a.data(), f.b.data() + j * columns * 16, 16, sums.data(), sums.data());
  for (int e = 0; e < sums_a_lane; ++e)
    for (int l = 0; l < lanes; ++l)
      words[e * lanes + l] =
          std::bit_cast<std::uint32_t>(sums[static_cast<std::size_t>(at_of(e, l))]);
}

void multiply(const ProductPlan& p, const Factors<std::int8_t>& f, std::size_t j,
              std::uint32_t* words) {
  const std::int8_t* b = f.b.data() + j * columns * static_cast<std::size_t>(p.k);
  for (int e = 0; e < sums_a_lane; ++e)
    for (int l = 0; l < lanes; ++l) {
      std::uint32_t& word = words[e * lanes + l];
      const int row = at_of(e, l) / columns, col = at_of(e, l) % columns;
      word = static_cast<std::uint32_t>(ir::mma_dot_s8(f.a.data() + row * p.k, b + col * p.k, p.k,
                                                       static_cast<std::int32_t>(word)));
    }
}

void require_warpgroup(const Warp& w) {
  require_whole_warp(w);
  if (w.index / warps_a_group * warps_a_group + warps_a_group > w.block->warps.size())
    halt(w, 0, FindingKind::BarrierDivergence,
         "a warp whose warpgroup has fewer than four warps in the block");
}

template <class T>
void run_wgmma(Warp& w, const Inst& i) {
  require_warpgroup(w);
  const ProductPlan& p = *w.worker->program.products[i.info];
  std::uint64_t what = 0;
  const Factors<T> f = gather<T>(w, p, what);
  w.products.join_group(w, what);
  for (std::size_t j = 0; j < p.to.size(); ++j) {
    Accumulator& acc = p.in_flight[j] ? w.products.advance(w, p.from[j], p.to[j])
                                      : w.products.take_off(w, p.to[j]);
    for (std::uint32_t e = 0; e < sums_a_lane && !p.in_flight[j]; ++e)
      std::copy_n(w.at<std::uint32_t>(p.from[j], e), lanes, acc.words + e * lanes);
    multiply(p, f, j, acc.words);
  }
}

/// Registers that products will add to are in flight from the fence on.
void run_wgmma_fence(Warp& w, const Inst& i) {
  require_warpgroup(w);
  w.products.fence();
  const ProductPlan& p = *w.worker->program.products[i.info];
  for (std::size_t j = 0; j < p.to.size(); ++j) {
    Accumulator& acc = w.products.hand_over(w, p.to[j]);
    for (std::uint32_t e = 0; e < sums_a_lane; ++e)
      std::copy_n(w.at<std::uint32_t>(p.from[j], e), lanes, acc.words + e * lanes);
  }
}

void run_wgmma_commit(Warp& w, const Inst&) {
  require_warpgroup(w);
  w.products.commit(w);
}

/// imm: groups that may stay in flight.
void run_wgmma_wait(Warp& w, const Inst& i) {
  require_warpgroup(w);
  w.products.wait(w, static_cast<std::size_t>(i.imm));
  const ProductPlan& p = *w.worker->program.products[i.info];
  for (std::size_t j = 0; j < p.to.size(); ++j) w.products.give(w, p.from[j], p.to[j]);
}

void run_set_registers(Warp& w, const Inst& i) {
  require_warpgroup(w);
  if (take_registers(w, static_cast<std::int32_t>(i.imm))) return;
  --w.pc;
  w.state = WarpState::AtRegisters;
}

/// Decodes operand `root` of the op, and the index after it.
Access slot_operand(Compiler& c, const Operation& op, std::size_t root, bool offset) {
  Operation read{.op = Op::Load,
                 .in = {op.in[root], op.in[root + 1]},
                 .out = {},
                 .attrs = {},
                 .regions = {},
                 .loc = op.loc};
  Access a = c.access(read);
  if (offset) a.offset = op.attr(Key::Offset);
  return a;
}

/// The accumulators from operand `first` on.
void add_accumulators(Compiler& c, const Operation& op, std::size_t first, ProductPlan& p) {
  for (std::size_t j = 0; j < op.out.size(); ++j) {
    p.from.push_back(c.in(op.in[first + j]));
    p.in_flight.push_back(c.type(op.in[first + j]).in_flight);
  }
  for (ir::ValueId v : op.out) p.to.push_back(c.define(v));
}

void compile_wgmma(Compiler& c, const Operation& op, bool a_in_slot) {
  const std::size_t b = a_in_slot ? 2 : 1;
  ProductPlan p;
  p.elem = c.elem(op.in[b]);
  p.k = p.elem == Elem::S8 ? 32 : 16;
  p.a_in_slot = a_in_slot;
  p.transposed = op.attr(Key::Transpose) != 0;
  p.pitch = op.attr(Key::Pitch);
  if (a_in_slot)
    p.a_slot = slot_operand(c, op, 0, false);
  else
    p.a = c.in(op.in[0]);
  p.b = slot_operand(c, op, b, true);
  add_accumulators(c, op, b + 2, p);
  const auto work = static_cast<std::uint32_t>(rows * columns * p.k / lanes);
  const auto n = static_cast<std::uint32_t>(p.to.size());
  c.emit({.run = p.elem == Elem::S8 ? &run_wgmma<std::int8_t> : &run_wgmma<std::uint16_t>,
          .weight = work * n,
          .info = c.add(std::move(p))});
}

}  // namespace

void mean(Tag<Op::Wgmma>, Compiler& c, const Operation& op) { compile_wgmma(c, op, false); }
void mean(Tag<Op::WgmmaSlots>, Compiler& c, const Operation& op) { compile_wgmma(c, op, true); }

void mean(Tag<Op::WgmmaFence>, Compiler& c, const Operation& op) {
  ProductPlan p;
  add_accumulators(c, op, 0, p);
  c.emit({.run = &run_wgmma_fence, .weight = 1, .info = c.add(std::move(p))});
}

void mean(Tag<Op::WgmmaCommit>, Compiler& c, const Operation&) {
  c.emit({.run = &run_wgmma_commit, .weight = 1});
}

void mean(Tag<Op::WgmmaWait>, Compiler& c, const Operation& op) {
  ProductPlan p;
  add_accumulators(c, op, 0, p);
  c.emit({.run = &run_wgmma_wait,
          .weight = 1,
          .info = c.add(std::move(p)),
          .imm = op.attr(Key::Pending)});
}

void mean(Tag<Op::SetRegisters>, Compiler& c, const Operation& op) {
  c.emit({.run = &run_set_registers, .weight = 1, .imm = op.attr(Key::Registers)});
}

}  // namespace barline::verify::sim
