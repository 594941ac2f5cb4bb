// SPDX-License-Identifier: Apache-2.0
// Which boxes of gated rings go together: those that one product takes. For split_roles.
#pragma once

#include <list>
#include <map>
#include <vector>

#include "ir/passes/gated_rings_p.h"

namespace barline::ir {

/// The staged loads of a product, by what they define, and the loop that they stand in.
struct Taken {
  GateGroup gates;
  std::vector<Operation> loads;
  ValueId product = no_value;
  bool late = false;        ///< released one trip later: the unit still reads them
  std::vector<bool> early;  ///< loads of packed weights, which no grid before writes

  /// Which of the loads defines the value.
  std::size_t index_of(ValueId load) const;
  /// Does the product stand in the loop's own body?
  bool stands_in(const Operation& loop) const;
};

class TakenGroups {
 public:
  /// `readers`: warps that compute.
  TakenGroups(Kernel& k, const RingFacts& facts, int readers)
      : k_(k), facts_(facts), readers_(readers) {}

  /// Declares the groups of the region's products. `once`: the block comes here once.
  void collect(const Region& r, bool once);

  std::list<Taken>& all() { return all_; }
  /// The group that the op takes a box of, or null; that it is the product of, or null.
  Taken* of_load(const Operation& op) const { return find(of_load_, op); }
  Taken* of_product(const Operation& op) const { return find(of_product_, op); }
  /// The groups whose boxes are taken inside the region, in order.
  std::vector<Taken*> in(const Region& r) const;

 private:
  using ByValue = std::map<ValueId, Taken*>;
  static Taken* find(const ByValue& groups, const Operation& op);

  Kernel& k_;
  const RingFacts& facts_;
  int readers_;
  std::list<Taken> all_;  ///< of stable addresses
  ByValue of_load_, of_product_;
};

}  // namespace barline::ir
