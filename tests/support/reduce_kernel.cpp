// SPDX-License-Identifier: Apache-2.0
// Delta debugging over the ops in program order: chunks of half of them, then smaller ones. An op
// that goes leaves zeros or an operand for its results, or gives its region to the code around it.
#include "tests/support/reduce_kernel.h"

#include <algorithm>
#include <set>

#include "ir/builder.h"
#include "ir/check.h"
#include "ir/rewrite.h"

namespace barline::test {
namespace {

using namespace ir;

/// What an op that goes leaves: nothing but zeros, or one of its regions or operands.
enum class Way { Drop, First, Second };

class Editor {
 public:
  Editor(Kernel k, std::set<int> without, Way way)
      : k_(std::move(k)), without_(std::move(without)), way_(way) {}

  Kernel run() {
    k_.body = region(k_.body);
    return std::move(k_);
  }

 private:
  Region region(Region& from) {
    Region out;
    out.args = from.args;
    Builder b(k_, out);
    for (Operation& op : from.ops) edit(b, op);
    return out;
  }

  void edit(Builder& b, Operation& op) {
    bool goes = !op.has(Terminator) && without_.contains(next_++);
    replace_operands(op);
    if (goes && way_ != Way::Drop && !op.regions.empty() && !op.is(Op::Reduce))
      return inlined(b, op);
    for (Region& r : op.regions) r = region(r);
    if (!goes) {
      b.append(std::move(op));
      return;
    }
    for (ValueId v : op.out)
      if (!forward(op, v)) zero(b, v);
  }

  void replace_operands(Operation& op) {
    for (ValueId& v : op.in)
      if (auto it = renamed_.find(v); it != renamed_.end()) v = it->second;
  }

  /// In place of the result its first or last operand of the same type.
  bool forward(const Operation& op, ValueId result) {
    if (way_ == Way::Drop) return false;
    auto like = [&](ValueId v) { return k_.type(v) == k_.type(result); };
    auto first = std::find_if(op.in.begin(), op.in.end(), like);
    auto last = std::find_if(op.in.rbegin(), op.in.rend(), like);
    if (first == op.in.end()) return false;
    renamed_[result] = way_ == Way::First ? *first : *last;
    return true;
  }

  /// A value in place of v: zeros, or for a pointer into a slot the slot.
  void zero(Builder& b, ValueId v) {
    Type t = k_.type(v);
    if (t.is_scalar()) renamed_[v] = b.constant_bits(t.elem, 0);
    if (t.kind == Kind::Vector) {
      ValueId z = b.constant_bits(t.elem, 0);
      renamed_[v] = b.emit(Op::Pack, t, std::vector<ValueId>(t.lanes, z));
    }
    if (t.is_pointer())
      for (const Slot& s : k_.slots)
        if (s.elem == t.elem) renamed_[v] = s.value;
  }

  /// One of the op's regions, run once: arguments take the first values, results what it yields.
  void inlined(Builder& b, Operation& op) {
    std::size_t which = op.is(Op::If) && way_ == Way::Second ? 1 : 0;
    if (op.is(Op::While)) which = 1;
    Region& r = op.regions[which];
    std::size_t skip_in = op.is(Op::For) ? 3 : 0, skip_arg = op.is(Op::For) ? 1 : 0;
    if (op.is(Op::For)) renamed_[r.args[0]] = op.in[0];
    for (std::size_t i = skip_arg; i < r.args.size(); ++i)
      if (i - skip_arg + skip_in < op.in.size())
        renamed_[r.args[i]] = op.in[i - skip_arg + skip_in];
    for (std::size_t i = 0; i < which; ++i) skip(op.regions[i]);
    for (Operation& inner : r.ops) {
      if (!inner.has(Terminator)) {
        edit(b, inner);
        continue;
      }
      replace_operands(inner);
      for (std::size_t i = 0; i < op.out.size(); ++i) renamed_[op.out[i]] = inner.in[i];
    }
    for (std::size_t i = which + 1; i < op.regions.size(); ++i) skip(op.regions[i]);
  }

  /// Keeps the numbering of ops in step.
  void skip(const Region& r) {
    walk(r, [&](const Operation& op) { next_ += !op.has(Terminator); });
  }

  Kernel k_;
  std::set<int> without_;
  Way way_;
  ValueMap renamed_;
  int next_ = 0;
};

/// Drops pure ops, loads and slots that nothing uses, so that what is printed is what matters.
void sweep(Kernel& k) {
  std::vector<bool> used;
  auto region = [&](auto& self, Region& r) -> void {
    for (auto op = r.ops.rbegin(); op != r.ops.rend(); ++op) {
      for (auto sub = op->regions.rbegin(); sub != op->regions.rend(); ++sub) self(self, *sub);
      bool live = std::any_of(op->out.begin(), op->out.end(), [&](ValueId v) { return used[v]; });
      bool pure = op->has(Pure) || (op->is(Op::Load) && !op->find(Key::Order));
      if (!live && pure) {
        op->regions.resize(9);  // marks it: no op has as many
        continue;
      }
      for (ValueId v : op->in) used[v] = true;
    }
    std::erase_if(r.ops, [](const Operation& op) { return op.regions.size() == 9; });
  };
  used.assign(k.values.size(), false);
  region(region, k.body);
  std::erase_if(k.slots, [&](const Slot& s) { return !used[s.value]; });
}

bool holds(const Kernel& k, const StillFails& fails) {
  try {
    check(k);
    return fails(k);
  } catch (const std::exception&) {
    return false;
  }
}

/// One round with chunks of `size` ops; true if something went.
bool round(Kernel& k, int size, Way way, const StillFails& fails) {
  bool shrank = false;
  for (int at = 0; at < count_ops(k);) {
    std::set<int> chunk;
    for (int i = at; i < at + size; ++i) chunk.insert(i);
    Kernel smaller = Editor(k, chunk, way).run();
    sweep(smaller);
    if (count_ops(smaller) < count_ops(k) && holds(smaller, fails)) {
      k = std::move(smaller);
      shrank = true;
    } else {
      at += size;
    }
  }
  return shrank;
}

}  // namespace

int count_ops(const Kernel& k) {
  int n = 0;
  walk(k.body, [&](const Operation& op) { n += !op.has(Terminator); });
  return n;
}

Kernel reduce_kernel(Kernel k, const StillFails& fails) {
  for (bool shrank = true; shrank;) {
    shrank = false;
    for (int size = std::max(1, count_ops(k) / 2); size > 0; size /= 2)
      for (Way way : {Way::Drop, Way::First, Way::Second})
        shrank = round(k, size, way, fails) || shrank;
  }
  return k;
}

}  // namespace barline::test
