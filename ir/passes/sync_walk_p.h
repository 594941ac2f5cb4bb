// SPDX-License-Identifier: Apache-2.0
// The walk that place_syncs rests on: which slot accesses need a barrier between them that has
// none.
#pragma once

#include <map>
#include <string>

#include "ir/passes/pending_p.h"
#include "ir/passes/use_counts_p.h"
#include "ir/uniformity.h"

namespace barline::ir {

class SyncWalk {
 public:
  /// What it knows of values holds while barriers come and go; the kernel must outlive it, and no
  /// other op may move to another region.
  explicit SyncWalk(Kernel& k);

  /// Puts a barrier before each access that needs one.
  void place();
  /// True if some hazard is not covered.
  bool has_hazard();

  /// A barrier with this mark counts as gone.
  static constexpr Key gone = Key::Index;

 private:
  Pending walk_region(Region& r, Pending pending);
  bool cover(Region& r, std::size_t i, const Need& need, Pending& pending);
  bool uniform(const Operation& op) const;
  Need need_of(const Operation& op, const Pending& pending);
  Pending step(Operation& op, Pending pending);
  Pending step_if(Operation& op, const Pending& pending);
  Pending step_for(Operation& op, const Pending& pending);
  Pending step_while(Operation& op, const Pending& pending);
  bool runs(const Operation& loop) const;
  Pending enter(Pending pending, const Edge& edge) const;
  Pending leave(const Operation& op, const Pending& end, const Edge& edge) const;
  void forget_inner(const Operation& op, SlotAccess& a, bool base) const;
  bool defined_under(const Operation& op, ValueId v) const;
  void number(const Region& r);
  Pending accesses_under(const Operation& op) const;
  Pending check_divergent(const Operation& op, const Pending& before);
  Pending check_region(const Region& r, Pending pending);
  std::string why(const Need& need, const SlotAccess& next) const;
  /// Nothing more is to be learnt.
  bool done() const { return !placing_ && hazard_; }

  struct Span {
    int begin = 0, end = 0;
  };
  Kernel& k_;
  Uniformity uniformity_;
  SlotEffects effects_;
  UseCounts counts_;
  Conflicts conflicts_;
  std::vector<int> order_;                ///< of a value's definition in the text
  std::map<const Region*, Span> within_;  ///< what a region defines
  int next_ = 0;
  std::string why_;
  bool placing_ = false;
  bool hazard_ = false;
};

}  // namespace barline::ir
