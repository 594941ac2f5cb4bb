// SPDX-License-Identifier: Apache-2.0
// The common case of an access to shadow memory, inline: no access but the last write and this
// thread's warp stand in the way.
#pragma once

#include "verify/interp/machine.h"
#include "verify/interp/shadow.h"

namespace barline::verify::sim {

inline bool Shadow::ordered(const Warp& w, int lane, const Stamp& s) {
  bool own = s.warp == w.id && !s.gate;  // a copy happens in nobody's program order
  if (own && (s.count <= w.floor || (s.who & ~(Mask{1} << lane)) == 0)) return true;
  auto warps = static_cast<std::uint32_t>(w.block->warps.size());
  if (s.warp - w.block->first_warp < warps && s.count <= w.block->floor) return true;
  if (!w.block->has_clocks || !w.sync[lane].known) return false;
  return known(w, lane, s);
}

inline void Shadow::stamp(const Warp& w, int lane, Stamp& s, Touch touch, bool wide) {
  s = {w.id, w.count[lane], Mask{1} << lane, w.pc - 1, touch, wide, 0, 0};
}

inline Refusal Shadow::touch(const Warp& w, int lane, std::int64_t cell, Touch touch, bool wide) {
  if (flying_ && races_ && flying_[cell].count) return refuse(flying_[cell], Refusal::InFlight);
  if (reading_ && races_ && reading_[cell].count && touch >= Touch::StrongWrite)
    return refuse(reading_[cell], Refusal::BeingRead);
  Stamp& write = writes_[cell];
  bool written = write.count > birth_;
  if (!races_ && touch == Touch::WeakRead && (written || !initialised_)) return Refusal::None;
  if (races_ && written && !ordered(w, lane, write)) return refuse(write);
  if (touch == Touch::WeakWrite && (!others_ || others_[cell].count == 0)) {
    stamp(w, lane, write, touch, wide);
    return Refusal::None;
  }
  if (touch == Touch::WeakRead && others_ && (written || !initialised_)) {
    Stamp& head = others_[cell];
    bool mine = head.warp == w.id && head.count == w.count[lane] && head.touch == touch;
    if (mine && !head.next && head.count > birth_) {  // another lane of the warp was here
      head.who |= Mask{1} << lane;
      return Refusal::None;
    }
    if (head.count <= birth_ && !head.next) {
      stamp(w, lane, head, touch, wide);
      return Refusal::None;
    }
  }
  return touch_others(w, lane, cell, touch, wide);
}

}  // namespace barline::verify::sim
