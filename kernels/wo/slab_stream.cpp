// SPDX-License-Identifier: Apache-2.0
#include "kernels/wo/slab_stream.h"

#include <algorithm>

#include "kernels/wo/words.h"

namespace barline::kernels {

using namespace dsl;

SlabStream::SlabStream(Thread& t, const In& w, const Slabs& slabs, const Value& block)
    : t_(t), w_(w), slabs_(slabs), block_(block), lane_(t.warp() * 32 + t.lane()) {}

int SlabStream::ahead() const {
  constexpr int usually = 4;
  for (const ir::Stream& s : t_.schedule().streams)
    if (s.of == w_.name) return s.ahead;
  return usually;
}

void SlabStream::start() {
  for (int slab = 0; slab < std::min<std::int64_t>(ahead(), slabs_.count); ++slab) load();
}

void SlabStream::advance(int slab) {
  if (slab + ahead() >= slabs_.count) return;
  load();
  t_.warp_sync();  // ptxas keeps the loads ahead of what follows
}

/// A run's scales come with its first slab. Two lanes share the word of a run of one.
void SlabStream::load() {
  const ir::Loc loc = Here::current();
  const auto slab = static_cast<std::int64_t>(codes_.size());
  const Slabs::Run run = slabs_.run_of(slab);
  if (slab == run.first) {
    const int words = static_cast<int>(run.slabs / 2);
    Value at = words == 0 ? lane_ / 2 : lane_ * words;
    scales_.push_back(load(at, slabs_.scales_at(run), std::max(words, 1), loc));
  } else {
    scales_.push_back(scales_.back());
  }
  constexpr int words = Slabs::lane_words;
  codes_.push_back(load(lane_ * words, slabs_.codes_at(slab), words, loc));
}

/// No grid writes weights, and each is read once. Const loads that no wait holds back would be sunk
/// to their use. The distance stands in the instruction: an address would cost four more.
Value SlabStream::load(const Value& at, std::int64_t distance, int lanes, const ir::Loc& loc) {
  const bool waits = t_.schedule().budget.beside_next;
  const auto order = waits ? ir::MemOrder::Const : ir::MemOrder::Weak;
  return t_.emit(ir::Op::Load, lanes == 1 ? ir::scalar(u32) : ir::vector(u32, lanes),
                 {t_.root(w_, loc), t_.offset(w_(block_, at))}, loc,
                 {{ir::Key::Offset, distance, {}},
                  {ir::Key::Order, static_cast<std::int64_t>(order), {}},
                  {ir::Key::Cache, static_cast<std::int64_t>(CacheHint::NoAllocate), {}}});
}

Value SlabStream::codes(int slab, int word) { return element(codes_.at(slab), word); }

Value SlabStream::scale(int slab, int group) {
  constexpr int groups = 2;
  const Slabs::Run run = slabs_.run_of(slab);
  const int byte = static_cast<int>(slab - run.first) * groups + group;
  const Value& scales = scales_.at(slab);
  if (run.slabs == 1) return decode_scale(scales, (lane_ % 2 * groups + byte).to(u32));
  Value word = run.slabs == 2 ? scales : element(scales, byte / 4);
  return decode_scale(word, t_.constant(u32, byte % 4));
}

Value SlabStream::element(const Value& v, int i) {
  return t_.emit(ir::Op::Extract, ir::scalar(u32), {v}, Here::current(), {{ir::Key::Index, i, {}}});
}

}  // namespace barline::kernels
