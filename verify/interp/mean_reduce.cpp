// SPDX-License-Identifier: Apache-2.0
// Reductions in the declared order (ir/order.h).
#include <numeric>

#include "ir/order.h"
#include "verify/interp/combine.h"
#include "verify/interp/elementwise.h"

namespace barline::verify::sim {
namespace {

using ir::ValueId;

/// Switches off lanes whose element `imm` of the tile lies past its axis; jumps if none is left.
void run_inside(Warp& w, const Inst& i) {
  const TileShare& s = w.worker->program.shares[i.info];
  std::int64_t step = s.threads * s.vec;
  std::int64_t part = s.grid_dim < 0 ? 0 : w.block->at[s.grid_dim] * s.chunks * step;
  std::int64_t first = part + i.imm / s.vec * step + i.imm % s.vec;
  w.frames.push_back({w.mask, w.pc, 0});
  for (int l = 0; l < lanes; ++l) {
    std::int64_t position = first + (std::int64_t{w.index} * lanes + l) * s.vec;
    if (position >= s.size) w.mask &= ~(Mask{1} << l);
  }
  if (!w.mask) w.pc = i.target;
}
void run_restore(Warp& w, const Inst&) {
  w.mask = w.frames.back().saved;
  w.frames.pop_back();
}

void run_exchange(Warp& w, const Inst&) { w.state = WarpState::AtReduction; }

class ReduceCompiler {
 public:
  ReduceCompiler(Compiler& c, const Operation& op)
      : c_(c), op_(op), n_(op.out.size()), combine_(c, op, elems_of(c, op)) {}

  void run() {
    Operands folded;
    switch (op_.attr_as<ir::Team>(ir::Key::Team)) {
      case ir::Team::Thread: folded = over_thread(); break;
      case ir::Team::Warp: folded = over_warp(); break;
      case ir::Team::Cta: folded = over_block(); break;
      default: c_.refuse(op_, "the simulator reduces over a thread, a warp or a block");
    }
    for (std::size_t i = 0; i < n_; ++i)
      c_.copy(folded[i], c_.define(op_.out[i]), combine_.elem(i), 1, false);
    combine_.release();
  }

 private:
  static std::vector<ir::Elem> elems_of(const Compiler& c, const Operation& op) {
    std::vector<ir::Elem> elems;
    for (ValueId v : op.out) elems.push_back(c.elem(v));
    return elems;
  }

  /// Folds pairwise, as chains and warps are folded.
  Operands fold_pairs(std::vector<Operands> v) {
    std::vector<int> order(v.size());
    std::iota(order.begin(), order.end(), 0);
    int first = ir::fold_pairwise(order.data(), static_cast<int>(order.size()), [&](int a, int b) {
      combine_.fold(v[a], v[b], v[a]);
      return a;
    });
    return v[first];
  }

  Operands values() {
    Operands v;
    for (std::size_t i = 0; i < n_; ++i) v.push_back(c_.in(op_.in[i]));
    return v;
  }

  Operands over_thread() {
    std::int64_t chains = std::max<std::int64_t>(op_.attr(ir::Key::Chains), 1);
    std::uint32_t share = c_.share(c_.type(op_.in[0]));
    std::vector<Operands> chain;
    for (std::int64_t i = 0; i < chains; ++i) {
      chain.push_back(combine_.temporaries());
      for (std::size_t k = 0; k < n_; ++k)
        c_.copy(c_.in(op_.in[n_ + k]), chain.back()[k], combine_.elem(k), 1, false);
    }
    for (std::int64_t e = 0; e < c_.share_at(share).elements(); ++e) {
      Operands element = values();
      for (std::size_t k = 0; k < n_; ++k)
        element[k].at += static_cast<std::uint32_t>(e) * element[k].step * lanes *
                         static_cast<std::uint32_t>(ir::bytes(combine_.elem(k)));
      std::uint32_t inside = c_.emit({.run = &run_inside, .info = share, .imm = e});
      combine_.fold(chain[e % chains], element, chain[e % chains]);
      c_.patch(inside);
      c_.emit({.run = &run_restore});
    }
    return fold_pairs(chain);
  }

  Operands over_warp() {
    combine_.require_whole_warp();
    Operands mine = combine_.temporaries();
    combine_.copy(values(), mine, false);
    std::vector<int> distances;
    for (int d = lanes / 2; d > 0; d /= 2) distances.push_back(d);
    combine_.butterfly(mine, distances);
    return mine;
  }

  Operands over_block() {
    Operands mine = over_warp();
    std::vector<Operands> warps;
    for (int i = 0; i < c_.geometry().warps(); ++i) warps.push_back(combine_.temporaries());
    Exchange x;
    for (std::size_t k = 0; k < n_; ++k) {
      Exchange::Value v{ir::bytes(combine_.elem(k)), mine[k].at, {}};
      for (const Operands& warp : warps) v.to.push_back(warp[k].at);
      x.values.push_back(v);
    }
    c_.emit({.run = &run_exchange, .info = c_.add(x)});
    return fold_pairs(warps);
  }

  Compiler& c_;
  const Operation& op_;
  std::size_t n_;
  Combine combine_;
};

}  // namespace

void mean(Tag<Op::Reduce>, Compiler& c, const Operation& op) { ReduceCompiler(c, op).run(); }

}  // namespace barline::verify::sim
