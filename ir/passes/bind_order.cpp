// SPDX-License-Identifier: Apache-2.0
#include "ir/passes/bind_order.h"

namespace barline::ir {

void bind_order(Kernel& k) {
  walk(k.body, [&](Operation& op) {
    bool over_tile = op.is(Op::Reduce) && op.attr_as<Team>(Key::Team) == Team::Thread;
    if (!over_tile || op.attr(Key::Chains) != 0) return;
    const Layout& layout = k.layouts[k.type(op.in[0]).layout];
    op.set(Key::Chains, std::int64_t{stripe_shape(layout).vec});
  });
}

}  // namespace barline::ir
