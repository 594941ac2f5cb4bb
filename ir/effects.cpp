// SPDX-License-Identifier: Apache-2.0
#include "ir/effects.h"

#include <algorithm>

#include "ir/rewrite.h"

namespace barline::ir {
namespace {

Use compute_use(const Kernel& k, const std::vector<const Operation*>& defs, ValueId v) {
  const Operation* def = defs[v];
  if (auto c = constant_of(k, defs, v)) return {no_value, *c, true};
  if (def && def->is(Op::Add)) {
    if (auto c = constant_of(k, defs, def->in[1])) {
      Use u = compute_use(k, defs, def->in[0]);
      u.offset += *c;
      return u;
    }
  }
  return {v, 0, true};
}

bool same_copy_possible(const SlotAccess& a, const SlotAccess& b, int copies) {
  if (copies == 1 || !a.use.known || !b.use.known || a.use.base != b.use.base) return true;
  return (a.use.offset - b.use.offset) % copies == 0;
}

/// Do the threads' intervals [index, index + lanes) meet for two different threads?
bool threads_meet(const SlotAccess& a, const SlotAccess& b) {
  if (!a.index || !b.index || a.index->symbols != b.index->symbols) return true;
  struct Touch {
    std::int64_t begin, end;
    int thread;
  };
  std::vector<Touch> touches;
  int threads = static_cast<int>(a.index->at.size());
  for (int t = 0; t < threads; ++t)
    touches.push_back({b.index->at[t], b.index->at[t] + b.lanes, t});
  std::sort(touches.begin(), touches.end(),
            [](const Touch& x, const Touch& y) { return x.begin < y.begin; });
  for (int t = 0; t < threads; ++t) {
    std::int64_t begin = a.index->at[t], end = begin + a.lanes;
    auto it = std::lower_bound(touches.begin(), touches.end(), begin - b.lanes + 1,
                               [](const Touch& x, std::int64_t v) { return x.begin < v; });
    for (; it != touches.end() && it->begin < end; ++it) {
      bool ordered = it->thread == t || (a.warp_synced && it->thread / warp_size == t / warp_size);
      if (!ordered && it->end > begin) return true;
    }
  }
  return false;
}

}  // namespace

SlotEffects::SlotEffects(const Kernel& k) : k_(k) {
  auto defs = definitions(k);
  AffineAnalysis affine(k);
  Uniformity uniform = uniformity(k);
  for (const Slot& s : k.slots) roots_[s.value] = {k.slot_of(s.value), no_value};
  walk(k.body, [&](const Operation& op) {
    if (op.is(Op::SlotAt)) roots_[op.out[0]] = {k.slot_of(op.in[0]), op.in[1]};
    for (ValueId v : op.in)
      if (k.type(v) == scalar(Elem::S32) && !uses_.contains(v)) {
        // Threads that count differently take different copies at the same time.
        uses_[v] = uniform[v] >= Team::Cta ? compute_use(k, defs, v) : Use{v, 0, false};
      }
    bool slot = (op.has(Reads) || op.has(Writes)) && roots_.contains(op.in[0]);
    if (slot && !forms_.contains(op.in[1]))
      if (const ThreadForm* f = affine.form(op.in[1])) forms_[op.in[1]] = *f;
  });
}

Use SlotEffects::use_form(ValueId v) const {
  if (v == no_value) return {};
  auto it = uses_.find(v);
  return it == uses_.end() ? Use{v, 0, false} : it->second;
}

std::optional<SlotAccess> SlotEffects::access(const Operation& op) const {
  if (!op.has(Reads) && !op.has(Writes)) return std::nullopt;
  auto root = roots_.find(op.in[0]);
  if (root == roots_.end()) return std::nullopt;
  SlotAccess a;
  a.slot = root->second.slot;
  a.use = use_form(root->second.use);
  a.loc = op.loc;
  a.write = op.has(Writes);
  a.atomic = op.is(Op::Atomic) || op.is(Op::AtomicCas);
  if (op.is(Op::Load) && !op.out.empty()) a.lanes = k_.type(op.out[0]).lanes;
  if (op.is(Op::Store)) a.lanes = k_.type(op.in[2]).lanes;
  if (auto f = forms_.find(op.in[1]); f != forms_.end()) {
    a.index = f->second;
    for (std::int64_t& x : a.index->at) x += op.attr(Key::Offset);
  }
  return a;
}

bool may_conflict(const Kernel& k, const SlotAccess& a, const SlotAccess& b) {
  if (a.slot != b.slot || (!a.write && !b.write) || (a.atomic && b.atomic)) return false;
  return same_copy_possible(a, b, k.slots[a.slot].copies) && threads_meet(a, b);
}

}  // namespace barline::ir
