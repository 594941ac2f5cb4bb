// SPDX-License-Identifier: Apache-2.0
// The timeline of a loop as a table: a row a slot's copy, a column an epoch, over as many steps as
// it takes to come round (or as fit). What text and SVG draw.
#pragma once

#include <string>
#include <vector>

#include "verify/cadence/cadence.h"

namespace barline::verify {

struct Picture {
  enum Kind : std::uint8_t { Read, Write, Copy, Flight, Product };
  struct Mark {
    Kind kind{};
    std::string text;  ///< "read w_q", "copy x +3": +n is data of the n-th step after the column's
  };
  struct Row {
    std::string label;
    std::vector<std::vector<Mark>> cells;  ///< one a column
  };
  int steps = 1, epochs = 1;
  std::vector<Row> rows;

  std::size_t columns() const {
    return static_cast<std::size_t>(steps) * static_cast<std::size_t>(epochs);
  }
};

Picture picture_of(const CadenceLoop& loop);

/// "WAR w[i+1]: read w_v in epoch 3 a step before -> write w_k in epoch 1", seen from step i, the
/// barrier's.
std::string hazard_text(const CadenceLoop& loop, const CadenceBarrier::Orders& orders);

/// "3 barriers a step; slots: x (1 copy), w (2 copies); comes round after 2 steps".
std::string loop_text(const CadenceLoop& loop);

}  // namespace barline::verify
