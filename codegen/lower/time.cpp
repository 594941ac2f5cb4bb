// SPDX-License-Identifier: Apache-2.0
// Clocks: assembly that keeps its place among the accesses of memory, so that a region holds the
// accesses that its author put there. Arithmetic may still move past a clock.
#include "codegen/lower/ops_p.h"

namespace barline::codegen {

void lower(ir::Tag<ir::Op::Clock>, Lowerer& l, const ir::Operation& op) {
  l.result(op, l.memory_asm(l.int_type(64), "mov.u64 $0, %clock64;", {}));
}
void lower(ir::Tag<ir::Op::GlobalTimer>, Lowerer& l, const ir::Operation& op) {
  l.result(op, l.memory_asm(l.int_type(64), "mov.u64 $0, %globaltimer;", {}));
}
void lower(ir::Tag<ir::Op::SmId>, Lowerer& l, const ir::Operation& op) {
  l.result(op, l.memory_asm(l.int_type(32), "mov.u32 $0, %smid;", {}));
}

}  // namespace barline::codegen
