// SPDX-License-Identifier: Apache-2.0
// Structured control flow to basic blocks and phis. A loop is entered past a guard and tests at its
// end:
//
//   before: lo < hi ? body : after        after: phi of the results
//   body:   i, carried = phi ...; ops; i < hi - step ? body : after
//
// The test compares with hi - step (saturating, once before the loop), so i + step cannot wrap.
#include <llvm/IR/Metadata.h>

#include "codegen/lower/ops_p.h"
#include "codegen/lower/registers_p.h"

namespace barline::codegen {
namespace {

/// The LLVM values of several values of the IR, one after the other.
Values flatten(Lowerer& l, llvm::ArrayRef<ir::ValueId> ids) {
  Values all;
  for (ir::ValueId v : ids) all.append(l.values(v).begin(), l.values(v).end());
  return all;
}

/// Gives `ids` the values of `all`, as many each as hold its type.
void distribute(Lowerer& l, llvm::ArrayRef<ir::ValueId> ids, const Values& all) {
  std::size_t at = 0;
  for (ir::ValueId v : ids) {
    const std::size_t n = register_count(l.type(v));
    l.set(v, Values(all.begin() + at, all.begin() + at + n));
    at += n;
  }
}

Values phis(Lowerer& l, const Values& like) {
  Values out;
  for (llvm::Value* v : like) out.push_back(l.b().CreatePHI(v->getType(), 2));
  return out;
}

void incoming(const Values& phis, const Values& values, llvm::BasicBlock* from) {
  for (std::size_t i = 0; i < phis.size(); ++i)
    llvm::cast<llvm::PHINode>(phis[i])->addIncoming(values[i], from);
}

bool has_barrier(const ir::Region& region) {
  bool found = false;
  ir::walk(region, [&](const ir::Operation& op) { found |= op.is(ir::Op::Barrier); });
  return found;
}

/// Keeps ptxas from unrolling a loop whose trips the schedule has settled, and one with barriers,
/// so that the machine code has as many barriers as the kernel.
void forbid_unrolling(Lowerer& l, llvm::Instruction* branch) {
  llvm::LLVMContext& c = l.module().getContext();
  llvm::Metadata* disable[] = {llvm::MDString::get(c, "llvm.loop.unroll.disable")};
  llvm::MDNode* loop = llvm::MDNode::getDistinct(c, {nullptr, llvm::MDNode::get(c, disable)});
  loop->replaceOperandWith(0, loop);
  branch->setMetadata(llvm::LLVMContext::MD_loop, loop);
}

llvm::Value* less(Lowerer& l, llvm::Value* a, llvm::Value* b, bool is_signed) {
  return is_signed ? l.b().CreateICmpSLT(a, b) : l.b().CreateICmpULT(a, b);
}

/// hi - step, or the smallest number of the type where that is below it.
llvm::Value* last_start(Lowerer& l, const ir::Operation& op, llvm::Value* hi, llvm::Value* step,
                        bool is_signed) {
  const auto h = l.constant(op.in[1]), s = l.constant(op.in[2]);
  if (h && s && *h >= *s) return llvm::ConstantInt::get(hi->getType(), *h - *s);
  return l.intrinsic(is_signed ? llvm::Intrinsic::ssub_sat : llvm::Intrinsic::usub_sat, {hi, step},
                     {hi->getType()});
}

}  // namespace

void lower(ir::Tag<ir::Op::For>, Lowerer& l, const ir::Operation& op) {
  auto& b = l.b();
  const ir::Region& body = op.regions[0];
  const bool is_signed = ir::is_signed(l.elem(op.in[0]));
  llvm::Value *lo = l.value(op.in[0]), *hi = l.value(op.in[1]), *step = l.value(op.in[2]);
  const Values init = flatten(l, llvm::ArrayRef(op.in).drop_front(3));
  llvm::Value* last = last_start(l, op, hi, step, is_signed);
  llvm::BasicBlock *in = l.new_block("loop"), *after = l.new_block("after");
  llvm::BasicBlock* before = b.GetInsertBlock();
  const auto lo_n = l.constant(op.in[0]), hi_n = l.constant(op.in[1]);
  const bool surely = lo_n && hi_n && *lo_n < *hi_n;
  if (surely)
    b.CreateBr(in);
  else
    b.CreateCondBr(less(l, lo, hi, is_signed), in, after);

  b.SetInsertPoint(in);
  llvm::PHINode* i = b.CreatePHI(lo->getType(), 2);
  const Values carried = phis(l, init);
  i->addIncoming(lo, before);
  incoming(carried, init, before);
  l.set(body.args[0], i);
  distribute(l, llvm::ArrayRef(body.args).drop_front(1), carried);
  const ir::Operation& yield = l.region(body);
  const Values next = flatten(l, yield.in);
  llvm::BasicBlock* latch = b.GetInsertBlock();
  i->addIncoming(b.CreateAdd(i, step), latch);
  incoming(carried, next, latch);
  llvm::Instruction* back = b.CreateCondBr(less(l, i, last, is_signed), in, after);
  if (op.attr(ir::Key::Unroll) == 1 || has_barrier(body)) forbid_unrolling(l, back);

  b.SetInsertPoint(after);
  const Values results = phis(l, init);
  incoming(results, next, latch);
  if (!surely) incoming(results, init, before);
  distribute(l, op.out, results);
}

void lower(ir::Tag<ir::Op::While>, Lowerer& l, const ir::Operation& op) {
  auto& b = l.b();
  const ir::Region &head = op.regions[0], &body = op.regions[1];
  const Values init = flatten(l, op.in);
  llvm::BasicBlock *test = l.new_block("while"), *in = l.new_block("body"),
                   *after = l.new_block("after");
  llvm::BasicBlock* before = b.GetInsertBlock();
  b.CreateBr(test);

  b.SetInsertPoint(test);
  const Values carried = phis(l, init);
  incoming(carried, init, before);
  distribute(l, head.args, carried);
  const ir::Operation& condition = l.region(head);
  const Values kept = flatten(l, llvm::ArrayRef(condition.in).drop_front(1));
  b.CreateCondBr(l.value(condition.in[0]), in, after);

  b.SetInsertPoint(in);
  distribute(l, body.args, kept);
  const ir::Operation& yield = l.region(body);
  incoming(carried, flatten(l, yield.in), b.GetInsertBlock());
  llvm::Instruction* back = b.CreateBr(test);
  if (has_barrier(body) || has_barrier(head)) forbid_unrolling(l, back);

  b.SetInsertPoint(after);
  distribute(l, op.out, kept);
}

void lower(ir::Tag<ir::Op::If>, Lowerer& l, const ir::Operation& op) {
  auto& b = l.b();
  llvm::BasicBlock* before = b.GetInsertBlock();
  llvm::Value* c = l.value(op.in[0]);
  Values ends[2];
  llvm::BasicBlock *first[2], *from[2];
  for (int side = 0; side < 2; ++side) {
    first[side] = l.new_block(side ? "else" : "then");
    b.SetInsertPoint(first[side]);
    ends[side] = flatten(l, l.region(op.regions[side]).in);
    from[side] = b.GetInsertBlock();
  }
  llvm::BasicBlock* after = l.new_block("after");
  for (llvm::BasicBlock* block : from) {
    b.SetInsertPoint(block);
    b.CreateBr(after);
  }
  b.SetInsertPoint(before);
  b.CreateCondBr(c, first[0], first[1]);

  b.SetInsertPoint(after);
  const Values results = phis(l, ends[0]);
  for (int side = 0; side < 2; ++side) incoming(results, ends[side], from[side]);
  distribute(l, op.out, results);
}

}  // namespace barline::codegen
