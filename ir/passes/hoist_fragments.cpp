// SPDX-License-Identifier: Apache-2.0
// The first load of a box stands before the later ones of the same region, so they take its value.
// Nothing may write the tensor in between; loads through a ring are of operands that are only read.
#include "ir/passes/hoist_fragments.h"

#include <algorithm>

#include "ir/rewrite.h"

namespace barline::ir {
namespace {

bool hoists(const Kernel& k, const Operation& load) {
  const Attr* stream = load.find(Key::Stream);
  return stream && std::any_of(k.rings.begin(), k.rings.end(), [&](const Ring& r) {
           return r.name == stream->text && r.hoist;
         });
}

void hoist(Kernel& k, Region& r) {
  std::vector<const Operation*> first;
  std::vector<bool> drop(r.ops.size());
  ValueMap same;
  for (std::size_t i = 0; i < r.ops.size(); ++i) {
    Operation& op = r.ops[i];
    replace_uses(op, same);
    for (Region& sub : op.regions) hoist(k, sub);
    if (!op.is(Op::FragmentLoad) || !hoists(k, op)) continue;
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
}

}  // namespace

void hoist_fragments(Kernel& k) { hoist(k, k.body); }

}  // namespace barline::ir
