// SPDX-License-Identifier: Apache-2.0
// Both arms of a condition count as done: arms are the masked and the fast form of one fill, or
// guards that hold in every step but the last ones.
#include "verify/cadence/step_p.h"

#include <algorithm>

namespace barline::verify::cadence {
namespace {

void collect(const ir::Region& region, const ir::SlotEffects& effects, bool inner,
             std::vector<Item>& out) {
  for (const ir::Operation& op : region.ops) {
    Item item{.op = &op, .inner = inner};
    if (auto access = effects.access(op)) {
      item.access = *access;
      out.push_back(item);
    }
    bool counts = !inner && op.is(ir::Op::Barrier);
    if (counts || op.is(ir::Op::CommitCopies) || op.is(ir::Op::MmaSync)) {
      item.kind = op.is(ir::Op::Barrier)        ? Item::Barrier
                  : op.is(ir::Op::CommitCopies) ? Item::Commit
                                                : Item::Product;
      out.push_back(item);
    }
    bool loop = op.is(ir::Op::For) || op.is(ir::Op::While);
    for (const ir::Region& sub : op.regions) collect(sub, effects, inner || loop, out);
  }
}

}  // namespace

std::vector<Item> step_of(const ir::Operation& loop, const ir::SlotEffects& effects) {
  std::vector<Item> items;
  collect(loop.regions[0], effects, false, items);
  auto first = std::find_if(items.begin(), items.end(),
                            [](const Item& item) { return item.kind == Item::Barrier; });
  if (first == items.end()) return items;
  for (auto it = items.begin(); it != first; ++it) it->next = true;
  std::rotate(items.begin(), first, items.end());
  return items;
}

std::optional<StepUse> step_use(const ir::Operation& loop, const ir::SlotEffects& effects,
                                const ir::Use& use) {
  if (!use.known) return {};
  if (use.base == ir::no_value) return StepUse{ir::no_value, 0, use.offset};
  const ir::Region& body = loop.regions[0];
  auto arg = std::find(body.args.begin(), body.args.end(), use.base);
  if (arg == body.args.end()) return {};
  ir::Use first, step;
  if (arg == body.args.begin()) {
    first = effects.use_form(loop.in[0]);
    step = effects.use_form(loop.in[2]);
    if (!step.known || step.base != ir::no_value) return {};
  } else {
    auto n = static_cast<std::size_t>(arg - body.args.begin()) - 1;
    first = effects.use_form(loop.in[3 + n]);
    step = effects.use_form(body.ops.back().in[n]);
    if (!step.known || step.base != use.base || step.factor != 1) return {};
  }
  bool from_zero = first.known && first.base == ir::no_value;
  std::int64_t start = from_zero ? first.offset : 0;
  return StepUse{from_zero ? ir::no_value : use.base, use.factor * step.offset,
                 use.factor * start + use.offset};
}

}  // namespace barline::verify::cadence
