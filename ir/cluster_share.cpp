// SPDX-License-Identifier: Apache-2.0
#include "ir/cluster_share.h"

#include <algorithm>

#include "ir/fragment.h"
#include "ir/fragment_use.h"

namespace barline::ir {
namespace {

constexpr std::int64_t group_registers = 4;  ///< that are loaded, multiplied and stored together

/// The digit that a share has fewer of: the axis' slowest, of register groups; or the end.
std::vector<Digit>::const_iterator shared_digit(const Layout& whole, int axis) {
  const std::int64_t size = extent_along(whole, axis);
  std::int64_t before = 1;
  for (auto d = whole.digits.begin(); d != whole.digits.end(); ++d) {
    if (d->in != In::Reg) continue;
    if (d->axis == axis && before >= group_registers && d->step * d->extent == size) return d;
    before *= d->extent;
  }
  return whole.digits.end();
}

}  // namespace

std::optional<Layout> share_layout(std::string name, const Layout& whole, int axis, int parts) {
  auto shared = shared_digit(whole, axis);
  if (shared == whole.digits.end() || parts < 1 || shared->extent % parts) return std::nullopt;
  Layout share{std::move(name), {}};
  for (auto d = whole.digits.begin(); d != whole.digits.end(); ++d) {
    share.digits.push_back(*d);
    if (d == shared) share.digits.back().extent /= parts;
    if (share.digits.back().extent == 1) share.digits.pop_back();
  }
  return share;
}

std::optional<int> share_axis(const Layout& whole, const Layout& share, int parts) {
  for (int axis : tile_axes(whole)) {
    std::optional<Layout> wanted = share_layout({}, whole, axis, parts);
    if (wanted && same_places(*wanted, share)) return axis;
  }
  return std::nullopt;
}

std::vector<int> share_registers(const Layout& whole, int axis, int parts, int part) {
  const std::int64_t size = extent_along(whole, axis) / parts;
  std::vector<int> of_part;
  for (int r = 0; r < registers(whole); ++r)
    if (position(whole, axis, r, 0) / size == part) of_part.push_back(r);
  return of_part;
}

}  // namespace barline::ir
