// SPDX-License-Identifier: Apache-2.0
// What the lowerings of all ops share: the builder, the LLVM values of the kernel's values, and
// inline assembly. How a value of the IR is held:
//
//   i1            i1                         f32, f64    float, double
//   integers      iN of their width          f16, bf16   i16, the bits
//   8-bit floats  i8, the bits               s4 u4 e2m1  i8, the bits in the low half, above 0
//   parameter     i64, the byte address, or the scalar
//   slot          i32, the byte address of its copy less the slot's offset, which goes into the
//                 instruction: accesses of several slots share a register
//   vector        its elements, one by one; those of 16 bits two an i32, the first one low, as
//                 the packed instructions and mma take them
//
// The builder folds nothing, so what is poison in LLVM and total in the IR never meets a folder.
#pragma once

#include <llvm/ADT/ArrayRef.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/ADT/StringRef.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/NoFolder.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "codegen/ptx.h"
#include "ir/diagnostic.h"
#include "ir/kernel.h"
#include "ir/target.h"
#include "ir/tensor_map.h"

namespace llvm {
class DIBuilder;
class DISubprogram;
}  // namespace llvm

namespace barline::codegen {

/// Bytes of a tensor map, a launch argument at a multiple of 64.
inline constexpr unsigned tensor_map_bytes = 128;

using Values = llvm::SmallVector<llvm::Value*, 1>;

class Lowerer {
 public:
  Lowerer(const ir::Kernel& k, const ir::Target& target, const EmitOptions& options,
          llvm::LLVMContext& context);
  ~Lowerer();
  std::unique_ptr<llvm::Module> run();

  const ir::Kernel& kernel() const { return k_; }
  const ir::Target& target() const { return target_; }
  llvm::Module& module() { return *module_; }
  llvm::Function& function() { return *function_; }
  llvm::IRBuilder<llvm::NoFolder>& b() { return builder_; }

  // ---- values ----
  const ir::Type& type(ir::ValueId v) const { return k_.type(v); }
  ir::Elem elem(ir::ValueId v) const { return k_.type(v).elem; }
  /// What holds a scalar or vector value (its elements: elements() in registers_p.h).
  const Values& values(ir::ValueId v) const { return values_[v]; }
  llvm::Value* value(ir::ValueId v) const { return values_[v].front(); }
  void set(ir::ValueId v, llvm::Value* value) { values_[v] = {value}; }
  void set(ir::ValueId v, Values values) { values_[v] = std::move(values); }
  /// Sets the only result of an op; nothing where the op has none.
  void result(const ir::Operation& op, llvm::Value* value) {
    if (!op.out.empty()) set(op.out[0], value);
  }
  /// The same for a result that is counted in 32 bits and declared a signed integer of any width.
  void result_s32(const ir::Operation& op, llvm::Value* value) {
    if (!op.out.empty())
      set(op.out[0], builder_.CreateSExtOrTrunc(value, type_of(elem(op.out[0]))));
  }
  /// The value of an integer constant of the IR, or of a vector that repeats one, sign- or
  /// zero-extended by its type.
  std::optional<std::int64_t> constant(ir::ValueId v) const;
  /// The op that gives the value, or null for a parameter, a slot or a region's argument.
  const ir::Operation* definition(ir::ValueId v) const { return defs_[v]; }
  /// The slot that a pointer is of, or a copy of.
  int slot_of(ir::ValueId pointer) const { return ir::root_of(k_, defs_, pointer).slot; }
  /// The generic address of the tensor map that a copy_tensor's pointer stands for.
  llvm::Value* map_address(const ir::Operation& copy);
  /// Whether the kernel waits for the grid before. What is constant for it was still being written
  /// before the wait, so a read-only load may not be moved up; one that stands before may not be
  /// moved down, where it would wait too. ptxas keeps weak loads on their side alone.
  bool awaits_previous() const { return awaits_previous_; }
  /// Whether the kernel keeps loads apart by warp_syncs: register streams, which are short of slots
  /// of issue and not of registers.
  bool streams_loads() const { return streams_loads_; }
  /// Whether a wgmma reads the registers, and only wgmmas and their syncs stand between it and
  /// here.
  bool just_read(ir::ValueId v) const { return just_read_.contains(v); }
  /// Registers a thread has when the kernel starts.
  int launch_registers() const;
  /// Whether any op takes the value.
  bool is_used(ir::ValueId v) const { return used_[v]; }

