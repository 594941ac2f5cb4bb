// SPDX-License-Identifier: Apache-2.0
// Where the sum of the parts stands that a cluster's blocks hold of a tile: each block has a share
// of it, a run of positions along one axis, in the registers that held these positions before.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/layout.h"

namespace barline::ir {

/// The layout of a share: that of `whole`, with a parts-th of the positions along `axis`. Block r
/// has those from r * extent / parts on. Nothing where whole register groups cannot be shared out.
///
///   64 x 192 in 2 shares along m   reg 2 m*1, .., reg 8 m*8, ..
///   a share                        reg 2 m*1, .., reg 4 m*8, ..
std::optional<Layout> share_layout(std::string name, const Layout& whole, int axis, int parts);

/// The axis along which `share` is a parts-th of `whole`.
std::optional<int> share_axis(const Layout& whole, const Layout& share, int parts);

/// The registers of `whole` that become those of part `part`'s share, in order.
std::vector<int> share_registers(const Layout& whole, int axis, int parts, int part);

}  // namespace barline::ir
