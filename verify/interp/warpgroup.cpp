// SPDX-License-Identifier: Apache-2.0
#include "verify/interp/warpgroup.h"

#include <fmt/format.h>
#include <algorithm>
#include <utility>

#include "verify/interp/machine.h"
#include "verify/interp/shadow_touch.h"

namespace barline::verify::sim {
namespace {

constexpr std::uint32_t poison = 0xA5A5A5A5;

void put_ticket(Warp& w, Operand at, std::size_t number, std::uint32_t generation) {
  auto* words = w.at<std::uint32_t>(at);
  std::fill_n(words, sums_a_lane * lanes, poison);
  words[0] = static_cast<std::uint32_t>(number);
  w.at<std::uint32_t>(at, 1)[0] = generation;
}

/// The reads of a group that ended are those of lane 0; the warp's other lanes waited with it.
void end_reads(Warp& w, const std::vector<AsyncRead>& reads, std::size_t n) {
  const std::uint32_t pc = w.pc;
  for (std::size_t i = 0; i < n; ++i) {
    const AsyncRead& r = reads[i];
    w.pc = r.pc;
    for (std::int64_t cell = r.first_cell; cell < r.first_cell + r.cells; ++cell) {
      r.shadow->end_read(cell);
      r.shadow->touch(w, 0, cell, Touch::WeakRead, false);
    }
  }
  w.pc = pc;
  if (n == 0) return;
  auto ended = std::make_shared<Clock>();
  ended->threads[std::uint64_t{w.id} * lanes] = w.count[0];
  w.count[0] = ++w.block->count;
  learn(w, ~Mask{1}, ended);
}

}  // namespace

Accumulator& ProductsInFlight::take_off(Warp& w, Operand result) {
  Accumulator& a = hand_over(w, result);
  a.group = committed_ + 1;
  return a;
}

Accumulator& ProductsInFlight::hand_over(Warp& w, Operand result) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(table_.size()));
    table_.emplace_back();
  }
  const std::uint32_t number = free_.back();
  free_.pop_back();
  Accumulator& a = table_[number];
  ++a.generation;
  a.live = true;
  a.group = 0;
  put_ticket(w, result, number, a.generation);
  return a;
}

Accumulator& ProductsInFlight::find(Warp& w, Operand at) {
  const std::uint32_t number = *w.at<std::uint32_t>(at), generation = *w.at<std::uint32_t>(at, 1);
  if (number >= table_.size() || !table_[number].live || table_[number].generation != generation)
    halt(w, 0, FindingKind::Protocol,
         "an accumulator is taken that is not in flight: another product, or a wait, took it");
  return table_[number];
}

Accumulator& ProductsInFlight::advance(Warp& w, Operand from, Operand to) {
  Accumulator& a = find(w, from);
  ++a.generation;
  a.group = committed_ + 1;
  put_ticket(w, to, static_cast<std::size_t>(&a - table_.data()), a.generation);
  return a;
}

void ProductsInFlight::give(Warp& w, Operand from, Operand to) {
  Accumulator& a = find(w, from);
  if (a.group > landed_)
    halt(w, 0, FindingKind::Protocol,
         a.group > committed_
             ? std::string("a wait gives an accumulator of a group that no wgmma_commit closed")
             : fmt::format("a wait gives an accumulator that is still in flight: {} groups are, "
                           "and one of them writes it",
                           committed_ - landed_));
  for (std::uint32_t e = 0; e < sums_a_lane; ++e)
    std::copy_n(a.words + e * lanes, lanes, w.at<std::uint32_t>(to, e));
  a.live = false;
  free_.push_back(static_cast<std::uint32_t>(&a - table_.data()));
}

void ProductsInFlight::join_group(Warp& w, std::uint64_t what) {
  if (!fenced_)
    halt(w, 0, FindingKind::Protocol, "no wgmma_fence stands before the first wgmma of this group");
  hash_ = (hash_ ^ what) * 0x100000001B3 + w.pc;
}

void ProductsInFlight::commit(Warp& w) {
  auto& log = w.block->product_groups[w.index / warps_a_group];
  if (log.size() == committed_)
    log.push_back(hash_);
  else if (log[committed_] != hash_)
    halt(w, 0, FindingKind::BarrierDivergence,
         "the warps of a warpgroup do not execute the same wgmmas on the same slots");
  ++committed_;
  hash_ = 0;
  fenced_ = false;
  ends_.push_back(reads_.size());
}

void ProductsInFlight::wait(Warp& w, std::size_t pending) {
  if (ends_.size() <= pending) return;
  const std::size_t closed = ends_.size() - pending, end = ends_[closed - 1];
  end_reads(w, reads_, end);
  reads_.erase(reads_.begin(), reads_.begin() + static_cast<std::ptrdiff_t>(end));
  ends_.erase(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(closed));
  for (std::size_t& e : ends_) e -= end;
  landed_ += closed;
}

void ProductsInFlight::require_together(const Warp& w) const {
  if (w.block->product_groups[w.index / warps_a_group].size() == committed_) return;
  halt(w, 0, FindingKind::BarrierDivergence,
       "a warp ends, and another of its warpgroup executed more groups of wgmmas");
}

void ProductsInFlight::drop() { *this = {}; }

}  // namespace barline::verify::sim
