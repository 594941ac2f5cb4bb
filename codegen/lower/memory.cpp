// SPDX-License-Identifier: Apache-2.0
// Loads, stores and prefetches. Each is one assembly template,
//
//   @p  ld [.order.scope] .space [.cache] [.nc] [.vN] .type  {registers}, [base + immediate]
//
// and never an LLVM load: LLVM would turn a load that it believes invariant into ld.global.nc, and
// has no cache hints. The calls are marked as touching all memory, so LLVM keeps the program's
// order of accesses and barriers; ptxas schedules them freely within the PTX memory model. It moves
// an ld.global.nc above griddepcontrol.wait, too, so after that a constant is loaded as any other.
#include <fmt/format.h>

#include <utility>

#include "codegen/lower/address_p.h"
#include "codegen/lower/ops_p.h"
#include "codegen/lower/registers_p.h"

namespace barline::codegen {
namespace {

using ir::CacheHint;
using ir::MemOrder;

bool is_shared(Lowerer& l, const ir::Operation& op) {
  return l.type(op.in[0]).space == ir::Space::Shared;
}

/// A hint changes no value, so where an instruction has no form for it (shared memory, cache
/// operators under an order) it is left out.
std::string load_cache(Lowerer& l, const ir::Operation& op, MemOrder order) {
  if (!op.find(ir::Key::Cache) || is_shared(l, op)) return "";
  const bool ordered = order == MemOrder::Relaxed || order == MemOrder::Acquire;
  switch (op.attr_as<CacheHint>(ir::Key::Cache)) {
    case CacheHint::All: return ordered ? "" : ".ca";
    case CacheHint::Global: return ordered ? "" : ".cg";
    case CacheHint::Streaming: return ordered ? "" : ".cs";
    case CacheHint::LastUse: return ordered || order == MemOrder::Const ? "" : ".lu";
    case CacheHint::WriteThrough: return "";
    case CacheHint::EvictFirst: return ".L1::evict_first";
    case CacheHint::EvictLast: return ".L1::evict_last";
    case CacheHint::NoAllocate: return ".L1::no_allocate";
  }
  return "";
}

std::string store_cache(Lowerer& l, const ir::Operation& op, MemOrder order) {
  if (!op.find(ir::Key::Cache) || is_shared(l, op)) return "";
  const bool ordered = order != MemOrder::Weak;
  switch (op.attr_as<CacheHint>(ir::Key::Cache)) {
    case CacheHint::All: return ordered ? "" : ".wb";
    case CacheHint::Global: return ordered ? "" : ".cg";
    case CacheHint::Streaming: return ordered ? "" : ".cs";
    case CacheHint::LastUse: return "";
    case CacheHint::WriteThrough: return ordered ? "" : ".wt";
    case CacheHint::EvictFirst: return ".L1::evict_first";
    case CacheHint::EvictLast: return ".L1::evict_last";
    case CacheHint::NoAllocate: return ".L1::no_allocate";
  }
  return "";
}

/// "ld.global.cs.nc", "ld.acquire.gpu.global".
std::string load_name(Lowerer& l, const ir::Operation& op, const char* space) {
  const auto order = op.attr_as<MemOrder>(ir::Key::Order);
  const std::string cache = load_cache(l, op, order);
  if (order == MemOrder::Relaxed || order == MemOrder::Acquire)
    return fmt::format("ld.{}.{}.{}{}", order == MemOrder::Relaxed ? "relaxed" : "acquire",
                       scope(l, op), space, cache);
  const bool read_only = order == MemOrder::Const && !is_shared(l, op) && !l.awaits_previous();
  if (!read_only) return fmt::format("ld.{}{}", space, cache);
  return cache.starts_with(".L1") ? "ld.global.nc" + cache : "ld.global" + cache + ".nc";
}

std::string store_name(Lowerer& l, const ir::Operation& op, const char* space) {
  const auto order = op.attr_as<MemOrder>(ir::Key::Order);
  const std::string cache = store_cache(l, op, order);
  if (order == MemOrder::Weak) return fmt::format("st.{}{}", space, cache);
  return fmt::format("st.{}.{}.{}{}", order == MemOrder::Relaxed ? "relaxed" : "release",
                     scope(l, op), space, cache);
}

/// One instruction's registers. A masked-off load leaves zeros: they are written first.
void load_registers(Lowerer& l, const Transfer& t, const std::string& name, const Address& a,
                    int step, llvm::Value* active, Values& out) {
  llvm::Type* type = register_type(l, t);
  llvm::SmallVector<llvm::Type*, 4> types(t.registers, type);
  llvm::Type* result =
      t.registers == 1 ? type : llvm::StructType::get(l.module().getContext(), types);
  std::string text;
  llvm::SmallVector<llvm::Value*, 2> args{a.base};
  if (active) {
    const int bits = std::max(16, t.register_bits);
    for (int i = 0; i < t.registers; ++i) text += fmt::format("mov.b{} ${}, 0; ", bits, i);
    text += fmt::format("@${} ", t.registers + 1);
    args.push_back(active);
  }
  text += fmt::format("{}{} {}, {};", name, vector_suffix(t), register_list(t, 0),
                      a.text(t.registers, step * t.bytes()));
  llvm::Value* loaded = l.memory_asm(result, text, args, active != nullptr);
  if (t.registers == 1) return out.push_back(loaded);
  for (int i = 0; i < t.registers; ++i) out.push_back(l.b().CreateExtractValue(loaded, i));
}

/// The half of a byte that a single 4-bit element stands in.
llvm::Value* pick_nibble(Lowerer& l, const ir::Operation& op, llvm::Value* byte) {
  llvm::Value* index = l.b().CreateZExtOrTrunc(l.value(op.in[1]), l.int_type(16));
  index = l.b().CreateAdd(index, l.integer(16, op.attr(ir::Key::Offset) & 1));
  llvm::Value* odd = l.b().CreateAnd(index, l.integer(16, 1));
  llvm::Value* high = l.b().CreateLShr(byte, 4);
  return l.b().CreateSelect(l.b().CreateICmpNE(odd, l.integer(16, 0)), high, byte);
}

}  // namespace

void lower(ir::Tag<ir::Op::Load>, Lowerer& l, const ir::Operation& op) {
  if (op.out.empty()) return;
  const ir::Type& type = l.type(op.out[0]);
  const Transfer t = transfer(type);
  const Address a = address(l, op, type.lanes);
  const std::string name = load_name(l, op, a.space);
  llvm::Value* active = op.in.size() > 2 ? l.value(op.in[2]) : nullptr;
  Values registers;
  for (int i = 0; i < t.instructions; ++i) load_registers(l, t, name, a, i, active, registers);
  if (ir::bits(type.elem) == 4 && type.lanes == 1) registers[0] = pick_nibble(l, op, registers[0]);
  l.set(op.out[0], unpack(l, t, registers));
}

void lower(ir::Tag<ir::Op::Store>, Lowerer& l, const ir::Operation& op) {
  const ir::Type& type = l.type(op.in[2]);
  const Transfer t = stored(op, type);
  const Address a = address(l, op, type.lanes);
  const std::string name = store_name(l, op, a.space);
  const Values registers = pack(l, t, l.values(op.in[2]));
  for (int i = 0; i < t.instructions; ++i) {
    llvm::SmallVector<llvm::Value*, 6> args{a.base};
    for (int r = 0; r < t.registers; ++r) args.push_back(registers[i * t.registers + r]);
    std::string text = fmt::format("{}{} {}, {};", name, vector_suffix(t), a.text(0, i * t.bytes()),
                                   register_list(t, 1));
    if (op.in.size() > 3) {
      text = fmt::format("@${} {}", args.size(), text);
      args.push_back(l.value(op.in[3]));
    }
    l.memory_asm(l.b().getVoidTy(), text, args);
  }
}

void lower(ir::Tag<ir::Op::Prefetch>, Lowerer& l, const ir::Operation& op) {
  const Address a = address(l, op, 1);
  std::string text = fmt::format("prefetch.global.L2 {};", a.text(0));
  llvm::SmallVector<llvm::Value*, 2> args{a.base};
  if (op.in.size() > 2) {
    text = "@$1 " + text;
    args.push_back(l.value(op.in[2]));
  }
  l.memory_asm(l.b().getVoidTy(), text, args);
}

void lower(ir::Tag<ir::Op::Pack>, Lowerer& l, const ir::Operation& op) {
  Values held;
  llvm::Value* low = nullptr;  // of a pair whose other half is still to come
  for (ir::ValueId v : op.in) {
    const bool whole = in_pairs(l.type(v)) && !low;
    const Values parts = whole ? l.values(v) : elements(l, v);
    const bool pairs = in_pairs(l.type(op.out[0])) && !whole;
    for (llvm::Value* part : parts) {
      if (!pairs)
        held.push_back(part);
      else if (llvm::Value* first = std::exchange(low, low ? nullptr : part))
        held.push_back(join_pair(l, first, part));
    }
  }
  l.set(op.out[0], held);
}

void lower(ir::Tag<ir::Op::Extract>, Lowerer& l, const ir::Operation& op) {
  const std::size_t first = op.attr(ir::Key::Index), n = l.type(op.out[0]).lanes;
  if (in_pairs(l.type(op.out[0])) && first % 2 == 0) {
    const auto words = l.values(op.in[0]).begin() + first / 2;
    return l.set(op.out[0], Values(words, words + n / 2));
  }
  set_elements(l, op.out[0], elements(l, op.in[0], first, n));
}

}  // namespace barline::codegen
