// SPDX-License-Identifier: Apache-2.0
// Compiles a kernel for one launch to the flat program. The meaning of each op appends its
// instructions (meanings.h); this keeps registers, labels and side tables.
#pragma once

#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "verify/interp/program.h"
#include "verify/interp/registers.h"
#include "verify/interp/simulate.h"

namespace barline::verify::sim {

class Compiler {
 public:
  Compiler(const ir::Kernel& k, const Geometry& geometry, std::span<const SimArgument> arguments,
           std::span<const int> tensor_of_param, bool syncs_placed);
  /// Blocks leave where they come to this op of the kernel.
  void leave_before(const ir::Operation* op) { leave_before_ = op; }
  Program run();

  // ---- for the meanings of ops ----
  const ir::Kernel& kernel() const { return k_; }
  bool syncs_placed() const { return syncs_placed_; }
  const Geometry& geometry() const { return program_.geometry; }
  const ir::Type& type(ir::ValueId v) const { return k_.type(v); }
  ir::Elem elem(ir::ValueId v) const { return k_.type(v).elem; }

  /// Elements that a lane holds of a value of this type.
  std::uint32_t count(const ir::Type& t);
  /// Where a value stands.
  Operand in(ir::ValueId v) const { return at_[v]; }
  /// A register for a value that the op defines; freed after its last use in the region.
  Operand define(ir::ValueId v);
  /// The value stands in a register that something else owns.
  void bind(ir::ValueId v, Operand at) { at_[v] = at; }
  Operand temporary(ir::Elem e, std::uint32_t n);
  void release(Operand o) { give_back(o.at); }
  /// Registers that are freed from now on stay taken until `let_go`: code that is called from more
  /// than one place keeps its own for as long as it is called.
  void hold() { holding_ = true; }
  std::vector<std::uint32_t> end_hold() {
    holding_ = false;
    return std::exchange(held_, {});
  }
  void let_go(const std::vector<std::uint32_t>& held) {
    for (std::uint32_t at : held) give_back(at);
  }

  /// Appends an instruction of the op under compilation; its index.
  std::uint32_t emit(Inst inst);
  std::uint32_t here() const { return static_cast<std::uint32_t>(program_.code.size()); }
  /// The jump of instruction `at` goes to the next one appended.
  void patch(std::uint32_t at) { program_.code[at].target = here(); }

  /// Here the first warp ends its block, wherever the others are.
  void leave();

  /// Compiles a region's ops; `end` is called on its terminator while the region's values live.
  void region(const ir::Region& r, const std::function<void(const ir::Operation&)>& end);
  /// Copies the values to `to`, all of them before any of `to` is read again.
  void copy_to(std::span<const ir::ValueId> values, std::span<const Operand> to, bool masked);
  void copy(Operand from, Operand to, ir::Elem e, std::uint32_t n, bool masked);

  const std::vector<const ir::Operation*>& definitions() const { return defs_; }
  ir::Root root(ir::ValueId pointer) const { return ir::root_of(k_, defs_, pointer); }
  /// Index into the launch's tensors of a parameter's.
  int tensor_of(int param) const { return tensor_of_param_[static_cast<std::size_t>(param)]; }
  /// Decodes operand 0, the index and the attributes of a memory op that is about to be emitted.
  Access access(const ir::Operation& op);
  std::uint32_t add(const Access& a) { return append(program_.accesses, a); }
  std::uint32_t add(const Exchange& e) { return append(program_.exchanges, e); }
  std::uint32_t add(const Message& m) { return append(program_.messages, m); }
  std::uint32_t add(FragmentAccess f);
  std::uint32_t add(DotPlan plan);
  std::uint32_t add(Places places);
  std::uint32_t add(ProductPlan plan);
  std::uint32_t add(std::vector<std::uint32_t> map) { return append(program_.register_maps, map); }
  std::uint32_t share(const ir::Type& tile);
  const TileShare& share_at(std::uint32_t i) const { return program_.shares[i]; }
  /// A register that holds the same for the whole launch or block.
  void preset(ir::ValueId v, Preset p);
  void approximate() { program_.approximate = true; }
  [[noreturn]] void refuse(const ir::Operation& op, std::string message) const;

 private:
  template <class T>
  static std::uint32_t append(std::vector<T>& table, std::type_identity_t<T> row) {
    table.push_back(std::move(row));
    return static_cast<std::uint32_t>(table.size() - 1);
  }
  void give_back(std::uint32_t at) {
    if (holding_)
      held_.push_back(at);
    else
      registers_.release(at);
  }
  void operation(const ir::Operation& op);
  void presets(std::span<const SimArgument> arguments);

  const ir::Kernel& k_;
  std::span<const int> tensor_of_param_;
  bool syncs_placed_;
  Program program_;
  Registers registers_;
  std::vector<Operand> at_;
  std::vector<const ir::Operation*> defs_;
  std::vector<int> share_of_layout_;
  bool holding_ = false;
  std::vector<std::uint32_t> held_;
  const ir::Operation* current_ = nullptr;
  const ir::Operation* leave_before_ = nullptr;
};

}  // namespace barline::verify::sim
