// SPDX-License-Identifier: Apache-2.0
// Neighbours of a row from where a fragment_load finds them: a slot, a tensor, or a tensor whose
// loads a loop makes trips ahead.
#pragma once

#include <utility>

#include "ir/passes/fragments_p.h"
#include "ir/passes/rings_p.h"

namespace barline::ir {

/// A position along an axis of the tensor: a thread's part and a register's. Of the thread's part
/// the warp's is a multiple of `piece` and what the lane adds is less than `lanes`.
struct At {
  ValueId thread;
  std::int64_t reg = 0;
  ValueId warp = no_value;
  std::int64_t piece = 1, lanes = 1;
  bool operator==(const At& o) const { return thread == o.thread && reg == o.reg; }
};
/// Of an element, by row and column.
struct ElementPlace {
  At row, col;
  bool operator==(const ElementPlace&) const = default;
};

class ElementLoader {
 public:
  ElementLoader(Builder& b, FragmentWorld& w, const Operation& load);

 protected:
  bool in_slot() const { return root_.slot >= 0; }
  bool streamed() const { return !in_slot() && ring_of(w_.k, load_); }

  /// Position of register `reg` along the tensor's axis. Origins are multiples of a derived axis'
  /// step or lie within one, so quotients of origin and position add.
  At at(const BoxAxis& axis, int reg);
  At row(int reg) { return at(box_.row, reg); }
  At col(int reg) { return at(box_.col, reg); }
  /// `lanes` neighbours of a row from (row, col) on.
  ValueId elements(At row, At col, int lanes);
  /// What divides the sizes that the axis may have.
  std::int64_t granule_of(const BoxAxis& axis) const;

  Builder& b_;
  FragmentWorld& w_;
  const Operation& load_;
  const Layout& layout_;
  const Root& root_;
  Box box_;
  Elem elem_;
  Swizzle swizzle_;

 private:
  std::pair<std::int64_t, std::int64_t> spans(int axis) const;
  ValueId slot_elements(At row, At col, Type type);
  ValueId tensor_elements(At row, At col, Type type);
  ValueId stream_elements(At row, At col, Type type);
  ValueId reached(At col, int count);
  ValueId from_origin(const BoxAxis& axis, ValueId origin, At at);
  ValueId emit_load(Type type, ValueId index, std::int64_t offset, ValueId active);
};

}  // namespace barline::ir
