// SPDX-License-Identifier: Apache-2.0
#include "ir/passes/strip_debug.h"

namespace barline::ir {
namespace {

void strip(Region& r) {
  std::erase_if(r.ops, [](const Operation& op) { return op.has(Debug); });
  for (Operation& op : r.ops)
    for (Region& sub : op.regions) strip(sub);
}

}  // namespace

void strip_debug(Kernel& k) {
  if (!k.debug) strip(k.body);
}

}  // namespace barline::ir
