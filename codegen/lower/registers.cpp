// SPDX-License-Identifier: Apache-2.0
#include "codegen/lower/registers_p.h"

#include <fmt/format.h>

#include <algorithm>

#include "codegen/lower/floats_p.h"

namespace barline::codegen {
namespace {

using ir::Elem;

/// Width of an element in memory.
int memory_bits(Elem e) { return e == Elem::I1 ? 8 : ir::bits(e); }

/// An element that came out of a register of its own width or wider.
llvm::Value* element(Lowerer& l, llvm::Value* bits, Elem e) {
  if (bits->getType()->isFloatingPointTy()) return bits;
  if (e == Elem::I1) {
    llvm::Value* byte = l.b().CreateTrunc(bits, l.int_type(8));
    return l.b().CreateICmpNE(byte, l.integer(8, 0));
  }
  bits = l.b().CreateTrunc(bits, l.int_type(ir::bits(e) < 8 ? 8 : ir::bits(e)));
  return ir::bits(e) == 4 ? l.b().CreateAnd(bits, l.integer(8, 15)) : bits;
}

/// Pairs stay as they are.
bool in_pairs(const Transfer& t) { return memory_bits(t.elem) == 16 && t.lanes > 1; }

}  // namespace

bool in_pairs(ir::Type t) { return t.kind == ir::Kind::Vector && ir::bits(t.elem) == 16; }

std::size_t register_count(ir::Type t) {
  if (t.kind != ir::Kind::Vector) return 1;
  return in_pairs(t) ? t.lanes / 2 : t.lanes;
}

// The halves by mov: ptxas then reads them in place, without a shift.
void split_pair(Lowerer& l, llvm::Value* word, Values& out) {
  llvm::Type* half = l.int_type(16);
  llvm::Value* both =
      l.pure_asm(llvm::StructType::get(half, half), "mov.b32 {$0, $1}, $2;", {word});
  out.push_back(l.b().CreateExtractValue(both, 0));
  out.push_back(l.b().CreateExtractValue(both, 1));
}

llvm::Value* join_pair(Lowerer& l, llvm::Value* low, llvm::Value* high) {
  return l.pure_asm(l.int_type(32), "mov.b32 $0, {$1, $2};", {low, high});
}

Values elements(Lowerer& l, ir::ValueId v) {
  return elements(l, v, 0, l.type(v).kind == ir::Kind::Vector ? l.type(v).lanes : 1);
}

Values elements(Lowerer& l, ir::ValueId v, std::size_t first, std::size_t count) {
  const Values& held = l.values(v);
  if (!in_pairs(l.type(v))) return Values(held.begin() + first, held.begin() + first + count);
  Values halves;
  for (std::size_t word = first / 2; 2 * word < first + count; ++word)
    split_pair(l, held[word], halves);
  const auto begin = halves.begin() + first % 2;
  return Values(begin, begin + count);
}

void set_elements(Lowerer& l, ir::ValueId v, const Values& elements) {
  if (!in_pairs(l.type(v))) return l.set(v, elements);
  Values words;
  for (std::size_t i = 0; i < elements.size(); i += 2)
    words.push_back(join_pair(l, elements[i], elements[i + 1]));
  l.set(v, words);
}

Values to_words(Lowerer& l, ir::Type t, const Values& held) {
  auto& b = l.b();
  llvm::Type* word = l.int_type(32);
  if (in_pairs(t)) return held;
  Values out;
  if (ir::bits(t.elem) < 32) {
    for (llvm::Value* r : pack(l, transfer(t), held)) out.push_back(b.CreateZExtOrTrunc(r, word));
    return out;
  }
  for (llvm::Value* v : held) {
    llvm::Value* bits = to_bits(l, v);
    out.push_back(b.CreateTrunc(bits, word));
    if (ir::bits(t.elem) == 64) out.push_back(b.CreateTrunc(b.CreateLShr(bits, 32), word));
  }
  return out;
}

Values from_words(Lowerer& l, ir::Type t, const Values& words) {
  auto& b = l.b();
  if (in_pairs(t)) return words;
  Values out;
  if (ir::bits(t.elem) < 32) {
    const Transfer whole = transfer(t);
    for (llvm::Value* w : words) out.push_back(b.CreateZExtOrTrunc(w, register_type(l, whole)));
    return unpack(l, whole, out);
  }
  const std::size_t each = ir::bits(t.elem) / 32;
  for (std::size_t i = 0; i < words.size(); i += each) {
    llvm::Value* bits = words[i];
    if (each == 2) {
      llvm::Type* wide = l.int_type(64);
      bits =
          b.CreateOr(b.CreateZExt(bits, wide), b.CreateShl(b.CreateZExt(words[i + 1], wide), 32));
    }
    out.push_back(from_bits(l, bits, t.elem));
  }
  return out;
}

Transfer transfer(ir::Type t) {
  Transfer r{.elem = t.elem, .lanes = t.lanes};
  const int bits = memory_bits(t.elem), total = std::max(8, bits * t.lanes);
  if (t.lanes == 1 || bits >= 32) {
    r.register_bits = std::max(8, bits);
    r.registers = std::min<int>(t.lanes, 128 / r.register_bits);
    r.instructions = t.lanes / r.registers;
  } else {
    r.register_bits = std::min(32, total);
    const int words = total / r.register_bits;
    r.registers = std::min(words, 4);
    r.instructions = words / r.registers;
  }
  const bool is_float = t.elem == Elem::F32 || t.elem == Elem::F64;
  switch (r.register_bits) {
    case 8: r.type = "b8"; break;
    case 16: r.type = "b16"; break;
    case 32: r.type = is_float ? "f32" : "b32"; break;
    default: r.type = is_float ? "f64" : "b64"; break;
  }
  return r;
}

Transfer stored(const ir::Operation& op, ir::Type t) {
  if (ir::bits(t.elem) == 4 && t.lanes == 1)
    ir::fail(ir::Diag::WrongClass, op.loc,
             fmt::format("a store of one {}, which shares its byte", ir::name(t.elem)),
             "store a vector of at least two");
  return transfer(t);
}

llvm::Type* register_type(Lowerer& l, const Transfer& t) {
  if (t.type[0] == 'f') return l.type_of(t.elem);
  return l.int_type(std::max(16, t.register_bits));
}

std::string vector_suffix(const Transfer& t) {
  return t.registers == 1 ? fmt::format(".{}", t.type)
                          : fmt::format(".v{}.{}", t.registers, t.type);
}

std::string register_list(const Transfer& t, int first) {
  if (t.registers == 1) return fmt::format("${}", first);
  std::string text = "{";
  for (int i = 0; i < t.registers; ++i) text += fmt::format("{}${}", i ? ", " : "", first + i);
  return text + "}";
}

Values unpack(Lowerer& l, const Transfer& t, const Values& registers) {
  if (in_pairs(t)) return registers;
  const int bits = memory_bits(t.elem);
  Values out;
  for (llvm::Value* r : registers) {
    const int in_register = std::min(t.lanes, std::max(1, t.register_bits / bits));
    for (int i = 0; i < in_register; ++i) {
      llvm::Value* shifted = i ? l.b().CreateLShr(r, i * bits) : r;
      out.push_back(element(l, shifted, t.elem));
    }
  }
  return out;
}

Values pack(Lowerer& l, const Transfer& t, const Values& held) {
  if (in_pairs(t)) return held;
  const int bits = memory_bits(t.elem);
  const int in_register = std::min(t.lanes, std::max(1, t.register_bits / bits));
  llvm::Type* type = register_type(l, t);
  Values out;
  for (std::size_t first = 0; first < held.size(); first += in_register) {
    if (type->isFloatingPointTy()) {
      out.push_back(held[first]);
    } else {
      llvm::Value* word = nullptr;
      for (int i = 0; i < in_register; ++i) {
        llvm::Value* v = l.b().CreateZExtOrTrunc(held[first + i], type);
        if (i) v = l.b().CreateShl(v, i * bits);
        word = word ? l.b().CreateOr(word, v) : v;
      }
      out.push_back(word);
    }
  }
  return out;
}

}  // namespace barline::codegen
