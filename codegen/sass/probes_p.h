// SPDX-License-Identifier: Apache-2.0
// The PTX probes: for each kind of instruction a piece that is repeated, in two kernels of
// different counts. All probes that a target takes are entries of one PTX file, so a target costs
// few runs.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "codegen/sass/calibration.h"

namespace barline::codegen {

/// What a target must have to accept a probe; each family is one PTX file.
enum class ProbeFamily : std::uint8_t { Base, Hopper, Wgmma };

struct Probe {
  SassOp op = SassOp::Other;  ///< Other: operations that a later probe needs around its own
  ProbeFamily family = ProbeFamily::Base;
  std::string_view piece;  ///< once for i = 1..count; @n is i, @m i - 1, @i 8 * i, @o 4096 * i
  std::string_view setup = {}, close = {};  ///< once before and once behind the pieces
  bool fresh = true;                        ///< no earlier probe has an operation of this kind
};

inline constexpr int probe_few = 3, probe_many = 10;

/// In the order in which they must be solved: a later probe contains earlier kinds.
std::span<const Probe> probes();

/// One PTX file with all probes of a family; entries are named by `probe_entry`.
std::string probe_ptx(ProbeFamily family);
std::string probe_entry(std::size_t index, int count);

/// Whether target `sm` takes the family at all.
bool takes(ProbeFamily family, std::string_view sm);

}  // namespace barline::codegen
