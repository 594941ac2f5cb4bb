// SPDX-License-Identifier: Apache-2.0
#include "verify/interp/combine.h"

#include "verify/interp/machine.h"
#include "verify/interp/value_types.h"

namespace barline::verify::sim {
namespace {

void run_jump(Warp& w, const Inst& i) { w.pc = i.target; }
void run_call(Warp& w, const Inst& i) {
  w.frames.push_back({w.mask, w.pc, 0});
  w.pc = i.target;
}
void run_return(Warp& w, const Inst&) {
  w.pc = w.frames.back().pc;
  w.frames.pop_back();
}

template <class T>
void run_butterfly(Warp& w, const Inst& i) {
  const T* a = w.at<T>(i.a);
  T* out = w.at<T>(i.out);
  for (int l = 0; l < lanes; ++l) out[l] = a[l ^ i.imm];
}

void run_gather(Warp& w, const Inst&) {
  if (w.mask != w.full || w.full != ~Mask{0})
    halt(w, std::countr_zero(~w.mask), FindingKind::BarrierDivergence,
         "a lane of the warp does not come to a reduction that it takes part in");
}

}  // namespace

Combine::Combine(Compiler& c, const ir::Operation& op, std::vector<ir::Elem> elems)
    : c_(c), elems_(std::move(elems)) {
  left_ = temporaries();
  right_ = temporaries();
  result_ = temporaries();
  const ir::Region& r = op.regions[0];
  ir::walk(r, [&](const ir::Operation& inner) {
    if (inner.has(ir::Convergent)) c_.refuse(inner, "a combine is code of one thread");
  });
  for (std::size_t i = 0; i < size(); ++i) {
    c_.bind(r.args[i], left_[i]);
    c_.bind(r.args[size() + i], right_[i]);
  }
  std::uint32_t over = c_.emit({.run = &run_jump});
  entry_ = c_.here();
  c_.hold();
  c_.region(r, [&](const ir::Operation& yield) { c_.copy_to(yield.in, result_, false); });
  of_region_ = c_.end_hold();
  c_.emit({.run = &run_return});
  c_.patch(over);
}

void Combine::release() {
  for (Operand o : owned_) c_.release(o);
  c_.let_go(of_region_);
}

Operands Combine::temporaries() {
  Operands all;
  for (ir::Elem e : elems_) all.push_back(owned_.emplace_back(c_.temporary(e, 1)));
  return all;
}

void Combine::copy(const Operands& from, const Operands& to, bool masked) {
  for (std::size_t i = 0; i < size(); ++i) c_.copy(from[i], to[i], elems_[i], 1, masked);
}

void Combine::fold(const Operands& a, const Operands& b, const Operands& into) {
  copy(a, left_, false);
  copy(b, right_, false);
  c_.emit({.run = &run_call, .target = entry_});
  copy(result_, into, true);
}

void Combine::require_whole_warp() { c_.emit({.run = &run_gather, .weight = 1}); }

void Combine::butterfly(const Operands& mine, const std::vector<int>& distances) {
  Operands other = temporaries();
  for (int distance : distances) {
    for (std::size_t i = 0; i < size(); ++i)
      with_width(elems_[i], [&](auto as) {
        using T = typename decltype(as)::type;
        c_.emit({.run = &run_butterfly<T>, .out = other[i], .a = mine[i], .imm = distance});
      });
    fold(mine, other, mine);
  }
}

}  // namespace barline::verify::sim