  // ---- types and constants ----
  llvm::Type* type_of(ir::Elem e);
  llvm::IntegerType* int_type(unsigned bits) { return builder_.getIntNTy(bits); }
  llvm::ConstantInt* integer(unsigned bits, std::uint64_t value) {
    return llvm::ConstantInt::get(int_type(bits), value);
  }
  llvm::Value* f32(float value);
  llvm::Value* f64(double value);

  // ---- inline assembly; operands are constrained by their LLVM types (i1 b, i16 h, i32 r, ...)
  // ----
  /// Assembly whose result depends on its operands alone: may be merged, moved and dropped.
  llvm::Value* pure_asm(llvm::Type* result, llvm::StringRef text,
                        llvm::ArrayRef<llvm::Value*> args);
  /// Assembly that reads or writes memory: keeps its place among all other memory accesses as far
  /// as LLVM goes. ptxas goes by the PTX memory model alone. `early`: results are written before
  /// the operands are read for the last time.
  llvm::Value* memory_asm(llvm::Type* result, llvm::StringRef text,
                          llvm::ArrayRef<llvm::Value*> args, bool early = false);
  /// Assembly that a whole warp reaches together. `memory`: it reads or writes memory.
  llvm::Value* warp_asm(llvm::Type* result, llvm::StringRef text, llvm::ArrayRef<llvm::Value*> args,
                        bool memory);
  /// Assembly of a whole warp that updates `tied` registers in place: operands $0 .. are they, on
  /// the way in and out, and those after them are `args`. Gives their new values.
  Values tied_asm(llvm::StringRef text, llvm::ArrayRef<llvm::Value*> tied,
                  llvm::ArrayRef<llvm::Value*> args);
  /// Calls an LLVM intrinsic by number.
  llvm::Value* intrinsic(unsigned id, llvm::ArrayRef<llvm::Value*> args,
                         llvm::ArrayRef<llvm::Type*> overload = {});

  // ---- structure ----
  /// Lowers the region's ops up to its terminator, and returns that.
  const ir::Operation& region(const ir::Region& region);
  llvm::BasicBlock* new_block(const char* name);
  /// x + X * (y + Y * z), without the dimensions that have one thread.
  llvm::Value* thread_rank();

 private:
  static bool is_product(const ir::Operation& op);
  void declare_function();
  void launch_bounds();
  void bind_parameters();
  void bind_maps();
  void bind_slots();
  void start_gates();
  void start_lineinfo();
  void place(const ir::Loc& loc);

  const ir::Kernel& k_;
  const ir::Target& target_;
  EmitOptions options_;
  std::vector<const ir::Operation*> defs_;
  std::vector<bool> used_;
  std::vector<Values> values_;
  std::vector<ir::TensorMap> maps_;
  std::vector<llvm::Value*> map_addresses_;
  bool awaits_previous_ = false, streams_loads_ = false;
  std::set<ir::ValueId> just_read_;
  std::unique_ptr<llvm::Module> module_;
  llvm::IRBuilder<llvm::NoFolder> builder_;
  llvm::Function* function_ = nullptr;
  std::unique_ptr<llvm::DIBuilder> debug_;
  llvm::DISubprogram* subprogram_ = nullptr;
};

/// Lowers an elementwise op on vectors: in pairs where there is an instruction for two elements of
/// 16 bits, else element by element by the lowering of scalars. (vectors.cpp)
void lower_vector(Lowerer& l, const ir::Operation& op);

/// Lowers one op by its row of ops.def. One on vectors is to be of scalars by then.
void lower_row(Lowerer& l, const ir::Operation& op);
/// Lowers one op.
void lower_op(Lowerer& l, const ir::Operation& op);

}  // namespace barline::codegen
