// SPDX-License-Identifier: Apache-2.0
// What may be forgotten: an access B replaces an earlier A that happened before it if whatever
// conflicts with A conflicts with B; a race with A would then be found as a race with B.
#include "verify/interp/shadow.h"

#include "verify/interp/shadow_touch.h"

namespace barline::verify::sim {
namespace {

bool is_write(Touch t) { return t >= Touch::StrongWrite; }
bool is_strong(Touch t) { return t > Touch::WeakRead && t < Touch::WeakWrite; }
bool is_read(Touch t) { return t < Touch::StrongWrite || t == Touch::StrongUpdate; }

/// Two accesses of one element that need an order between them.
bool conflicts(const Stamp& s, Touch touch, bool wide, bool same_block) {
  if (!is_write(s.touch) && !is_write(touch)) return false;
  bool both_strong = is_strong(s.touch) && is_strong(touch);
  return !both_strong || !(same_block || (s.wide && wide));
}

/// Every later access that conflicts with `old` conflicts with `fresh` as well.
bool replaces(Touch fresh, bool fresh_wide, const Stamp& old) {
  if (fresh_wide != old.wide && is_strong(fresh)) return false;
  return old.touch == fresh || old.touch == Touch::StrongRead;
}

}  // namespace

Shadow::Shadow(std::int64_t cells, bool writes_only)
    : cells_(cells), writes_(allocate(cells)), others_(writes_only ? nullptr : allocate(cells)) {}

/// Neighbouring cells were mostly written and read together: what was asked is remembered.
bool Shadow::known(const Warp& w, int lane, const Stamp& s) {
  const SharedClock& clock = w.sync[lane].known;
  Mask others = s.warp == w.id && !s.gate ? s.who & ~(Mask{1} << lane) : s.who;
  OrderMemo& memo = w.order_memo[(s.warp + s.count + s.gate) % std::size(w.order_memo)];
  bool asked = memo.clock == clock && memo.warp == s.warp && memo.count == s.count &&
               memo.who == others && memo.gate == s.gate;
  if (asked) return memo.known;
  auto warps = static_cast<std::uint32_t>(w.block->warps.size());
  memo = {clock, s.warp, s.count, others, s.gate, false};
  if (s.gate) {
    auto at = clock->gates.find(gate_key(s.warp / warps, s.gate - 1));
    memo.known = at != clock->gates.end() && at->second >= s.count;
  } else {
    memo.known = clock->covers(s.warp, s.count, others, warps);
  }
  return memo.known;
}

void Shadow::land(std::int64_t cell, const Stamp& s) {
  flying_[cell].count = 0;
  writes_[cell] = s;
  if (others_ && others_[cell].count) forget(others_[cell]);
}

void Shadow::begin_read(const Warp& w, std::int64_t cell) {
  if (!reading_) reading_ = allocate(cells_);
  std::uint32_t readers = reading_[cell].count + 1;
  stamp(w, 0, reading_[cell], Touch::WeakRead, false);
  reading_[cell].count = readers;
}

Refusal Shadow::async_access(const Warp& w, int lane, std::int64_t cell) {
  const Stamp& s = writes_[cell];
  if (!races_ || s.count <= birth_ || s.gate) return Refusal::None;
  return proxy_fenced(w, lane, s.warp, s.count, s.who) ? Refusal::None
                                                       : refuse(s, Refusal::Unfenced);
}

void Shadow::wipe() {
  writes_ = allocate(cells_);
  if (others_) others_ = allocate(cells_);
  flying_ = nullptr;
  reading_ = nullptr;
  pool_.resize(1);
  free_.clear();
}

void Shadow::take_off(const Warp& w, int lane, std::int64_t cell) {
  if (!flying_) flying_ = allocate(cells_);
  stamp(w, lane, flying_[cell], Touch::WeakWrite, false);
}

Refusal Shadow::touch_others(const Warp& w, int lane, std::int64_t cell, Touch touch, bool wide) {
  Stamp& write = writes_[cell];
  if (!others_) return Refusal::None;
  Stamp& head = others_[cell];
  bool written = write.count > birth_;
  if (head.count > birth_) {
    for (const Stamp* s = &head;; s = &pool_[s->next]) {
      written |= is_write(s->touch);
      bool same_block = s->warp - w.block->first_warp < w.block->warps.size();
      if (races_ && conflicts(*s, touch, wide, same_block) && !ordered(w, lane, *s))
        return refuse(*s);
      if (!s->next) break;
    }
  }
  if (initialised_ && !written && is_read(touch)) return Refusal::Uninitialised;
  if (touch == Touch::WeakWrite) {
    stamp(w, lane, write, touch, wide);
    if (head.count) forget(head);
  } else {
    record(w, lane, head, touch, wide);
  }
  return Refusal::None;
}

void Shadow::record(const Warp& w, int lane, Stamp& head, Touch touch, bool wide) {
  if (head.count <= birth_) {
    forget(head);
    stamp(w, lane, head, touch, wide);
    return;
  }
  for (Stamp* s = &head;; s = &pool_[s->next]) {
    if (s->warp == w.id && s->count == w.count[lane] && s->touch == touch && s->wide == wide) {
      s->who |= Mask{1} << lane;
      s->pc = w.pc - 1;
      return;
    }
    if (replaces(touch, wide, *s) && ordered(w, lane, *s)) {
      std::uint32_t next = s->next;
      stamp(w, lane, *s, touch, wide);
      s->next = next;
      return;
    }
    if (!s->next) break;
  }
  Stamp fresh;
  stamp(w, lane, fresh, touch, wide);
  fresh.next = head.next;
  std::uint32_t at;
  if (free_.empty()) {
    at = static_cast<std::uint32_t>(pool_.size());
    pool_.push_back(fresh);
  } else {
    at = free_.back();
    free_.pop_back();
    pool_[at] = fresh;
  }
  head.next = at;
}

void Shadow::forget(Stamp& head) {
  for (std::uint32_t n = head.next; n; n = pool_[n].next) free_.push_back(n);
  head = {};
}

const Stamp* Shadow::last_write(std::int64_t cell) const {
  if (writes_[cell].count) return &writes_[cell];
  if (!others_ || !others_[cell].count) return nullptr;
  for (const Stamp* s = &others_[cell];; s = &pool_[s->next]) {
    if (is_write(s->touch)) return s;
    if (!s->next) return nullptr;
  }
}

const Stamp* Shadow::any_access(std::int64_t cell) const {
  if (const Stamp* s = last_write(cell)) return s;
  return others_ && others_[cell].count ? &others_[cell] : nullptr;
}

}  // namespace barline::verify::sim
