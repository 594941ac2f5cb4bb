// SPDX-License-Identifier: Apache-2.0
#include "verify/interp/flight.h"

#include <cstring>
#include <utility>

#include "verify/interp/memory.h"

namespace barline::verify::sim {
namespace {

constexpr int poison = 0xA5;

/// The bytes arrive, as written by the thread that waits: a barrier shows them to others.
void land(Warp& w, const Flight& f) {
  if (f.from)
    std::memcpy(f.to, f.from, static_cast<std::size_t>(f.bytes));
  else
    std::memset(f.to, 0, static_cast<std::size_t>(f.bytes));
  if (!f.shadow) return;
  const std::uint32_t pc = std::exchange(w.pc, f.pc);
  for (std::int64_t cell = f.first_cell; cell < f.first_cell + f.cells; ++cell) {
    f.shadow->land(cell);
    f.shadow->touch(w, f.lane, cell, Touch::WeakWrite, false);
  }
  w.pc = pc;
}

}  // namespace

void take_off(const Warp& w, const Flight& f) {
  std::memset(f.to, poison, static_cast<std::size_t>(f.bytes));
  for (std::int64_t cell = f.first_cell; f.shadow && cell < f.first_cell + f.cells; ++cell)
    f.shadow->take_off(w, f.lane, cell);
}

void Flights::issue(const Warp& w, const Flight& f) {
  take_off(w, f);
  flights_.push_back(f);
}

void Flights::wait(Warp& w, std::size_t pending) {
  if (groups_.size() <= pending) return;
  const std::size_t closed = groups_.size() - pending, end = groups_[closed - 1];
  for (std::size_t i = 0; i < end; ++i) land(w, flights_[i]);
  flights_.erase(flights_.begin(), flights_.begin() + static_cast<std::ptrdiff_t>(end));
  groups_.erase(groups_.begin(), groups_.begin() + static_cast<std::ptrdiff_t>(closed));
  for (std::size_t& g : groups_) g -= end;
}

void Flights::drop() {
  for (const Flight& f : flights_)
    for (std::int64_t cell = f.first_cell; f.shadow && cell < f.first_cell + f.cells; ++cell)
      f.shadow->land(cell);
  flights_.clear();
  groups_.clear();
}

}  // namespace barline::verify::sim
