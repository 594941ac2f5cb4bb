// SPDX-License-Identifier: Apache-2.0
// Memory as the proof sees it: no contents, only who touched what. Shared memory is kept element by
// element for one block, global memory in pages over the blocks replayed one after the other.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "verify/proof/cell.h"
#include "verify/proof/value.h"

namespace barline::verify::proof {

/// Accesses of all kinds to a whole buffer, for those whose index is not known.
struct AnyGroup {
  std::array<Group, 4> of;  ///< by Touch

  /// An access of the group that `now` would race with if both meet one element.
  const Entry* conflict(const Entry& now, Touch kind) const;
  void add(const Entry& now, Touch kind) { of[static_cast<int>(kind)].add(now); }
};

/// An asynchronous copy to a cell: in flight until its thread has waited for its group.
struct Flight {
  Entry issue;              ///< op -1: none
  std::uint32_t group = 0;  ///< groups that the thread had closed before
};

/// One slot of one block. Cells are elements, or bytes where elements are smaller.
class SlotMemory {
 public:
  SlotMemory(const ir::Slot& slot, bool strong, bool async);

  std::int64_t cells_per_copy() const { return per_copy_; }
  /// First and last cell of `lanes` elements from `element` on.
  std::pair<std::int64_t, std::int64_t> cells(std::int64_t copy, std::int64_t element,
                                              int lanes) const {
    if (bits_ >= 8) return {copy * per_copy_ + element, copy * per_copy_ + element + lanes - 1};
    return {copy * per_copy_ + element * bits_ / 8,
            copy * per_copy_ + ((element + lanes) * bits_ - 1) / 8};
  }
  const Entry* touch(std::int64_t cell, const Entry& now, Touch kind) {
    Cell& c = cells_[cell];
    return proof::touch(c.writer, &c.readers, strong_.empty() ? nullptr : &strong_[cell], now,
                        kind);
  }
  bool simple() const { return strong_.empty(); }
  Cell& cell(std::int64_t cell) { return cells_[cell]; }
  std::uint8_t& written(std::int64_t cell) { return cells_[cell].written; }
  /// The last copy to each cell; empty where no copy goes to the slot.
  std::vector<Flight>& flights() { return flights_; }
  /// The least initialised of a copy's cells: No, Maybe or Yes. copy < 0: of all copies.
  std::int64_t least_written(std::int64_t copy, std::int64_t from, std::int64_t to) const;

  AnyGroup any;      ///< every access, kept only if the slot has unknown indices
  AnyGroup unknown;  ///< those at unknown indices

 private:
  int bits_;
  std::int64_t per_copy_;
  std::vector<Cell> cells_;
  std::vector<StrongCell> strong_;
  std::vector<Flight> flights_;
};

/// Accesses of one kind by blocks: two different ones.
struct BlockGroup {
  Entry e[2];
  void add(const Entry& now) {
    if (!e[0].epoch || (e[0].block == now.block && e[0].possible))
      e[0] = now;
    else if (e[0].block != now.block && !e[1].epoch)
      e[1] = now;
  }
  const Entry* other(const Entry& now) const {
    for (const Entry& old : e)
      if (old.epoch && old.block != now.block) return &old;
    return nullptr;
  }
};

/// A tensor that the kernel writes. Parts that only some kernels need are kept apart.
class TensorMemory {
 public:
  TensorMemory(bool read, bool strong) : read_(read), strong_(strong) {}

  struct Hits {
    const Entry* same = nullptr;  ///< the earlier access of the same block that this one races with
    const Entry* other = nullptr;  ///< likewise of another block
  };
  /// Records the access. `device`: a strong access is strong towards other blocks too.
  Hits touch(std::int64_t element, const Entry& now, Touch kind, bool device);

 private:
  static constexpr std::int64_t page_size = 512;
  struct Reads {
    Group within;
    BlockGroup blocks;
  };
  struct Strong {
    StrongCell within;
    BlockGroup of[4];  ///< by Touch, as other blocks see them
  };
  struct Page {
    std::array<Entry, page_size> writers;
    std::unique_ptr<std::array<Reads, page_size>> reads;
    std::unique_ptr<std::array<Strong, page_size>> strong;
  };
  Page& page(std::int64_t element);

  bool read_, strong_;
  std::unordered_map<std::int64_t, std::unique_ptr<Page>> pages_;
  std::int64_t last_index_ = -1;
  Page* last_ = nullptr;
  Entry other_;  ///< what Hits::other points to
};

}  // namespace barline::verify::proof
