// SPDX-License-Identifier: Apache-2.0
#include "verify/proof/async/clocks.h"

#include <algorithm>
#include <bit>

namespace barline::verify::proof::async {

void join(Row& to, const Row& from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = std::max(to[i], from[i]);
}

Clocks::Clocks(const Components& at) : at_(at), warps_(static_cast<std::size_t>(at.agents)) {
  for (Warp& w : warps_) w.common.assign(static_cast<std::size_t>(at.size()), 0);
}

Row Clocks::publish(int agent, Lanes lanes) const {
  const Warp& w = warps_[agent];
  const Lanes alone = lanes & w.apart;
  Row row = lanes & ~alone ? w.common : w.own[std::countr_zero(alone)];
  for (Lanes left = alone; left; left &= left - 1) join(row, w.own[std::countr_zero(left)]);
  for (Lanes left = lanes; left; left &= left - 1) {
    int l = std::countr_zero(left);
    row[at_.thread(agent) + l] = w.now;
    row[at_.fence(agent) + l] = std::max(row[at_.fence(agent) + l], w.fenced[l]);
    row[at_.landed(agent) + l] = std::max(row[at_.landed(agent) + l], w.landed[l]);
  }
  return row;
}

void Clocks::acquire(int agent, Lanes lanes, const Row& row) {
  Warp& w = warps_[agent];
  if (lanes == all_lanes) {
    join(w.common, row);
    for (Lanes left = w.apart; left; left &= left - 1) join(w.own[std::countr_zero(left)], row);
    return;
  }
  for (Lanes left = lanes; left; left &= left - 1) {
    int l = std::countr_zero(left);
    if (!(w.apart >> l & 1)) {
      w.own[l] = w.common;
      w.apart |= Lanes{1} << l;
    }
    join(w.own[l], row);
  }
}

void Clocks::replace(int agent, Row row) {
  warps_[agent].common = std::move(row);
  warps_[agent].apart = 0;
}

void Clocks::fence(int agent, Lanes lanes) {
  for (int l = 0; l < 32; ++l)
    if (lanes >> l & 1) warps_[agent].fenced[l] = warps_[agent].now;
}

void Clocks::land(int agent, Lanes lanes, std::uint32_t groups) {
  Warp& w = warps_[agent];
  for (int l = 0; l < 32; ++l)
    if (lanes >> l & 1) w.landed[l] = std::max(w.landed[l], groups);
}

void Clocks::finish_matrices(int agent, std::uint32_t groups) {
  Warp& w = warps_[agent];
  auto raise = [&](Row& row) { row[at_.matrix(agent)] = std::max(row[at_.matrix(agent)], groups); };
  raise(w.common);
  for (Lanes left = w.apart; left; left &= left - 1) raise(w.own[std::countr_zero(left)]);
}

bool Clocks::all_know(int agent, int component, std::uint32_t count) const {
  const Warp& w = warps_[agent];
  if (w.apart != all_lanes && w.common[component] < count) return false;
  for (Lanes left = w.apart; left; left &= left - 1)
    if (w.own[std::countr_zero(left)][component] < count) return false;
  return true;
}

}  // namespace barline::verify::proof::async
