// SPDX-License-Identifier: Apache-2.0
#include "dsl/thread.h"

#include <fmt/format.h>

namespace barline::dsl {
namespace {

using ir::Diag;
using ir::Key;
using ir::Op;

const std::vector<Value> nothing;

template <class Enum>
ir::Attr attr(Key key, Enum value) {
  return {key, static_cast<std::int64_t>(value), {}};
}

Value as_index(Body& b, const Operand& index) {
  return index.in(b, index.own_elem().value_or(s32));
}

}  // namespace

Dim3 Thread::ids(Op op, const ir::Loc& loc) {
  auto id = [&](int dim) { return emit(op, nothing, loc, {attr(Key::Dim, dim)}); };
  return {id(0), id(1), id(2)};
}

Dim3 Thread::thread(Here here) { return ids(Op::ThreadId, here); }
Dim3 Thread::block(Here here) { return ids(Op::BlockId, here); }
Dim3 Thread::grid(Here here) { return ids(Op::GridDim, here); }
Value Thread::rank(Here here) { return emit(Op::ThreadRank, nothing, here); }
Value Thread::lane(Here here) { return emit(Op::LaneId, nothing, here); }
Value Thread::warp(Here here) { return emit(Op::WarpId, nothing, here); }

std::vector<ir::Attr> Thread::attrs_of(const AccessOptions& o) {
  std::vector<ir::Attr> attrs;
  if (o.order != MemOrder::Weak) attrs.push_back(attr(Key::Order, o.order));
  bool scoped = o.order != MemOrder::Weak && o.order != MemOrder::Const;
  if (scoped) attrs.push_back(attr(Key::Scope, o.scope));
  if (o.cache != CacheHint::All) attrs.push_back(attr(Key::Cache, o.cache));
  return attrs;
}

Value Thread::index_of(const Place& place) {
  for (const Coord& c : place.coords)
    if (std::holds_alternative<All>(c) || std::holds_alternative<Part>(c))
      ir::fail(Diag::WrongRank, place.loc,
               fmt::format("a whole axis of '{}' in a thread's access", place.tensor->name),
               "name an index on every axis");
  return offset(place);
}

Value Thread::load(const Place& p, AccessOptions o) {
  return emit(Op::Load, ir::scalar(p.tensor->elem), {root(*p.tensor, p.loc), index_of(p)}, p.loc,
              attrs_of(o));
}

void Thread::store(const Place& p, Operand value, AccessOptions o) {
  act(Op::Store, {root(*p.tensor, p.loc), index_of(p), value.in(*this, p.tensor->elem)}, p.loc,
      attrs_of(o));
}

Value Thread::load_if(Operand active, const Place& p, AccessOptions o) {
  return emit(Op::Load, ir::scalar(p.tensor->elem),
              {root(*p.tensor, p.loc), index_of(p), active.in(*this, i1)}, p.loc, attrs_of(o));
}

void Thread::store_if(Operand active, const Place& p, Operand value, AccessOptions o) {
  act(Op::Store,
      {root(*p.tensor, p.loc), index_of(p), value.in(*this, p.tensor->elem), active.in(*this, i1)},
      p.loc, attrs_of(o));
}

void Thread::prefetch(const Place& p) {
  act(Op::Prefetch, {root(*p.tensor, p.loc), index_of(p)}, p.loc);
}

void Thread::prefetch_if(Operand active, const Place& p) {
  act(Op::Prefetch, {root(*p.tensor, p.loc), index_of(p), active.in(*this, i1)}, p.loc);
}

void Thread::check_lanes(const Place& p, int lanes) const {
  bool power = lanes == 2 || lanes == 4 || lanes == 8 || lanes == 16;
  if (!power || lanes * ir::bits(p.tensor->elem) > 128)
    ir::fail(Diag::BadCall, p.loc,
             fmt::format("a vector of {} elements of {}", lanes, ir::name(p.tensor->elem)),
             "use 2, 4, 8 or 16 elements, at most 16 bytes");
}

Vec Thread::load_vec(const Place& p, int lanes, AccessOptions o) {
  check_lanes(p, lanes);
  Value v = emit(Op::Load, ir::vector(p.tensor->elem, lanes), {root(*p.tensor, p.loc), index_of(p)},
                 p.loc, attrs_of(o));
  Vec out;
  for (int i = 0; i < lanes; ++i)
    out.elements.push_back(
        emit(Op::Extract, ir::scalar(p.tensor->elem), {v}, p.loc, {attr(Key::Index, i)}));
  return out;
}

void Thread::store_vec(const Place& p, const Vec& value, AccessOptions o) {
  check_lanes(p, static_cast<int>(value.size()));
  ir::Type type = ir::vector(p.tensor->elem, static_cast<int>(value.size()));
  Value packed = emit(Op::Pack, type, value.elements, p.loc);
  act(Op::Store, {root(*p.tensor, p.loc), index_of(p), packed}, p.loc, attrs_of(o));
}

Value Thread::atomic(ir::RmwKind kind, const Place& p, Operand value, AccessOptions o) {
  auto attrs = attrs_of(o);
  attrs.push_back(attr(Key::Rmw, kind));
  return emit(Op::Atomic, {root(*p.tensor, p.loc), index_of(p), value.in(*this, p.tensor->elem)},
              p.loc, attrs);
}

Value Thread::atomic_cas(const Place& p, Operand expected, Operand value, AccessOptions o) {
  Elem e = p.tensor->elem;
  return emit(Op::AtomicCas,
              {root(*p.tensor, p.loc), index_of(p), expected.in(*this, e), value.in(*this, e)},
              p.loc, attrs_of(o));
}

void Thread::fence(MemScope scope, Here here) {
  act(Op::Fence, nothing, here, {attr(Key::Scope, scope)});
}

void Thread::flag_signal(const Place& flag) {
  atomic(ir::RmwKind::Add, flag, {1, flag.loc}, {.order = MemOrder::Release});
}

void Thread::flag_wait(const Place& flag, Operand target) {
  Value least = target.in(*this, flag.tensor->elem);
  auto behind = [&] {
    Value now = load(flag, {.order = MemOrder::Acquire});
    return compare(ir::Compare::Lt, {now, flag.loc}, {least, flag.loc});
  };
  loop_while(
      behind, [] {}, flag.loc);
}

Shared Thread::shared(std::string name, Elem elem, std::int64_t extent, int copies, Here here) {
  for (const ir::Slot& s : kernel_.slots)
    if (s.name == name)
      ir::fail(Diag::SlotMisuse, here, fmt::format("two slots '{}'", name),
               "declare a slot once, under a name of its own");
  if (extent < 1 || copies < 1)
    ir::fail(Diag::SlotMisuse, here,
             fmt::format("slot '{}' of {} elements x {}", name, extent, copies),
             "give it a positive extent");
  ir::ValueId id = kernel_.new_value(ir::pointer(elem, ir::Space::Shared), name);
  kernel_.slots.push_back({name, elem, extent, copies, id, here});
  return {std::move(name), elem, extent, copies, Value{*this, id}};
}

void Thread::check_slot(const Shared& slot, const ir::Loc& loc) {
  if (slot.root.id() == ir::no_value || &slot.root.body() != this)
    ir::fail(Diag::SlotMisuse, loc, fmt::format("slot '{}' of another kernel", slot.name),
             "declare it in this body with shared()");
  own(slot.root, loc);
}

/// An index that the host knows; what the device computes is the proof's and the simulator's.
void Thread::check_index(const Shared& slot, const Operand& index) const {
  std::optional<std::int64_t> i = index.whole();
  if (i && (*i < 0 || *i >= slot.extent))
    ir::fail(Diag::SlotMisuse, index.loc(),
             fmt::format("element {} of slot '{}' of {}", *i, slot.name, slot.extent),
             "stay within the slot's extent, or declare it larger");
}

Value Thread::load(const Shared& slot, Operand index) {
  check_slot(slot, index.loc());
  check_index(slot, index);
  return emit(Op::Load, ir::scalar(slot.elem), {slot.root, as_index(*this, index)}, index.loc());
}

void Thread::store(const Shared& slot, Operand index, Operand value) {
  check_slot(slot, index.loc());
  check_index(slot, index);
  Value v = value.in(*this, slot.elem);
  if (v.elem() != slot.elem)
    ir::fail(Diag::SlotMisuse, index.loc(),
             fmt::format("a {} stored in slot '{}' of {}", ir::name(v.elem()), slot.name,
                         ir::name(slot.elem)),
             fmt::format("convert it: .to({})", ir::name(slot.elem)));
  act(Op::Store, {slot.root, as_index(*this, index), v}, index.loc());
}

Value Thread::atomic(ir::RmwKind kind, const Shared& slot, Operand index, Operand value) {
  check_slot(slot, index.loc());
  check_index(slot, index);
  std::vector<ir::Attr> attrs{attr(Key::Rmw, kind), attr(Key::Order, MemOrder::Relaxed),
                              attr(Key::Scope, MemScope::Cta)};
  return emit(Op::Atomic, {slot.root, as_index(*this, index), value.in(*this, slot.elem)},
              index.loc(), attrs);
}

Shared Thread::at_use(const Shared& slot, Operand use) {
  check_slot(slot, use.loc());
  Shared copy = slot;
  copy.root = emit(Op::SlotAt, {slot.root, use.in(*this, s32)}, use.loc());
  return copy;
}

Value Thread::shuffle(ir::ShuffleMode mode, Operand value, Operand lane) {
  Value v = value.in(*this, value.own_elem().value_or(f32));
  return emit(Op::Shuffle, {v, lane.in(*this, s32)}, value.loc(), {attr(Key::Mode, mode)});
}

namespace {
Value vote(Body& b, ir::VoteMode mode, Elem result, const Operand& p) {
  return b.emit(Op::Vote, ir::scalar(result), {p.in(b, i1)}, p.loc(), {attr(Key::Vote, mode)});
}
}  // namespace

Value Thread::all_of(Operand p) { return vote(*this, ir::VoteMode::All, i1, p); }
Value Thread::any_of(Operand p) { return vote(*this, ir::VoteMode::Any, i1, p); }
Value Thread::ballot(Operand p) { return vote(*this, ir::VoteMode::Ballot, u32, p); }
void Thread::warp_sync(Here here) { act(Op::WarpSync, nothing, here); }

}  // namespace barline::dsl
