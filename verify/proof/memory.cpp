// SPDX-License-Identifier: Apache-2.0
#include "verify/proof/memory.h"

#include <algorithm>

namespace barline::verify::proof {

const Entry* AnyGroup::conflict(const Entry& now, Touch kind) const {
  const Entry* found = nullptr;
  for (int other = 0; other < 4; ++other)
    if (conflicting(kind, static_cast<Touch>(other)))
      found = first_of(found, of[other].conflict(now));
  return found;
}

SlotMemory::SlotMemory(const ir::Slot& slot, bool strong, bool async)
    : bits_(slot.elem == ir::Elem::I1 ? 8 : ir::bits(slot.elem)),
      per_copy_(bits_ >= 8 ? slot.extent : (slot.extent * bits_ + 7) / 8),
      cells_(static_cast<std::size_t>(per_copy_ * slot.copies)),
      strong_(strong ? cells_.size() : 0),
      flights_(async ? cells_.size() : 0) {}

std::int64_t SlotMemory::least_written(std::int64_t copy, std::int64_t from,
                                       std::int64_t to) const {
  std::int64_t copies = static_cast<std::int64_t>(cells_.size()) / per_copy_, least = Yes;
  for (std::int64_t c = copy < 0 ? 0 : copy; c < (copy < 0 ? copies : copy + 1); ++c)
    for (std::int64_t i = from; i <= to; ++i) {
      std::uint8_t w = cells_[c * per_copy_ + i].written;
      if (w == No) return No;
      if (w == Maybe) least = Maybe;
    }
  return least;
}

TensorMemory::Page& TensorMemory::page(std::int64_t element) {
  std::int64_t index = element / page_size;
  if (index != last_index_) {
    auto& p = pages_[index];
    if (!p) {
      p = std::make_unique<Page>();
      if (read_) p->reads = std::make_unique<std::array<Reads, page_size>>();
      if (strong_) p->strong = std::make_unique<std::array<Strong, page_size>>();
    }
    last_index_ = index;
    last_ = p.get();
  }
  return *last_;
}

TensorMemory::Hits TensorMemory::touch(std::int64_t element, const Entry& now, Touch kind,
                                       bool device) {
  Page& p = page(element);
  std::int64_t i = element % page_size;
  Entry& writer = p.writers[i];
  Reads* reads = p.reads ? &(*p.reads)[i] : nullptr;
  Strong* strong = p.strong ? &(*p.strong)[i] : nullptr;
  Touch outside = kind;  // towards other blocks, a strong access of block scope is a weak one
  if (!device && is_strong(kind)) outside = is_write(kind) ? Touch::Write : Touch::Read;
  const Entry* other = nullptr;
  if (writer.epoch && writer.block != now.block && conflicting(outside, Touch::Write))
    other = &writer;
  if (!other && reads && is_write(outside)) other = reads->blocks.other(now);
  for (int k = 0; k < 4 && strong && !other; ++k)
    if (conflicting(outside, static_cast<Touch>(k))) other = strong->of[k].other(now);
  Hits hits;
  if (other) {
    other_ = *other;  // the entry itself may be overwritten below
    hits.other = &other_;
  } else if (is_strong(kind)) {
    strong->of[static_cast<int>(outside)].add(now);
  } else if (kind == Touch::Read) {
    reads->blocks.add(now);
  }
  hits.same = proof::touch(writer, reads ? &reads->within : nullptr,
                           strong ? &strong->within : nullptr, now, kind);
  return hits;
}

}  // namespace barline::verify::proof
