// SPDX-License-Identifier: Apache-2.0
#include "kernels/schedules.h"

#include "dsl/body.h"
#include "ir/layout.h"

namespace barline::kernels {

bool in_registers(const dsl::Value& tile) {
  const ir::Kernel& k = tile.body().kernel();
  return ir::stripe_shape(k.layouts[k.type(tile.id()).layout]).chunks > 0;
}

}  // namespace barline::kernels
