// SPDX-License-Identifier: Apache-2.0
#include "ir/layout.h"

#include <algorithm>
#include <set>

namespace barline::ir {
namespace {

constexpr std::string_view in_names[] = {"bit",  "word", "reg", "lane", "slab",
                                         "unit", "warp", "cta", "row",  "chunk"};

/// Digits of `axis` with their position in the list, largest step first.
std::vector<Digit> by_step(std::span<const Digit> layout, int axis) {
  std::vector<Digit> digits;
  for (const Digit& d : layout)
    if (d.axis == axis) digits.push_back(d);
  std::stable_sort(digits.begin(), digits.end(),
                   [](const Digit& a, const Digit& b) { return a.step > b.step; });
  return digits;
}

/// What one unit of digit `d` weighs in the coordinate it reads: the product of the extents of the
/// digits of the same coordinate that stand before it.
std::int64_t weight(std::span<const Digit> layout, const Digit& d) {
  std::int64_t w = 1;
  for (const Digit& other : layout) {
    if (&other == &d || other == d) return w;
    if (other.in == d.in) w *= std::max<std::int64_t>(other.extent, 1);
  }
  return w;
}

}  // namespace

std::string_view name(In in) { return in_names[static_cast<int>(in)]; }

std::optional<In> parse_in(std::string_view text) {
  for (int i = 0; i < 10; ++i)
    if (in_names[i] == text) return static_cast<In>(i);
  return std::nullopt;
}

std::int64_t evaluate(std::span<const Digit> layout, int axis, const Coordinate& at) {
  std::int64_t index = 0;
  for (const Digit& d : layout) {
    std::int64_t value = at[d.in] / weight(layout, d);
    if (d.extent > 0) value %= d.extent;
    if (d.axis == axis) index += value * d.step;
  }
  return index;
}

std::optional<Coordinate> invert(std::span<const Digit> layout, int axis, std::int64_t index) {
  if (index < 0) return std::nullopt;
  Coordinate at;
  for (const Digit& d : by_step(layout, axis)) {
    std::int64_t value = index / d.step;
    if (d.extent > 0) value = std::min(value, d.extent - 1);
    index -= value * d.step;
    at[d.in] += value * weight(layout, d);
  }
  if (index != 0) return std::nullopt;
  return at;
}

bool is_injective(std::span<const Digit> layout) {
  std::set<int> axes;
  for (const Digit& d : layout) axes.insert(d.axis);
  for (int axis : axes) {
    std::int64_t reach = 0;  // the largest index that the smaller digits make
    auto digits = by_step(layout, axis);
    for (auto d = digits.rbegin(); d != digits.rend(); ++d) {
      if (d->extent == 1) continue;
      if (d->step <= reach) return false;
      reach += d->step * (std::max<std::int64_t>(d->extent, 1) - 1);
    }
  }
  return true;
}

std::int64_t extent(std::span<const Digit> layout, In in) {
  std::int64_t product = 1;
  for (const Digit& d : layout)
    if (d.in == in) product *= d.extent;
  return product;
}

Layout stripe_layout(std::string name, const StripeShape& s) {
  std::int64_t lanes = std::min(s.threads, 32);
  std::int64_t step = std::int64_t{s.vec} * s.threads;
  Layout l{std::move(name), {}};
  l.digits.push_back({In::Reg, s.vec, s.axis, 1});
  l.digits.push_back({In::Lane, lanes, s.axis, s.vec});
  l.digits.push_back({In::Warp, s.threads / lanes, s.axis, s.vec * lanes});
  if (s.unroll > 1) l.digits.push_back({In::Unit, s.unroll, s.axis, step});
  l.digits.push_back({In::Chunk, s.chunks, s.axis, step * s.unroll});
  if (s.over_grid) l.digits.push_back({In::Cta, 0, s.axis, step * s.chunks});
  return l;
}

StripeShape stripe_shape(const Layout& layout) {
  StripeShape s;
  s.axis = layout.digits.at(0).axis;
  s.vec = static_cast<int>(extent(layout.digits, In::Reg));
  s.threads = static_cast<int>(extent(layout.digits, In::Lane) * extent(layout.digits, In::Warp));
  s.unroll = static_cast<int>(extent(layout.digits, In::Unit));
  s.chunks = extent(layout.digits, In::Chunk);
  s.over_grid = std::any_of(layout.digits.begin(), layout.digits.end(),
                            [](const Digit& d) { return d.in == In::Cta; });
  return s;
}

}  // namespace barline::ir
