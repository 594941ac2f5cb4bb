// SPDX-License-Identifier: Apache-2.0
// The regions of cooperative decode kernels by name: one table (phases.def), so that traces of two
// kernels speak of the same parts.
#pragma once

#include "dsl/thread.h"

namespace barline::kernels {

enum class Phase : std::uint8_t {
#define PHASE(number, id, name, klass, doc) id,
#include "kernels/wo/phases.def"
#undef PHASE
};

struct PhaseRow {
  int number;  ///< R0 .. R12
  std::string_view name;
  dsl::Class klass;
  std::string_view doc;
};
inline constexpr PhaseRow phases[] = {
#define PHASE(number, id, name, klass, doc) {number, name, dsl::Class::klass, doc},
#include "kernels/wo/phases.def"
#undef PHASE
};

/// body() as a region of that name and class.
inline void in_phase(dsl::Thread& t, Phase phase, const std::function<void()>& body,
                     dsl::Here here = dsl::Here::current()) {
  const PhaseRow& row = phases[static_cast<std::size_t>(phase)];
  t.region(std::string(row.name), row.klass, body, here);
}

}  // namespace barline::kernels
