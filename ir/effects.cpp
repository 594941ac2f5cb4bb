// SPDX-License-Identifier: Apache-2.0
#include "ir/effects.h"

#include <algorithm>
#include <set>

#include "ir/rewrite.h"

namespace barline::ir {
namespace {

Use compute_use(const Kernel& k, const std::vector<const Operation*>& defs, ValueId v) {
  const Operation* def = defs[v];
  if (auto c = constant_of(k, defs, v)) return {no_value, *c, true};
  if (!def || def->in.size() != 2) return {v, 0, true};
  auto c = constant_of(k, defs, def->in[1]);
  if (!c) return {v, 0, true};
  auto scaled = [&](std::int64_t by) {
    Use u = compute_use(k, defs, def->in[0]);
    u.factor *= by;
    u.offset *= by;
    return u;
  };
  auto moved = [&](std::int64_t by) {
    Use u = compute_use(k, defs, def->in[0]);
    u.offset += by;
    return u;
  };
  switch (def->op) {
    case Op::Add: return moved(*c);
    case Op::Sub: return moved(-*c);
    case Op::Mul: return *c > 0 && *c < 4096 ? scaled(*c) : Use{v, 0, true};
    case Op::Shl: return *c >= 0 && *c < 12 ? scaled(std::int64_t{1} << *c) : Use{v, 0, true};
    default: return {v, 0, true};
  }
}

bool same_copy_possible(const SlotAccess& a, const SlotAccess& b, int copies) {
  if (copies == 1 || !a.use.known || !b.use.known) return true;
  auto constant = [&](const Use& u) { return u.base == no_value || u.factor % copies == 0; };
  bool comparable = (constant(a.use) && constant(b.use)) ||
                    (a.use.base == b.use.base && (a.use.factor - b.use.factor) % copies == 0);
  return !comparable || (a.use.offset - b.use.offset) % copies == 0;
}

/// Beside symbols numbers are residues modulo 2^32; those that a slot holds are near each other.
std::int64_t distance(const ThreadForm& form, std::int64_t d) {
  return form.symbols.empty() ? d : static_cast<std::int32_t>(static_cast<std::uint64_t>(d));
}

/// How two accesses of one thread or one warp are ordered without a barrier.
enum Ordered : int { Never = 0, SameThread = 1, SameWarp = 2 };

Ordered order_of(const SlotAccess& a, const SlotAccess& b) {
  if (a.async) return Never;
  if (a.warp_synced) return SameWarp;
  return a.warp_wide || b.warp_wide ? Never : SameThread;
}

/// Do the threads' intervals [index, index + lanes) meet for two threads that nothing orders?
bool threads_meet(const SlotAccess& a, const SlotAccess& b, Ordered order) {
  struct Touch {
    std::int64_t begin, end;
    int thread;
  };
  std::vector<Touch> touches;
  int threads = static_cast<int>(a.index->at.size());
  std::int64_t apart = distance(*a.index, b.offset - a.offset);
  for (int t = 0; t < threads; ++t)
    touches.push_back({b.index->at[t] + apart, b.index->at[t] + apart + b.lanes, t});
  std::sort(touches.begin(), touches.end(),
            [](const Touch& x, const Touch& y) { return x.begin < y.begin; });
  for (int t = 0; t < threads; ++t) {
    std::int64_t begin = a.index->at[t], end = begin + a.lanes;
    auto it = std::lower_bound(touches.begin(), touches.end(), begin - b.lanes + 1,
                               [](const Touch& x, std::int64_t v) { return x.begin < v; });
    for (; it != touches.end() && it->begin < end; ++it) {
      bool ordered = (order == SameThread && it->thread == t) ||
                     (order == SameWarp && it->thread / warp_size == t / warp_size);
      if (!ordered && it->end > begin) return true;
    }
  }
  return false;
}

/// load_matrix: a lane's address is that of a row of 8 elements, which other lanes of the warp
/// receive; those past the last row give none, and stand here for the row that they repeat.
ThreadForm spread_rows(const ThreadForm& form, int rows) {
  ThreadForm r = form;
  for (std::size_t t = 0; t < r.at.size(); ++t) {
    std::size_t lane = t % warp_size;
    r.at[t] = form.at[t - lane + lane % static_cast<std::size_t>(rows)];
  }
  return r;
}

int rows_of(const Kernel& k, const Operation& op) {
  return op.is(Op::LoadMatrix) ? k.type(op.out[0]).lanes * 4 : 0;
}

std::size_t hash_of(const ThreadForm& f) {
  std::size_t h = f.symbols.size();
  auto mix = [&](std::uint64_t x) { h = (h ^ x) * 0x9e3779b97f4a7c15ull + (h >> 29); };
  for (std::int64_t x : f.at) mix(static_cast<std::uint64_t>(x));
  for (const auto& [v, factor] : f.symbols) mix(v), mix(static_cast<std::uint64_t>(factor));
  return h;
}

}  // namespace

SlotEffects::SlotEffects(const Kernel& k) : k_(k) {
  auto defs = definitions(k);
  AffineAnalysis affine(k);
  Uniformity uniform = uniformity(k);
  // Gates order what copies fill, the cluster's barrier what other blocks write.
  std::set<int> gated;
  walk(k.body, [&](const Operation& op) {
    if (op.is(Op::CopyTensor) || op.is(Op::CopyBulk) || op.is(Op::StoreRemote))
      gated.insert(root_of(k, defs, op.in[0]).slot);
  });
  auto is_ordered = [&](int slot) { return k.slots[slot].is_gate() || gated.contains(slot); };
  for (const Slot& s : k.slots)
    if (int slot = k.slot_of(s.value); !is_ordered(slot)) roots_[s.value] = {slot, no_value};
  walk(k.body, [&](const Operation& op) {
    if (op.is(Op::SlotAt))
      if (int slot = k.slot_of(op.in[0]); !is_ordered(slot)) roots_[op.out[0]] = {slot, op.in[1]};
    for (ValueId v : op.in)
      if (k.type(v) == scalar(Elem::S32) && !uses_.contains(v)) {
        // Threads that count differently take different copies at the same time.
        uses_[v] = uniform[v] >= Team::Cta ? compute_use(k, defs, v) : Use{v, 0, false};
      }
    bool slot = (op.has(Reads) || op.has(Writes)) && roots_.contains(op.in[0]);
    if (!slot) return;
    int rows = rows_of(k, op);
    Index& index = indices_[{op.in[1], rows}];
    const ThreadForm* f = index.form ? nullptr : affine.form(op.in[1]);
    if (f) index = intern(rows ? spread_rows(*f, rows) : *f);
  });
}

SlotEffects::Index SlotEffects::intern(ThreadForm form) {
  std::int64_t offset = form.at[0];
  for (std::int64_t& x : form.at) x = distance(form, x - offset);
  std::size_t hash = hash_of(form);
  auto [it, end] = forms_.equal_range(hash);
  for (; it != end; ++it)
    if (it->second->at == form.at && it->second->symbols == form.symbols)
      return {it->second, offset};
  auto shared = std::make_shared<const ThreadForm>(std::move(form));
  forms_.emplace(hash, shared);
  return {shared, offset};
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
  a.async = op.is(Op::CopyAsync);
  if (op.is(Op::Load) && !op.out.empty()) a.lanes = k_.type(op.out[0]).lanes;
  if (op.is(Op::Store)) a.lanes = k_.type(op.in[2]).lanes;
  if (op.is(Op::CopyAsync)) a.lanes = static_cast<int>(op.attr(Key::Lanes));
  if (op.is(Op::LoadMatrix)) a.lanes = 8;
  a.warp_wide = op.is(Op::LoadMatrix);
  if (auto it = indices_.find({op.in[1], rows_of(k_, op)}); it != indices_.end()) {
    a.index = it->second.form;
    a.offset = it->second.offset + op.attr(Key::Offset);
  }
  return a;
}

bool Conflicts::operator()(const SlotAccess& a, const SlotAccess& b) {
  if (a.slot != b.slot || (!a.write && !b.write) || (a.atomic && b.atomic)) return false;
  if (!same_copy_possible(a, b, k_.slots[a.slot].copies)) return false;
  if (!a.index || !b.index || a.index->symbols != b.index->symbols) return true;
  Ordered order = order_of(a, b);
  Pair pair{a.index.get(), b.index.get(), b.offset - a.offset, a.lanes, b.lanes, order};
  auto [it, fresh] = known_.try_emplace(pair, false);
  if (fresh) it->second = threads_meet(a, b, order);
  return it->second;
}

bool may_conflict(const Kernel& k, const SlotAccess& a, const SlotAccess& b) {
  return Conflicts(k)(a, b);
}

}  // namespace barline::ir
