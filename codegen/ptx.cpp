// SPDX-License-Identifier: Apache-2.0
#include "codegen/ptx.h"

#include <fmt/format.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

#include <algorithm>

#include "codegen/lower/lower.h"
#include "codegen/target_machine.h"

namespace barline::codegen {
namespace {

bool is_fp8(ir::Elem e) { return e == ir::Elem::E4M3 || e == ir::Elem::E5M2; }

/// Whether lowering the op converts an 8-bit float: only casts, comparisons and prints look inside.
bool converts_fp8(const ir::Kernel& k, const ir::Operation& op) {
  if (!op.is(ir::Op::Cast) && !op.is(ir::Op::Cmp) && !op.is(ir::Op::Print)) return false;
  auto fp8 = [&](ir::ValueId v) { return is_fp8(k.type(v).elem); };
  return std::any_of(op.in.begin(), op.in.end(), fp8) ||
         std::any_of(op.out.begin(), op.out.end(), fp8);
}

/// The ISA version that an op's instruction came with; 0 where every target's least has it.
int isa_of(const ir::Kernel& k, const ir::Operation& op, const ir::Target& target) {
  if (target.capability == 89 && converts_fp8(k, op)) return 81;  // sm_90 had them in 7.8
  if (op.is(ir::Op::MoveMatrix)) return 78;
  if (op.is(ir::Op::CopyAsync) && !op.find(ir::Key::Cache)) return 74;  // .L2::128B
  const bool level = op.find(ir::Key::Cache) &&
                     op.attr_as<ir::CacheHint>(ir::Key::Cache) >= ir::CacheHint::EvictFirst;
  return level ? 74 : 0;  // .L1:: eviction priorities
}

/// LLVM 19 has no word for a kernel's clusters. Where ptxas is not told that there are some, the
/// code asks at every barrier of the cluster.
std::string with_cluster(std::string ptx, int blocks) {
  if (blocks > 1)
    ptx.insert(ptx.find("\n.maxntid ") + 1,
               fmt::format(".explicitcluster\n.reqnctapercluster {}, 1, 1\n", blocks));
  return ptx;
}

}  // namespace

int ptx_isa(const ir::Kernel& k, const ir::Target& target) {
  int isa = target.ptx_isa;
  ir::walk(k.body, [&](const ir::Operation& op) { isa = std::max(isa, isa_of(k, op, target)); });
  return isa;
}

std::string emit_ptx(const ir::Kernel& k, const ir::Target& target, const EmitOptions& options) {
  auto machine = make_target_machine(target, ptx_isa(k, target));
  llvm::LLVMContext context;
  auto module = lower(k, target, options, context);
  return with_cluster(print_ptx(*module, *machine), k.launch.cluster);
}

std::string emit_llvm(const ir::Kernel& k, const ir::Target& target, const EmitOptions& options) {
  llvm::LLVMContext context;
  std::string text;
  llvm::raw_string_ostream out(text);
  lower(k, target, options, context)->print(out, nullptr);
  return text;
}

}  // namespace barline::codegen
