// SPDX-License-Identifier: Apache-2.0
// Tuning on a GPU: what the filters left of a space, compared with the reference and timed at one
// shape, the fastest again at length.
#pragma once

#include "dsl/tuned.h"
#include "tools/measure.h"
#include "tools/tune.h"

namespace barline::tools {

struct Timed {
  const Tried* tried = nullptr;
  Timing time{};
  std::string why{};  ///< it was not timed: its result is wrong, or it cannot be launched
};

struct TunedShape {
  std::string shape;
  dsl::Sizes sizes{};
  std::vector<Timed> rows{};  ///< fastest first, then those without a time
  bool found() const { return !rows.empty() && rows.front().why.empty(); }
};

/// Times the candidates that stand and take the shape. Those whose parameters and order class are
/// one share operands and reference.
TunedShape time_shape(Session& session, const driver::Device& device, jit::Runtime& runtime,
                      const std::vector<Tried>& space, const verify::Shape& shape,
                      const MeasureOptions& options);

}  // namespace barline::tools
