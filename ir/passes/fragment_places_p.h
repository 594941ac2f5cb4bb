// SPDX-License-Identifier: Apache-2.0
// Where the threads of a block stand in a fragment, as values. A position is a number that depends
// on the thread alone, computed once at the kernel's head, plus a number of the register, which
// becomes an immediate offset.
#pragma once

#include <map>
#include <set>
#include <string>

#include "ir/builder.h"
#include "ir/fragment_use.h"
#include "ir/swizzle.h"
#include "ir/team.h"

namespace barline::ir {

class Places {
 public:
  explicit Places(Kernel& k) : k_(k), b_(k, head_) {}
  /// Learns what divides the kernel's integers, and which axes are free.
  void learn();

  /// Appends at the kernel's head, where it dominates every use.
  Builder& head() { return b_; }
  /// The ops of the head; call once, at the end.
  std::vector<Operation> take() { return std::move(head_.ops); }

  /// A power of two that divides the value, as the kernel computes it.
  std::int64_t divisor(ValueId v) const;

  /// True of an axis of products' sums that no fold runs along: what is loaded past its end makes
  /// elements past the end of what is stored, and nothing else.
  bool is_free(int axis) const { return free_.contains(axis); }

  ValueId number(std::int64_t v);  ///< an s32 constant
  ValueId rank();
  ValueId lane();
  ValueId warp() { return divided(rank(), warp_size); }
  /// The part of a position that lane and warp give, or the warp alone.
  ValueId of_thread(const Layout& l, int axis);
  ValueId of_warp(const Layout& l, int axis);
  /// The part that the register gives.
  static std::int64_t of_register(const Layout& l, int axis, int reg) {
    return position(l, axis, reg, 0);
  }
  /// True in one of the threads that hold an element: where every digit of step 0 is 0. No value:
  /// no element is held twice.
  ValueId owner(const Layout& l);

  /// a op b on s32, constants folded and equal expressions computed once.
  ValueId op(Op op, ValueId a, ValueId b);
  ValueId add(ValueId a, std::int64_t n) { return n ? op(Op::Add, a, number(n)) : a; }
  ValueId times(ValueId a, std::int64_t n) { return op(Op::Mul, a, number(n)); }
  ValueId divided(ValueId a, std::int64_t n) { return op(Op::Div, a, number(n)); }
  ValueId modulo(ValueId a, std::int64_t n) { return op(Op::Rem, a, number(n)); }
  /// f(row) of ir/swizzle.h.
  ValueId turn(const Swizzle& s, ValueId row) {
    return modulo(divided(row, 1 << s.shift), s.mask + 1);
  }

 private:
  ValueId digits(const Layout& l, int axis, bool lanes);
  ValueId digit(ValueId from, std::int64_t weight, std::int64_t extent, bool last);
  std::optional<std::int64_t> known(ValueId v) const;

  Kernel& k_;
  Region head_;
  Builder b_;
  std::map<std::int64_t, ValueId> numbers_;
  std::map<ValueId, std::int64_t> values_;
  std::map<std::tuple<Op, ValueId, ValueId>, ValueId> memo_;
  std::map<Op, ValueId> ids_;
  std::map<ValueId, std::int64_t> divisors_;
  std::set<int> free_;
};

}  // namespace barline::ir
