// SPDX-License-Identifier: Apache-2.0
#include "verify/proof/sizes_taint.h"

#include <algorithm>

namespace barline::verify::proof {
namespace {

class Taint {
 public:
  explicit Taint(const ir::Kernel& k) : k_(k), tainted_(k.values.size()) {
    for (ir::ValueId v : k.axis_sizes)
      if (v != ir::no_value) tainted_[v] = true;
    for (const ir::Param& p : k.params)
      if (p.type.is_scalar() && ir::is_int(p.type.elem)) tainted_[p.value] = true;
    do {
      grew_ = false;
      ir::walk(k.body, [&](const ir::Operation& op) { spread(op); });
    } while (grew_);
  }

  std::vector<bool> ops() {
    mark(k_.body, false);
    return std::move(by_op_);
  }

 private:
  bool any(const std::vector<ir::ValueId>& values) const {
    return std::any_of(values.begin(), values.end(), [&](ir::ValueId v) { return tainted_[v]; });
  }

  void taint(const std::vector<ir::ValueId>& values) {
    for (ir::ValueId v : values) {
      grew_ = grew_ || !tainted_[v];
      tainted_[v] = true;
    }
  }

  /// An op with regions carries values in and out of them as one.
  void spread(const ir::Operation& op) {
    bool from = any(op.in);
    for (const ir::Region& r : op.regions) from = from || any(r.ops.back().in);
    if (!from) return;
    taint(op.out);
    for (const ir::Region& r : op.regions) taint(r.args);
  }

  void mark(const ir::Region& region, bool under) {
    for (const ir::Operation& op : region.ops) {
      by_op_.push_back(under);
      bool decides = any(op.in);
      // A loop from a value to itself takes no trip, whatever the value.
      if (op.is(ir::Op::For) && op.in[0] == op.in[1]) decides = false;
      if (op.is(ir::Op::While)) decides = decides || any(op.regions[0].ops.back().in);
      for (const ir::Region& r : op.regions) mark(r, under || decides);
    }
  }

  const ir::Kernel& k_;
  std::vector<bool> tainted_;
  std::vector<bool> by_op_;
  bool grew_ = false;
};

}  // namespace

std::vector<bool> decided_by_sizes(const ir::Kernel& k) { return Taint(k).ops(); }

}  // namespace barline::verify::proof
