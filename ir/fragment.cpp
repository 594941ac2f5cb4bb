// SPDX-License-Identifier: Apache-2.0
#include "ir/fragment.h"

#include <algorithm>

#include "ir/team.h"

namespace barline::ir {
namespace {

constexpr int lanes_k = 4;  ///< lanes along the pair axis; the other 8 lie along m or n

void push(Layout& l, In in, std::int64_t extent, int axis, std::int64_t step) {
  if (extent > 1) l.digits.push_back({in, extent, axis, step});
}

/// Warps along n, then along m, then along k; step 0 where all of them hold the same.
void push_warps(Layout& l, const BlockTile& t, int axis_n, std::int64_t step_n, int axis_m,
                std::int64_t step_m, int axis_k, std::int64_t step_k) {
  push(l, In::Warp, t.warps_n, axis_n, step_n);
  if (t.warpgroups && step_m) {
    push(l, In::Warp, 4, axis_m, 16);
    push(l, In::Warp, t.warps_m / 4, axis_m, step_m * 4);
  } else {
    push(l, In::Warp, t.warps_m, axis_m, step_m);
  }
  push(l, In::Warp, t.warps_k, axis_k, step_k);
}

/// A warp's blocks along m: one after the other, or one in each 64 rows of its warpgroup.
void push_blocks(Layout& l, const BlockTile& t, const Atom& a, int axis_m) {
  int blocks = t.m / t.warps_m / a.m;
  push(l, In::Reg, blocks, axis_m, t.warpgroups ? 4 * a.m : a.m);
}

}  // namespace

std::optional<Atom> atom_of(Elem operand) {
  switch (operand) {
    case Elem::F16:
    case Elem::BF16: return Atom{};
    case Elem::S8: return Atom{.k = 32};
    default: return std::nullopt;
  }
}

Layout fragment_c(std::string name, Atom a, const BlockTile& t, int axis_m, int axis_n) {
  Layout l{std::move(name), {}};
  int warp_m = t.m / t.warps_m, warp_n = t.n / t.warps_n;
  push(l, In::Reg, 2, axis_n, 1);
  push(l, In::Lane, lanes_k, axis_n, 2);
  push(l, In::Lane, a.m / 2, axis_m, 1);
  push(l, In::Reg, 2, axis_m, a.m / 2);
  push(l, In::Reg, warp_n / a.n, axis_n, a.n);
  push_blocks(l, t, a, axis_m);
  push_warps(l, t, axis_n, warp_n, axis_m, warp_m, axis_n, 0);
  return l;
}

Layout fragment_a(std::string name, Atom a, const BlockTile& t, int axis_m, int axis_k) {
  Layout l{std::move(name), {}};
  int width = a.k / 8, warp_m = t.m / t.warps_m, warp_k = t.k / t.warps_k;
  push(l, In::Reg, width, axis_k, 1);
  push(l, In::Lane, lanes_k, axis_k, width);
  push(l, In::Lane, a.m / 2, axis_m, 1);
  push(l, In::Reg, 2, axis_m, a.m / 2);
  push(l, In::Reg, warp_k / (lanes_k * width), axis_k, lanes_k * width);
  push_blocks(l, t, a, axis_m);
  push_warps(l, t, axis_m, 0, axis_m, warp_m, axis_k, warp_k);
  return l;
}

Layout fragment_b(std::string name, Atom a, const BlockTile& t, int axis_k, int axis_n) {
  Layout l{std::move(name), {}};
  int width = a.k / 8, warp_n = t.n / t.warps_n, warp_k = t.k / t.warps_k;
  push(l, In::Reg, width, axis_k, 1);
  push(l, In::Lane, lanes_k, axis_k, width);
  push(l, In::Lane, a.n, axis_n, 1);
  push(l, In::Reg, warp_k / (lanes_k * width), axis_k, lanes_k * width);
  push(l, In::Reg, warp_n / a.n, axis_n, a.n);
  push_warps(l, t, axis_n, warp_n, axis_n, 0, axis_k, warp_k);
  return l;
}

bool is_fragment(const Layout& l) {
  return std::none_of(l.digits.begin(), l.digits.end(),
                      [](const Digit& d) { return d.in == In::Chunk || d.in == In::Cta; });
}

Layout without_axis(const Layout& l, int axis) {
  Layout out{l.name, {}};
  for (Digit d : l.digits) {
    if (d.axis == axis && d.in == In::Reg) continue;
    if (d.axis == axis) d.step = 0;
    out.digits.push_back(d);
  }
  return out;
}

int registers(const Layout& l) { return static_cast<int>(extent(l.digits, In::Reg)); }

std::int64_t extent_along(const Layout& l, int axis) {
  std::int64_t last = 0;
  for (const Digit& d : l.digits)
    if (d.axis == axis) last += (d.extent - 1) * d.step;
  return last + 1;
}

std::int64_t position(const Layout& l, int axis, int reg, int thread) {
  Coordinate at;
  at[In::Reg] = reg;
  at[In::Lane] = thread % warp_size;
  at[In::Warp] = thread / warp_size;
  return evaluate(l.digits, axis, at);
}

bool same_places(const Layout& a, const Layout& b) {
  auto merged = [](const Layout& l) {  // neighbours of one kind and axis that continue each other
    std::vector<Digit> digits;
    for (In in : {In::Reg, In::Lane, In::Warp})
      for (Digit d : l.digits) {
        if (d.in != in || d.extent == 1) continue;
        if (d.step == 0) d.axis = -1;  // no place depends on it
        bool joins = !digits.empty() && digits.back().in == in && digits.back().axis == d.axis &&
                     d.step == digits.back().step * digits.back().extent;
        if (joins)
          digits.back().extent *= d.extent;
        else
          digits.push_back(d);
      }
    return digits;
  };
  return merged(a) == merged(b);
}

}  // namespace barline::ir
