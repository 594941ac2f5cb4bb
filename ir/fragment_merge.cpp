// SPDX-License-Identifier: Apache-2.0
#include "ir/fragment_merge.h"

#include <algorithm>
#include <optional>

#include "ir/fragment_use.h"

namespace barline::ir {
namespace {

/// Registers that form a group: those of the first digits, up to this product.
std::int64_t group_registers(const Layout& l) { return tile_axes(l).size() == 2 ? 4 : 1; }

/// A register digit past the group, and how much of it goes to warps.
struct Share {
  Digit digit;
  std::int64_t step = 1;   ///< in groups
  std::int64_t taken = 1;  ///< divides the extent
};

std::vector<Share> shares_of(const Layout& l) {
  std::vector<Share> shares;
  std::int64_t inside = group_registers(l), groups = 1;
  for (const Digit& d : l.digits) {
    if (d.in != In::Reg) continue;
    if (inside > 1) {
      inside /= d.extent;  // a group's digits are whole ones
      continue;
    }
    shares.push_back({d, groups, 1});
    groups *= d.extent;
  }
  return shares;
}

/// The largest product, at most `room`, of a divisor of each extent from `i` on.
std::int64_t spread(std::vector<Share>& shares, std::size_t i, std::int64_t room) {
  if (i == shares.size()) return 1;
  std::int64_t best = 0;
  std::vector<Share> kept = shares;
  for (std::int64_t t = std::min(room, shares[i].digit.extent); t >= 1; --t) {
    if (shares[i].digit.extent % t) continue;
    std::vector<Share> tried = shares;
    tried[i].taken = t;
    std::int64_t product = t * spread(tried, i + 1, room / t);
    if (product <= best) continue;
    best = product;
    kept = std::move(tried);
  }
  shares = std::move(kept);
  return best;
}

std::vector<Share> spread_shares(const Layout& l, int parts) {
  std::vector<Share> shares = shares_of(l);
  spread(shares, 0, parts);
  return shares;
}

const Digit* slowest_warps(const Layout& l) {
  const Digit* last = nullptr;
  for (const Digit& d : l.digits)
    if (d.in == In::Warp) last = &d;
  return last;
}

}  // namespace

bool has_parts(const Layout& l, int parts) {
  const Digit* d = slowest_warps(l);
  return d && d->extent == parts && d->step == 0;
}

Layout merged_layout(std::string name, const Layout& from, int parts) {
  const std::vector<Share> shares = spread_shares(from, parts);
  const Digit* of_parts = slowest_warps(from);
  Layout to{std::move(name), {}};
  std::int64_t taken = 1;
  std::size_t next = 0;
  std::int64_t inside = group_registers(from);
  for (const Digit& d : from.digits) {
    if (d.in == In::Warp) continue;
    if (d.in != In::Reg || inside > 1) {
      if (d.in == In::Reg) inside /= d.extent;
      to.digits.push_back(d);
      continue;
    }
    const Share& s = shares[next++];
    taken *= s.taken;
    if (d.extent > s.taken)
      to.digits.push_back({In::Reg, d.extent / s.taken, d.axis, d.step * s.taken});
  }
  for (const Digit& d : from.digits)
    if (d.in == In::Warp && &d != of_parts) to.digits.push_back(d);
  for (const Share& s : shares)
    if (s.taken > 1) to.digits.push_back({In::Warp, s.taken, s.digit.axis, s.digit.step});
  std::int64_t again = (parts + taken - 1) / taken;
  if (again > 1) to.digits.push_back({In::Warp, again, of_parts->axis, 0});
  return to;
}

MergePlan merge_plan(const Layout& from, int parts) {
  MergePlan plan{
      .placed = extent(from.digits, In::Warp) / parts, .digits = {}, .of_registers = {0}};
  for (const Share& s : spread_shares(from, parts)) {
    if (s.taken > 1) plan.digits.push_back({s.taken, s.step});
    std::vector<std::int64_t> before = std::move(plan.of_registers);
    plan.of_registers.clear();
    for (std::int64_t i = 0; i < s.digit.extent / s.taken; ++i)
      for (std::int64_t at : before) plan.of_registers.push_back(at + i * s.taken * s.step);
  }
  return plan;
}

}  // namespace barline::ir
