// SPDX-License-Identifier: Apache-2.0
// Shadow memory: for each element the accesses that a later one could race with, namely the last
// weak write and, since then, reads and strong writes, grouped by warp and count.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "verify/interp/program.h"

namespace barline::verify::sim {

/// Kinds of access. Strong: atomics, and loads and stores that are relaxed or stronger.
enum class Touch : std::uint8_t {
  None,
  WeakRead,
  StrongRead,
  StrongWrite,
  StrongUpdate,  ///< reads and writes in one step
  WeakWrite
};

/// Lanes of a warp that accessed an element at one count.
struct Stamp {
  std::uint32_t warp = 0;
  std::uint32_t count = 0;  ///< 0: nobody
  Mask who = 0;
  std::uint32_t pc = 0;
  Touch touch = Touch::None;
  bool wide = false;
  std::uint32_t next = 0;  ///< of a list in the pool; 0: the end
  std::uint32_t gate = 0;  ///< 1 + number of the gate that a copy reported to; 0: no such copy
};

/// Why an access is refused.
enum class Refusal : std::uint8_t { None, Race, InFlight, BeingRead, Unfenced, Uninitialised };

class Shadow {
 public:
  /// `writes_only`: reads and strong writes never come.
  Shadow(std::int64_t cells, bool writes_only);

  /// Records an access of one lane; on refusal `conflict` is the access it conflicts with.
  /// (Defined in shadow_touch.h.)
  Refusal touch(const Warp& w, int lane, std::int64_t cell, Touch touch, bool wide);

  void require_order(bool on) { races_ = on; }
  bool orders() const { return races_; }
  void require_writes(bool on) { initialised_ = on; }
  /// Forgets everything up to a count: the memory is fresh.
  void reborn(std::uint32_t count) {
    birth_ = count;
    reading_ = nullptr;
  }
  void wipe();
  /// An asynchronous copy to the cell is issued: until it lands every touch is refused.
  void take_off(const Warp& w, int lane, std::int64_t cell);
  void land(std::int64_t cell) { flying_[cell].count = 0; }
  /// The same for a copy that reported to a gate: `s` is its write.
  void land(std::int64_t cell, const Stamp& s);
  /// An asynchronous operation of the warp reads the cell until `end_read`: writes are refused.
  void begin_read(const Warp& w, std::int64_t cell);
  void end_read(std::int64_t cell) { --reading_[cell].count; }
  /// Refuses what an ordinary store wrote last and no proxy fence shows to asynchronous accesses.
  Refusal async_access(const Warp& w, int lane, std::int64_t cell);

  const Stamp& conflict() const { return conflict_; }
  std::int64_t cells() const { return cells_; }
  /// The last write of a cell, or null.
  const Stamp* last_write(std::int64_t cell) const;
  /// Any access to a cell, writes first, or null.
  const Stamp* any_access(std::int64_t cell) const;

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  using Cells = std::unique_ptr<Stamp[], Free>;  // zeroed pages that cost nothing until touched

  static bool ordered(const Warp& w, int lane, const Stamp& s);
  static bool known(const Warp& w, int lane, const Stamp& s);
  static void stamp(const Warp& w, int lane, Stamp& s, Touch touch, bool wide);
  Refusal touch_others(const Warp& w, int lane, std::int64_t cell, Touch touch, bool wide);
  void record(const Warp& w, int lane, Stamp& head, Touch touch, bool wide);
  void forget(Stamp& head);
  Refusal refuse(const Stamp& s, Refusal why = Refusal::Race) {
    conflict_ = s;
    return why;
  }
  static Cells allocate(std::int64_t n) {
    return Cells(static_cast<Stamp*>(std::calloc(static_cast<std::size_t>(n) + 1, sizeof(Stamp))));
  }

  std::int64_t cells_;
  Cells writes_;
  Cells others_;
  Cells flying_;   ///< copies in flight; null where there was none
  Cells reading_;  ///< asynchronous reads in flight, their number as the count; likewise
  std::vector<Stamp> pool_{1};
  std::vector<std::uint32_t> free_;
  std::uint32_t birth_ = 0;
  bool races_ = true;
  bool initialised_ = false;
  Stamp conflict_;
};

}  // namespace barline::verify::sim
