// SPDX-License-Identifier: Apache-2.0
// A cadence for people, for pages and for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "verify/cadence/cadence.h"
#include "verify/cadence/certify.h"

namespace barline::verify {

/// The timeline of every loop, then its barriers: what each orders and, where `needs` has an entry
/// a barrier of the kernel, whether it is needed. Empty without loops.
std::string cadence_text(const Cadence& c, const std::vector<BarrierNeed>& needs = {});

/// The timelines alone, as one SVG document of fixed size.
std::string cadence_svg(const Cadence& c);

/// An array, one object a loop.
nlohmann::ordered_json cadence_json(const Cadence& c, const std::vector<BarrierNeed>& needs = {});

}  // namespace barline::verify
