// SPDX-License-Identifier: Apache-2.0
// Where a value's data comes from: which parameters, which reads of slots.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/kernel.h"

namespace barline::verify::cadence {

class Trace {
 public:
  explicit Trace(const ir::Kernel& k);

  /// Whose data a store or an asynchronous copy moves: "w_q"; "w_*" of one that is chosen among
  /// w_q, w_k, w_v; empty for values that are computed from many or none.
  std::string moved_by(const ir::Operation& write);
  /// Reads of slots that the factors of a matrix product are made of, in order of the text.
  std::vector<const ir::Operation*> factors(const ir::Operation& product);

 private:
  using Loads = std::set<const ir::Operation*>;
  const Loads& loads_of(ir::ValueId v);
  Loads find_loads(ir::ValueId v);
  std::set<std::string> names_of(const ir::Operation& op, std::size_t pointer) const;

  const ir::Kernel& k_;
  std::vector<const ir::Operation*> defs_;
  std::map<const ir::Operation*, std::size_t> order_;
  std::map<ir::ValueId, Loads> known_;
};

}  // namespace barline::verify::cadence
