// SPDX-License-Identifier: Apache-2.0
// One backward walk a round: a use inside a region keeps what it reads alive. Carried values of
// loops count as used, so a loop is never taken apart.
#include "ir/passes/remove_dead.h"

#include <algorithm>

namespace barline::ir {
namespace {

bool droppable(const Operation& op) {
  if (op.is(Op::If)) {
    return std::all_of(op.regions.begin(), op.regions.end(),
                       [](const Region& r) { return r.ops.size() == 1; });
  }
  if (op.has(Pure)) return true;
  auto order = op.attr_as<MemOrder>(Key::Order);
  bool load = op.is(Op::Load) || op.is(Op::LoadMatrix);
  return load && (order == MemOrder::Weak || order == MemOrder::Const);
}

class Sweeper {
 public:
  explicit Sweeper(Kernel& k) : k_(k), used_(k.values.size()) {}
  void run() { region(k_.body); }

 private:
  void region(Region& r) {
    for (auto op = r.ops.rbegin(); op != r.ops.rend(); ++op) {
      for (auto sub = op->regions.rbegin(); sub != op->regions.rend(); ++sub) region(*sub);
      bool live = std::any_of(op->out.begin(), op->out.end(), [&](ValueId v) { return used_[v]; });
      if (!live && droppable(*op)) {
        op->out = {no_value};  // marks it
        continue;
      }
      for (ValueId v : op->in) used_[v] = true;
    }
    std::erase_if(r.ops,
                  [](const Operation& op) { return op.out.size() == 1 && op.out[0] == no_value; });
  }

  Kernel& k_;
  std::vector<bool> used_;
};

}  // namespace

void remove_dead(Kernel& k) { Sweeper(k).run(); }

}  // namespace barline::ir
