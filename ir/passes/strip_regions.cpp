// SPDX-License-Identifier: Apache-2.0
#include "ir/passes/strip_regions.h"

namespace barline::ir {
namespace {

void strip(Region& r) {
  std::erase_if(r.ops, [](const Operation& op) { return op.has(RegionLevel); });
  for (Operation& op : r.ops)
    for (Region& sub : op.regions) strip(sub);
}

}  // namespace

void strip_regions(Kernel& k) {
  if (k.timed) return;
  strip(k.body);
  k.region_table.clear();
}

}  // namespace barline::ir
