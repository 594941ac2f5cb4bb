// SPDX-License-Identifier: Apache-2.0
// Reductions in the declared order (ir/order.h). The combine region is compiled once, out of line;
// each fold of two operands copies them to its arguments, calls it and takes the results.
#include <numeric>

#include "ir/order.h"
#include "verify/interp/elementwise.h"

namespace barline::verify::sim {
namespace {

using ir::ValueId;
using Operands = std::vector<Operand>;

void run_jump(Warp& w, const Inst& i) { w.pc = i.target; }
void run_call(Warp& w, const Inst& i) {
  w.frames.push_back({w.mask, w.pc, 0});
  w.pc = i.target;
}
void run_return(Warp& w, const Inst&) {
  w.pc = w.frames.back().pc;
  w.frames.pop_back();
}

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

template <class T>
void run_butterfly(Warp& w, const Inst& i) {
  const T* a = w.at<T>(i.a);
  T* out = w.at<T>(i.out);
  for (int l = 0; l < lanes; ++l) out[l] = a[l ^ i.imm];
}

/// Every lane of the warp must be here: its values take part.
void run_gather(Warp& w, const Inst&) {
  if (w.mask != w.full || w.full != ~Mask{0})
    halt(w, std::countr_zero(~w.mask), FindingKind::BarrierDivergence,
         "a lane of the warp does not come to a reduction that it takes part in");
}
void run_exchange(Warp& w, const Inst&) { w.state = WarpState::AtReduction; }

class ReduceCompiler {
 public:
  ReduceCompiler(Compiler& c, const Operation& op) : c_(c), op_(op), n_(op.out.size()) {
    for (std::size_t i = 0; i < n_; ++i) elems_.push_back(c.elem(op.out[i]));
    left_ = temporaries();
    right_ = temporaries();
    result_ = temporaries();
  }

  void run() {
    compile_combine();
    Operands folded;
    switch (op_.attr_as<ir::Team>(ir::Key::Team)) {
      case ir::Team::Thread: folded = over_thread(); break;
      case ir::Team::Warp: folded = over_warp(); break;
      case ir::Team::Cta: folded = over_block(); break;
      default: c_.refuse(op_, "the simulator reduces over a thread, a warp or a block");
    }
    for (std::size_t i = 0; i < n_; ++i)
      c_.copy(folded[i], c_.define(op_.out[i]), elems_[i], 1, false);
    for (Operand o : owned_) c_.release(o);
    c_.let_go(of_combine_);
  }

 private:
  Operands temporaries() {
    Operands all;
    for (ir::Elem e : elems_) all.push_back(owned_.emplace_back(c_.temporary(e, 1)));
    return all;
  }

  void copy_all(const Operands& from, const Operands& to, bool masked) {
    for (std::size_t i = 0; i < n_; ++i) c_.copy(from[i], to[i], elems_[i], 1, masked);
  }

  void compile_combine() {
    const ir::Region& r = op_.regions[0];
    ir::walk(r, [&](const Operation& inner) {
      if (inner.has(ir::Convergent)) c_.refuse(inner, "a combine is code of one thread");
    });
    for (std::size_t i = 0; i < n_; ++i) {
      c_.bind(r.args[i], left_[i]);
      c_.bind(r.args[n_ + i], right_[i]);
    }
    std::uint32_t over = c_.emit({.run = &run_jump});
    combine_ = c_.here();
    c_.hold();
    c_.region(r, [&](const Operation& yield) { c_.copy_to(yield.in, result_, false); });
    of_combine_ = c_.end_hold();
    c_.emit({.run = &run_return});
    c_.patch(over);
  }

  /// into = combine(a, b) on the lanes that run.
  void fold(const Operands& a, const Operands& b, const Operands& into) {
    copy_all(a, left_, false);
    copy_all(b, right_, false);
    c_.emit({.run = &run_call, .target = combine_});
    copy_all(result_, into, true);
  }

  /// Folds pairwise, as chains and warps are folded.
  Operands fold_pairs(std::vector<Operands> v) {
    std::vector<int> order(v.size());
    std::iota(order.begin(), order.end(), 0);
    int first = ir::fold_pairwise(order.data(), static_cast<int>(order.size()), [&](int a, int b) {
      fold(v[a], v[b], v[a]);
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
      chain.push_back(temporaries());
      for (std::size_t k = 0; k < n_; ++k)
        c_.copy(c_.in(op_.in[n_ + k]), chain.back()[k], elems_[k], 1, false);
    }
    for (std::int64_t e = 0; e < c_.share_at(share).elements(); ++e) {
      Operands element = values();
      for (std::size_t k = 0; k < n_; ++k)
        element[k].at += static_cast<std::uint32_t>(e) * element[k].step * lanes *
                         static_cast<std::uint32_t>(ir::bytes(elems_[k]));
      std::uint32_t inside = c_.emit({.run = &run_inside, .info = share, .imm = e});
      fold(chain[e % chains], element, chain[e % chains]);
      c_.patch(inside);
      c_.emit({.run = &run_restore});
    }
    return fold_pairs(chain);
  }

  Operands over_warp() {
    c_.emit({.run = &run_gather, .weight = 1});
    Operands mine = temporaries();
    Operands other = temporaries();
    copy_all(values(), mine, false);
    for (int distance = lanes / 2; distance > 0; distance /= 2) {
      for (std::size_t i = 0; i < n_; ++i)
        with_width(elems_[i], [&](auto as) {
          using T = typename decltype(as)::type;
          c_.emit({.run = &run_butterfly<T>, .out = other[i], .a = mine[i], .imm = distance});
        });
      fold(mine, other, mine);
    }
    return mine;
  }

  Operands over_block() {
    Operands mine = over_warp();
    std::vector<Operands> warps;
    for (int i = 0; i < c_.geometry().warps(); ++i) warps.push_back(temporaries());
    Exchange x;
    for (std::size_t k = 0; k < n_; ++k) {
      Exchange::Value v{ir::bytes(elems_[k]), mine[k].at, {}};
      for (const Operands& warp : warps) v.to.push_back(warp[k].at);
      x.values.push_back(v);
    }
    c_.emit({.run = &run_exchange, .info = c_.add(x)});
    return fold_pairs(warps);
  }

  Compiler& c_;
  const Operation& op_;
  std::size_t n_;
  std::vector<ir::Elem> elems_;
  Operands owned_;
  Operands left_, right_, result_;
  std::uint32_t combine_ = 0;
  std::vector<std::uint32_t> of_combine_;  ///< registers that the combine's code uses
};

}  // namespace

void mean(Tag<Op::Reduce>, Compiler& c, const Operation& op) { ReduceCompiler(c, op).run(); }

}  // namespace barline::verify::sim
