// SPDX-License-Identifier: Apache-2.0
// Matrix instructions of a warp. Their operands are 32-bit registers of two 16-bit elements, which
// is how vectors of those are held, so nothing is moved on the way.
#include <fmt/format.h>

#include "codegen/lower/address_p.h"
#include "codegen/lower/floats_p.h"
#include "codegen/lower/ops_p.h"
#include "codegen/lower/registers_p.h"

namespace barline::codegen {
namespace {

using ir::Elem;

/// "{$2, $3}": n operands of the assembly from number `first` on, and where the next ones start.
std::string list(int& first, std::size_t n) {
  std::string text = "{";
  for (std::size_t i = 0; i < n; ++i) text += fmt::format("{}${}", i ? ", " : "", first++);
  return text + "}";
}

/// "m16n8k16.row.col.f32.bf16.bf16.f32".
std::string mma_form(const ir::Type& a) {
  if (a.elem == Elem::U32) return "m16n8k32.row.col.s32.s8.s8.s32";
  return fmt::format("m16n8k{0}.row.col.f32.{1}.{1}.f32", a.lanes * 2, ir::name(a.elem));
}

Values unbundle(Lowerer& l, llvm::Value* result, std::size_t n) {
  if (n == 1) return {result};
  Values out;
  for (std::size_t i = 0; i < n; ++i)
    out.push_back(l.b().CreateExtractValue(result, static_cast<unsigned>(i)));
  return out;
}

llvm::Type* bundle(Lowerer& l, llvm::Type* each, std::size_t n) {
  if (n == 1) return each;
  llvm::SmallVector<llvm::Type*, 4> types(n, each);
  return llvm::StructType::get(l.module().getContext(), types);
}

}  // namespace

void lower(ir::Tag<ir::Op::MmaSync>, Lowerer& l, const ir::Operation& op) {
  llvm::SmallVector<llvm::Value*, 10> args;
  int next = 0;
  std::string text =
      fmt::format("mma.sync.aligned.{} {}", mma_form(l.type(op.in[0])), list(next, 4));
  for (ir::ValueId v : op.in) {
    const Values& held = l.values(v);
    text += ", " + list(next, held.size());
    args.append(held.begin(), held.end());
  }
  llvm::Type* each = l.type_of(l.elem(op.in[2]));
  l.set(op.out[0], unbundle(l, l.warp_asm(bundle(l, each, 4), text + ";", args, false), 4));
}

void lower(ir::Tag<ir::Op::LoadMatrix>, Lowerer& l, const ir::Operation& op) {
  const std::size_t n = register_count(l.type(op.out[0]));
  int next = 0;
  const std::string registers = list(next, n);
  const Address a = address(l, op, 8);
  const std::string text =
      fmt::format("ldmatrix.sync.aligned.m8n8.x{}{}.shared.b16 {}, {};", n,
                  op.attr(ir::Key::Transpose) ? ".trans" : "", registers, a.text(next));
  l.set(op.out[0], unbundle(l, l.warp_asm(bundle(l, l.int_type(32), n), text, {a.base}, true), n));
}

void lower(ir::Tag<ir::Op::MoveMatrix>, Lowerer& l, const ir::Operation& op) {
  l.result(op, l.warp_asm(l.int_type(32), "movmatrix.sync.aligned.m8n8.trans.b16 $0, $1;",
                          {l.value(op.in[0])}, false));
}

}  // namespace barline::codegen
