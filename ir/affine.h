// SPDX-License-Identifier: Apache-2.0
// Affine index analysis: an integer value as {a number a thread} + a sum of uniform symbols.
//
// Blocks are concrete, so the part that depends on thread ids is simply computed for every thread;
// what else an index is made of (loop variables, block ids, sizes) is the same for the whole block
// and stays symbolic. Two indices with the same symbols differ by their per-thread numbers alone
// (modulo 2^32, which no slot's extent reaches).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "ir/kernel.h"
#include "ir/uniformity.h"

namespace barline::ir {

struct ThreadForm {
  std::vector<std::int64_t> at;             ///< one a thread of the block, in rank order
  std::map<ValueId, std::int64_t> symbols;  ///< block-uniform value -> its factor
};

class AffineAnalysis {
 public:
  explicit AffineAnalysis(const Kernel& k);

  /// The form of an integer value, or null where it depends on the thread in another way.
  const ThreadForm* form(ValueId v);

 private:
  using Result = std::optional<ThreadForm>;
  Result compute(ValueId v);
  Result of_op(const Operation& op);
  Result of_threads(const Operation& op) const;
  Result sum(const Operation& op, std::int64_t sign);
  Result product(const Operation& op);
  Result pointwise(const Operation& op);
  Result symbol(ValueId v) const;
  bool settle(ThreadForm& f, Elem e) const;

  const Kernel& k_;
  std::vector<const Operation*> defs_;
  Uniformity uniformity_;
  std::map<ValueId, Result> memo_;
};

}  // namespace barline::ir
