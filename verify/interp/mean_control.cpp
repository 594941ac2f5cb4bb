// SPDX-License-Identifier: Apache-2.0
// Structured control flow over masks: a construct saves the mask in a frame, switches lanes off,
// and restores it at its end. Carried values and results are registers written under the mask, so a
// lane that left a loop keeps its own.
#include "verify/interp/elementwise.h"

namespace barline::verify::sim {
namespace {

Mask true_lanes(const Warp& w, Operand condition) {
  const i1_t* c = w.at<i1_t>(condition);
  Mask m = 0;
  for (int l = 0; l < lanes; ++l) m |= Mask{c[l].bits & 1u} << l;
  return m;
}

void run_if(Warp& w, const Inst& i) {
  w.frames.push_back({w.mask, w.pc, 0});
  w.mask &= true_lanes(w, i.a);
  if (!w.mask) w.pc = i.target;
}
void run_else(Warp& w, const Inst& i) {
  w.mask = w.frames.back().saved & ~true_lanes(w, i.a);
  if (!w.mask) w.pc = i.target;
}
void run_end(Warp& w, const Inst&) {
  w.mask = w.frames.back().saved;
  w.frames.pop_back();
}

template <class T>
void run_for(Warp& w, const Inst& i) {
  const T* lo = w.at<T>(i.a);
  const T* step = w.at<T>(i.b);
  for_each_lane(w.mask, [&](int l) {
    if (step[l] <= 0) halt(w, l, FindingKind::Trap, "the step of a for is not positive");
  });
  std::copy(lo, lo + lanes, w.at<T>(i.out));
  w.frames.push_back({w.mask, w.pc, 0});
}
template <class T>
void run_for_test(Warp& w, const Inst& i) {
  const T* index = w.at<T>(i.a);
  const T* hi = w.at<T>(i.b);
  Mask m = 0;
  for (int l = 0; l < lanes; ++l) m |= Mask{index[l] < hi[l]} << l;
  w.mask &= m;
  if (w.mask) return;
  run_end(w, i);
  w.pc = i.target;
}
template <class T>
void run_for_next(Warp& w, const Inst& i) {
  T* index = w.at<T>(i.out);
  const T* step = w.at<T>(i.b);
  for (int l = 0; l < lanes; ++l) index[l] = num::add(index[l], step[l]);
  ++w.frames.back().trip;
  w.pc = i.target;
}

/// imm: the loop waits on memory.
void run_while(Warp& w, const Inst& i) {
  w.frames.push_back({w.mask, w.pc, 0});
  w.spin_depth += static_cast<std::uint32_t>(i.imm);
}
void run_condition(Warp& w, const Inst& i) {
  w.mask &= true_lanes(w, i.a);
  if (w.mask) return;
  w.spin_depth -= static_cast<std::uint32_t>(i.imm);
  run_end(w, i);
  w.pc = i.target;
}
void run_again(Warp& w, const Inst& i) {
  ++w.frames.back().trip;
  w.spins += static_cast<std::uint64_t>(i.imm);
  w.yield = i.imm != 0;
  w.pc = i.target;
}

/// Does the region read memory in a way that another thread's write can end the loop?
bool waits_on_memory(const ir::Region& r) {
  bool waits = false;
  ir::walk(r, [&](const Operation& op) {
    bool strong = op.attr_as<ir::MemOrder>(ir::Key::Order) > ir::MemOrder::Const;
    waits |= op.is(Op::Atomic) || op.is(Op::AtomicCas) || (op.is(Op::Load) && strong);
  });
  return waits;
}

std::vector<Operand> define_all(Compiler& c, const std::vector<ir::ValueId>& values) {
  std::vector<Operand> to;
  for (ir::ValueId v : values) to.push_back(c.define(v));
  return to;
}

template <class T>
void compile_for(Compiler& c, const Operation& op) {
  std::vector<Operand> carried = define_all(c, op.out);
  c.copy_to(std::span(op.in).subspan(3), carried, false);
  const ir::Region& body = op.regions[0];
  Operand index = c.temporary(c.elem(op.in[0]), 1);
  c.bind(body.args[0], index);
  for (std::size_t i = 0; i < carried.size(); ++i) c.bind(body.args[i + 1], carried[i]);
  c.emit({.run = &run_for<T>, .out = index, .a = c.in(op.in[0]), .b = c.in(op.in[2])});
  std::uint32_t test = c.here();
  c.emit({.run = &run_for_test<T>, .a = index, .b = c.in(op.in[1])});
  c.region(body, [&](const Operation& yield) { c.copy_to(yield.in, carried, true); });
  c.emit({.run = &run_for_next<T>, .out = index, .b = c.in(op.in[2]), .target = test});
  c.patch(test);
  c.release(index);
}

}  // namespace

void mean(Tag<Op::If>, Compiler& c, const Operation& op) {
  std::vector<Operand> results = define_all(c, op.out);
  auto end = [&](const Operation& yield) { c.copy_to(yield.in, results, true); };
  std::uint32_t begin = c.emit({.run = &run_if, .a = c.in(op.in[0])});
  c.region(op.regions[0], end);
  c.patch(begin);
  if (op.regions[1].ops.size() > 1 || !op.out.empty()) {
    std::uint32_t otherwise = c.emit({.run = &run_else, .a = c.in(op.in[0])});
    c.region(op.regions[1], end);
    c.patch(otherwise);
  }
  c.emit({.run = &run_end});
}

void mean(Tag<Op::For>, Compiler& c, const Operation& op) {
  with_elem(c.elem(op.in[0]), [&](auto as) {
    using T = typename decltype(as)::type;
    if constexpr (num::Integer<T>)
      compile_for<T>(c, op);
    else
      c.refuse(op, "a for counts in integers");
  });
}

void mean(Tag<Op::While>, Compiler& c, const Operation& op) {
  const ir::Region& head = op.regions[0];
  const ir::Region& body = op.regions[1];
  std::int64_t waits = waits_on_memory(head) || waits_on_memory(body);
  std::vector<Operand> results = define_all(c, op.out);
  for (std::size_t i = 0; i < results.size(); ++i) c.bind(body.args[i], results[i]);
  std::vector<Operand> carried;
  for (std::size_t i = 0; i < op.in.size(); ++i) {
    carried.push_back(c.temporary(c.elem(op.in[i]), c.count(c.type(op.in[i]))));
    c.bind(head.args[i], carried[i]);
  }
  c.copy_to(op.in, carried, false);
  c.emit({.run = &run_while, .imm = waits});
  std::uint32_t again = c.here();
  std::uint32_t test = 0;
  c.region(head, [&](const Operation& condition) {
    c.copy_to(std::span(condition.in).subspan(1), results, true);
    test = c.emit({.run = &run_condition, .a = c.in(condition.in[0]), .imm = waits});
  });
  c.region(body, [&](const Operation& yield) { c.copy_to(yield.in, carried, true); });
  c.emit({.run = &run_again, .target = again, .imm = waits});
  c.patch(test);
  for (Operand o : carried) c.release(o);
}

void mean(Tag<Op::Yield>, Compiler& c, const Operation& op) {
  c.refuse(op, "stands only at the end of a region");
}
void mean(Tag<Op::Condition>, Compiler& c, const Operation& op) {
  c.refuse(op, "stands only at the end of the head of a while");
}

}  // namespace barline::verify::sim
