// SPDX-License-Identifier: Apache-2.0
// The first load of a box stands before the later ones of the same region, so they take its value.
// Nothing may write the tensor in between; loads through a ring are of operands that are only read.
// Loads of a ring without slots go straight to registers, all of a trip's together at its start.
#include "ir/passes/hoist_fragments.h"

#include <algorithm>
#include <set>

#include "ir/rewrite.h"

namespace barline::ir {
namespace {

/// The hoisting ring that the load names, or null.
const Ring* hoisting(const Kernel& k, const Operation& load) {
  const Attr* stream = load.is(Op::FragmentLoad) ? load.find(Key::Stream) : nullptr;
  if (!stream) return nullptr;
  auto at = std::find_if(k.rings.begin(), k.rings.end(),
                         [&](const Ring& r) { return r.name == stream->text && r.hoist; });
  return at == k.rings.end() ? nullptr : &*at;
}

/// Moves the loads that go straight to registers in front of the region's first load, where what
/// they are computed from is known there.
void load_early(const Kernel& k, Region& r) {
  auto is_load = [](const Operation& op) { return op.is(Op::FragmentLoad); };
  auto first = std::find_if(r.ops.begin(), r.ops.end(), is_load);
  std::set<ValueId> later;  // defined from the first load on
  for (auto op = first; op != r.ops.end(); ++op) {
    const Ring* ring = hoisting(k, *op);
    bool known =
        std::none_of(op->in.begin(), op->in.end(), [&](ValueId v) { return later.contains(v); });
    later.insert(op->out.begin(), op->out.end());
    if (!ring || ring->slots > 0) continue;
    std::erase_if(op->attrs, [](const Attr& a) { return a.key == Key::Stream; });
    if (!known) continue;
    std::rotate(first, op, std::next(op));
    ++first;
  }
}

void hoist(Kernel& k, Region& r) {
  std::vector<const Operation*> first;
  std::vector<bool> drop(r.ops.size());
  ValueMap same;
  for (std::size_t i = 0; i < r.ops.size(); ++i) {
    Operation& op = r.ops[i];
    replace_uses(op, same);
    for (Region& sub : op.regions) hoist(k, sub);
    if (!hoisting(k, op)) continue;
    auto known = std::find_if(first.begin(), first.end(), [&](const Operation* o) {
      return o->in == op.in && k.type(o->out[0]) == k.type(op.out[0]);
    });
    if (known == first.end()) {
      first.push_back(&op);
      continue;
    }
    same[op.out[0]] = (*known)->out[0];
    drop[i] = true;
  }
  std::size_t i = 0;
  std::erase_if(r.ops, [&](const Operation&) { return drop[i++]; });
  load_early(k, r);
}

}  // namespace

void hoist_fragments(Kernel& k) { hoist(k, k.body); }

}  // namespace barline::ir
