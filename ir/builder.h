// SPDX-License-Identifier: Apache-2.0
// Builder: appends ops to the innermost open region. Types of results follow the op table.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "ir/diagnostic.h"
#include "ir/kernel.h"

namespace barline::ir {

class Builder {
 public:
  explicit Builder(Kernel& k) : k_(k) { open_.push_back(&k.body); }
  /// Appends into `region` of kernel k.
  Builder(Kernel& k, Region& region) : k_(k) { open_.push_back(&region); }

  Kernel& kernel() { return k_; }
  /// The place that the ops to come carry.
  void at(Loc loc) { loc_ = std::move(loc); }
  const Loc& loc() const { return loc_; }

  /// Appends an op whose result type follows from its operands by its row (or that has no result).
  ValueId emit(Op op, std::initializer_list<ValueId> in, std::initializer_list<Attr> attrs = {});
  /// Appends an op whose result has the given type.
  ValueId emit(Op op, Type result, std::vector<ValueId> in, std::vector<Attr> attrs = {});
  /// Appends an op as it is.
  Operation& append(Operation op);

  ValueId constant(Elem e, std::int64_t value);  ///< an integer, i1 or the float nearest to it
  ValueId constant_f(Elem e, double value);      ///< a float, rounded to nearest even
  ValueId constant_bits(Elem e, std::uint64_t bits);
  ValueId binary(Op op, ValueId a, ValueId b) { return emit(op, {a, b}); }
  ValueId compare(Compare pred, ValueId a, ValueId b);
  ValueId cast(Elem to, ValueId a, Rounding round = Rounding::Rn);

  /// Opens a region: ops go there until close(). The region must outlive the time it is open.
  void open(Region& region) { open_.push_back(&region); }
  void close() { open_.pop_back(); }
  Region& region() { return *open_.back(); }

 private:
  Kernel& k_;
  std::vector<Region*> open_;
  Loc loc_;
};

/// The result type that the op's row gives for these operand types; throws Error (TypeMismatch,
/// WrongClass) if the row does not allow them.
Type result_type(const Kernel& k, Op op, std::span<const ValueId> in, const Loc& loc);

}  // namespace barline::ir
