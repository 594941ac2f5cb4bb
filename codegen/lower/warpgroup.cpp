// SPDX-License-Identifier: Apache-2.0
// What a warpgroup does together: wgmma, its waits, register budgets; and stmatrix.
//
//   wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {sums}, {a}, b, 1, 1, 1, transposed;
//
// The sums are updated in place, so that nothing stands between the products of a chain. A slot is
// given by a descriptor of 64 bits, in units of 16 bytes:
//
//   bits 0-13 start address   16-29 bytes between panels   32-45 bytes between groups of 8 rows
//   bits 62-63: 1, rows of 128 bytes, swizzled
#include <fmt/format.h>

#include <algorithm>

#include <llvm/IR/IntrinsicsNVPTX.h>
#include <llvm/IR/MDBuilder.h>

#include "codegen/lower/address_p.h"
#include "codegen/lower/ops_p.h"
#include "codegen/lower/registers_p.h"

namespace barline::codegen {
namespace {

using ir::Key;

std::string list(int first, std::size_t n) {
  std::string text = "{";
  for (std::size_t i = 0; i < n; ++i) text += fmt::format("{}${}", i ? ", " : "", first + i);
  return text + "}";
}

/// Where an operand in a slot begins: pointer, index and elements after it.
struct InSlot {
  ir::ValueId root, index;
  std::int64_t offset = 0;
  std::int64_t panel_bytes = 16;  ///< unused where the rows run along the summed axis
};

/// The descriptor: what is constant of it is added in one go, so that the operands of neighbouring
/// products share the rest.
llvm::Value* descriptor(Lowerer& l, const InSlot& s) {
  Address a = address(l, s.root, s.index, s.offset, 1);
  if (a.offset % 16 != 0) {
    a.base = l.b().CreateAdd(a.base, l.integer(32, a.offset));
    a.offset = 0;
  }
  constexpr std::uint64_t eight_rows = 1024 / 16, swizzled = 1;
  const auto panel = static_cast<std::uint64_t>(s.panel_bytes / 16);
  const std::uint64_t constant = static_cast<std::uint64_t>(a.offset / 16) + (panel << 16) +
                                 (eight_rows << 32) + (swizzled << 62);
  llvm::Value* start = l.b().CreateZExt(l.b().CreateLShr(a.base, 4), l.int_type(64));
  return l.b().CreateAdd(start, l.integer(64, constant));
}

InSlot operand_b(Lowerer& l, const ir::Operation& op, ir::ValueId root, ir::ValueId index) {
  InSlot s{root, index, op.attr(Key::Offset)};
  if (op.attr(Key::Transpose) && op.find(Key::Pitch))
    s.panel_bytes = op.attr(Key::Pitch) * ir::bits(l.elem(root)) / 8;
  return s;
}

/// The product of the op whose accumulators are operands `first` and on; `a` has the registers or
/// the descriptor of a.
void multiply(Lowerer& l, const ir::Operation& op, std::size_t first, const Values& a,
              ir::ValueId b, ir::ValueId b_index) {
  llvm::SmallVector<llvm::Value*, 128> sums;
  for (std::size_t i = first; i < op.in.size(); ++i)
    sums.append(l.values(op.in[i]).begin(), l.values(op.in[i]).end());
  Values args(a);
  args.push_back(descriptor(l, operand_b(l, op, b, b_index)));

  const int n = static_cast<int>(sums.size()), columns = static_cast<int>(op.in.size() - first) * 8;
  const bool whole = l.elem(b) == ir::Elem::S8, in_registers = a.size() > 1;
  const std::string_view e = ir::name(l.elem(b));
  std::string text =
      fmt::format("wgmma.mma_async.sync.aligned.m64n{}k{}.{}.{}.{} {}, {}, ${}, 1", columns,
                  whole ? 32 : 16, whole ? "s32" : "f32", e, e, list(0, sums.size()),
                  in_registers ? list(n, a.size()) : fmt::format("${}", n), n + a.size());
  if (!whole) {
    text += ", 1, 1";
    if (!in_registers) text += ", 0";  // a's rows run along k
    text += op.attr(Key::Transpose) ? ", 1" : ", 0";
  }
  const Values results = l.tied_asm(text + ";", sums, args);
  const std::size_t each = sums.size() / op.out.size();
  for (std::size_t i = 0; i < op.out.size(); ++i)
    l.set(op.out[i], Values(results.begin() + i * each, results.begin() + (i + 1) * each));
}

/// ptxas takes a register that a wgmma reads for free once the wgmma is issued, though the unit
/// reads it until its group is waited for. A branch that no launch takes (a grid has at most 65535
/// blocks along z) to where the registers are used keeps them until here. Each has a place of its
/// own there: of two stores to one place ptxas keeps the last.
void hold(Lowerer& l, const Values& held) {
  if (held.empty()) return;
  // Asked anew for each wait: of one value LLVM knows behind the first branch that it is small.
  llvm::Value* depth = l.memory_asm(l.int_type(32), "mov.u32 $0, %nctaid.z;", {});
  llvm::Value* never = l.b().CreateICmpUGT(depth, l.integer(32, 65535));
  llvm::BasicBlock *use = l.new_block("never"), *after = l.new_block("held");
  l.b().CreateCondBr(never, use, after,
                     llvm::MDBuilder(l.module().getContext()).createUnlikelyBranchWeights());
  l.b().SetInsertPoint(use);
  std::string text;
  Values args{depth};
  for (std::size_t i = 0; i < held.size(); i += 4) {
    const std::size_t n = std::min<std::size_t>(4, held.size() - i);
    text +=
        fmt::format("st.shared.v4.b32 [$0+{}], {};", 4 * i, list(static_cast<int>(args.size()), n));
    args.append(held.begin() + i, held.begin() + i + n);
  }
  l.memory_asm(l.b().getVoidTy(), text, args);
  l.intrinsic(llvm::Intrinsic::trap, {});
  l.b().CreateUnreachable();
  l.b().SetInsertPoint(after);
}

/// An instruction that every accumulator given to it passes: nothing writes one between a fence and
/// the products, and nothing reads one before a wait. Operands after them are registers that the
/// products read: they stay until here, of themselves where nothing stands in between.
void pass_through(Lowerer& l, const ir::Operation& op, const std::string& text) {
  llvm::SmallVector<llvm::Value*, 128> sums;
  Values held;
  for (std::size_t i = 0; i < op.in.size(); ++i) {
    const Values& v = l.values(op.in[i]);
    if (i < op.out.size())
      sums.append(v.begin(), v.end());
    else if (!l.just_read(op.in[i]))
      held.append(v.begin(), v.end());
  }
  const Values results = l.tied_asm(text, sums, {});
  hold(l, held);
  std::size_t at = 0;
  for (ir::ValueId v : op.out) {
    const std::size_t n = register_count(l.type(v));
    l.set(v, Values(results.begin() + at, results.begin() + at + n));
    at += n;
  }
}

}  // namespace

void lower(ir::Tag<ir::Op::StoreMatrix>, Lowerer& l, const ir::Operation& op) {
  const Values& held = l.values(op.in[2]);
  const Address a = address(l, op, 8);
  llvm::SmallVector<llvm::Value*, 5> args{a.base};
  args.append(held.begin(), held.end());
  l.warp_asm(l.b().getVoidTy(),
             fmt::format("stmatrix.sync.aligned.m8n8.x{}{}.shared.b16 {}, {};", held.size(),
                         op.attr(Key::Transpose) ? ".trans" : "", a.text(0), list(1, held.size())),
             args, true);
}

void lower(ir::Tag<ir::Op::Wgmma>, Lowerer& l, const ir::Operation& op) {
  multiply(l, op, 3, l.values(op.in[0]), op.in[1], op.in[2]);
}

void lower(ir::Tag<ir::Op::WgmmaSlots>, Lowerer& l, const ir::Operation& op) {
  multiply(l, op, 4, {descriptor(l, {op.in[0], op.in[1]})}, op.in[2], op.in[3]);
}

void lower(ir::Tag<ir::Op::WgmmaFence>, Lowerer& l, const ir::Operation& op) {
  pass_through(l, op, "wgmma.fence.sync.aligned;");
}

void lower(ir::Tag<ir::Op::WgmmaCommit>, Lowerer& l, const ir::Operation&) {
  l.warp_asm(l.b().getVoidTy(), "wgmma.commit_group.sync.aligned;", {}, true);
}

void lower(ir::Tag<ir::Op::WgmmaWait>, Lowerer& l, const ir::Operation& op) {
  pass_through(l, op, fmt::format("wgmma.wait_group.sync.aligned {};", op.attr(Key::Pending)));
}

int Lowerer::launch_registers() const {
  constexpr int most = 248;  // the largest multiple of 8 that a thread can have
  const ir::Launch& launch = k_.launch;
  if (launch.max_registers > 0) return launch.max_registers;
  const int threads = launch.block_threads() * std::max(1, launch.min_ctas_per_sm);
  const int fit = target_.registers_per_sm / threads / 8 * 8;
  return std::min(fit, most);
}

void lower(ir::Tag<ir::Op::SetRegisters>, Lowerer& l, const ir::Operation& op) {
  const std::int64_t n = op.attr(Key::Registers);
  if (n < 24 || n > 256 || n % 8 != 0)
    ir::fail(ir::Diag::BadAttr, op.loc, fmt::format("set_registers to {}", n),
             "take a multiple of 8 from 24 to 256");
  const char* way = n < l.launch_registers() ? "dec" : "inc";
  l.warp_asm(l.b().getVoidTy(), fmt::format("setmaxnreg.{}.sync.aligned.u32 {};", way, n), {},
             true);
}

}  // namespace barline::codegen
