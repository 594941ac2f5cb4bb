// SPDX-License-Identifier: Apache-2.0
// Constants, and who this thread is.
#include <llvm/IR/IntrinsicsNVPTX.h>

#include "codegen/lower/ops_p.h"

namespace barline::codegen {
namespace {

using llvm::Intrinsic::ID;

constexpr ID tid[] = {llvm::Intrinsic::nvvm_read_ptx_sreg_tid_x,
                      llvm::Intrinsic::nvvm_read_ptx_sreg_tid_y,
                      llvm::Intrinsic::nvvm_read_ptx_sreg_tid_z};
constexpr ID ctaid[] = {llvm::Intrinsic::nvvm_read_ptx_sreg_ctaid_x,
                        llvm::Intrinsic::nvvm_read_ptx_sreg_ctaid_y,
                        llvm::Intrinsic::nvvm_read_ptx_sreg_ctaid_z};
constexpr ID nctaid[] = {llvm::Intrinsic::nvvm_read_ptx_sreg_nctaid_x,
                         llvm::Intrinsic::nvvm_read_ptx_sreg_nctaid_y,
                         llvm::Intrinsic::nvvm_read_ptx_sreg_nctaid_z};

void read(Lowerer& l, const ir::Operation& op, const ID (&by_dim)[3]) {
  l.result_s32(op, l.intrinsic(by_dim[op.attr(ir::Key::Dim)], {}));
}

}  // namespace

llvm::Value* Lowerer::thread_rank() {
  const std::int32_t* n = k_.launch.threads;
  llvm::Value* rank = nullptr;
  for (int dim = 2; dim >= 0; --dim) {
    if (n[dim] == 1 && (rank || dim > 0)) continue;
    llvm::Value* at = intrinsic(tid[dim], {});
    if (rank) {
      std::int64_t below = n[dim];
      rank = b().CreateAdd(at, b().CreateMul(rank, integer(32, below)));
    } else {
      rank = at;
    }
  }
  return rank;
}

void lower(ir::Tag<ir::Op::Const>, Lowerer& l, const ir::Operation& op) {
  const ir::Elem e = l.elem(op.out[0]);
  const auto bits = static_cast<std::uint64_t>(op.attr(ir::Key::Value));
  llvm::LLVMContext& c = l.module().getContext();
  if (e == ir::Elem::F32) {
    llvm::APFloat value(llvm::APFloat::IEEEsingle(), llvm::APInt(32, bits & 0xffffffff));
    l.result(op, llvm::ConstantFP::get(c, value));
  } else if (e == ir::Elem::F64) {
    l.result(op, llvm::ConstantFP::get(
                     c, llvm::APFloat(llvm::APFloat::IEEEdouble(), llvm::APInt(64, bits))));
  } else {
    const int width = ir::bits(e);
    const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
    l.result(op, llvm::ConstantInt::get(l.type_of(e), bits & mask));
  }
}

void lower(ir::Tag<ir::Op::ThreadId>, Lowerer& l, const ir::Operation& op) { read(l, op, tid); }
void lower(ir::Tag<ir::Op::BlockId>, Lowerer& l, const ir::Operation& op) { read(l, op, ctaid); }
void lower(ir::Tag<ir::Op::GridDim>, Lowerer& l, const ir::Operation& op) { read(l, op, nctaid); }

void lower(ir::Tag<ir::Op::ThreadRank>, Lowerer& l, const ir::Operation& op) {
  l.result_s32(op, l.thread_rank());
}
void lower(ir::Tag<ir::Op::LaneId>, Lowerer& l, const ir::Operation& op) {
  l.result_s32(op, l.b().CreateAnd(l.thread_rank(), l.integer(32, 31)));
}
void lower(ir::Tag<ir::Op::WarpId>, Lowerer& l, const ir::Operation& op) {
  l.result_s32(op, l.b().CreateLShr(l.thread_rank(), l.integer(32, 5)));
}

}  // namespace barline::codegen
