// SPDX-License-Identifier: Apache-2.0
// The combine region of a reduction or a fold, compiled once, out of line: each fold of two
// operands copies them to its arguments, calls it and takes the results.
#pragma once

#include <vector>

#include "verify/interp/compile.h"

namespace barline::verify::sim {

/// One operand a value that is combined.
using Operands = std::vector<Operand>;

class Combine {
 public:
  /// Compiles the region of `op`, which combines values of these types.
  Combine(Compiler& c, const ir::Operation& op, std::vector<ir::Elem> elems);
  /// Gives back what it and `temporaries` took.
  void release();

  std::size_t size() const { return elems_.size(); }
  ir::Elem elem(std::size_t i) const { return elems_[i]; }
  Operands temporaries();
  void copy(const Operands& from, const Operands& to, bool masked);
  /// into = combine(a, b) on the lanes that run.
  void fold(const Operands& a, const Operands& b, const Operands& into);
  /// Halts unless every lane of the warp is here: its values take part.
  void require_whole_warp();
  /// mine = combine(mine, that of lane l ^ distance), for each distance in order.
  void butterfly(const Operands& mine, const std::vector<int>& distances);

 private:
  Compiler& c_;
  std::vector<ir::Elem> elems_;
  Operands owned_;
  Operands left_, right_, result_;
  std::uint32_t entry_ = 0;
  std::vector<std::uint32_t> of_region_;  ///< registers that the region's code uses
};

}  // namespace barline::verify::sim
