// SPDX-License-Identifier: Apache-2.0
#include "verify/interp/fragment.h"

#include <bit>

#include "verify/interp/machine.h"
#include "verify/interp/value_types.h"

namespace barline::verify::sim {

Places places_of(const ir::Layout& layout, int axis, std::int32_t warps) {
  Places p;
  for (int r = 0; r < ir::registers(layout); ++r)
    p.reg.push_back(axis < 0 ? 0 : ir::position(layout, axis, r, 0));
  for (int l = 0; l < lanes; ++l) p.lane.push_back(axis < 0 ? 0 : ir::position(layout, axis, 0, l));
  for (int w = 0; w < warps; ++w)
    p.warp.push_back(axis < 0 ? 0 : ir::position(layout, axis, 0, w * lanes));
  return p;
}

std::uint32_t kept_register(const ir::Layout& layout, int axis, std::uint32_t reg) {
  std::uint32_t kept = 0, weight = 1;
  for (const ir::Digit& d : layout.digits) {
    if (d.in != ir::In::Reg) continue;
    auto extent = static_cast<std::uint32_t>(d.extent);
    if (d.axis != axis) {
      kept += reg % extent * weight;
      weight *= extent;
    }
    reg /= extent;
  }
  return kept;
}

std::int64_t Coordinate::read(const Warp& w, int lane) const {
  if (elem == ir::Elem::S32) return w.at<std::int32_t>(at)[lane];
  return with_elem(elem, [&](auto as) -> std::int64_t {
    using T = typename decltype(as)::type;
    if constexpr (std::is_integral_v<T>)
      return static_cast<std::int64_t>(w.at<T>(at)[lane]);
    else
      return 0;
  });
}

const FragmentRoot& FragmentAccess::root(const Warp& w) const {
  if (!chosen) return roots[0];
  std::uint32_t i = w.at<std::uint32_t>(choice)[std::countr_zero(w.mask)];
  if (i >= roots.size())
    halt(w, std::countr_zero(w.mask), FindingKind::OutOfBounds,
         "choose by an index past its parameters");
  return roots[i];
}

}  // namespace barline::verify::sim
