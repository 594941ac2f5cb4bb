// SPDX-License-Identifier: Apache-2.0
// Body: what a kernel's body and its layers (Tiles, Thread) share: parameters, variables,
// structured control flow, reductions, debugging.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "dsl/tensor.h"
#include "ir/schedule.h"

namespace barline::dsl {

struct KernelSource;

/// A variable: reads give its current value, assignments change it; loops and branches carry it.
class Var {
 public:
  Var(Body& body, std::size_t index, std::size_t serial)
      : body_(&body), index_(index), serial_(serial) {}
  Var(const Var&) = default;
  Value get(ir::Loc loc = Here::current()) const;
  operator Value() const { return get(); }
  Var& operator=(const Operand& v);
  Var& operator=(const Var& v);
  Var& operator+=(const Operand& v) { return update(ir::Op::Add, v); }
  Var& operator-=(const Operand& v) { return update(ir::Op::Sub, v); }
  Var& operator*=(const Operand& v) { return update(ir::Op::Mul, v); }

 private:
  ir::ValueId& current(const ir::Loc& loc) const;
  Var& update(ir::Op op, const Operand& v);

  Body* body_;
  std::size_t index_, serial_;
};

/// What time in a region is: Work, Wait, DynamicSingleBlock or KernelBoundary.
using Class = regions::Class;

struct LoopOptions {
  int unroll = 1;  ///< copies of the body a trip; 0: all trips (constant bounds)
};

class Body {
 public:
  Body(ir::Kernel& kernel, const KernelSource& source, const ir::Schedule& schedule);
  Body(const Body&) = delete;

  ir::Builder& builder() { return builder_; }
  ir::Kernel& kernel() { return kernel_; }
  const ir::Schedule& schedule() const { return schedule_; }

  Value constant(Elem e, double v, Here here = Here::current());
  Value constant(Elem e, std::int64_t v, Here here = Here::current());
  Value constant(Elem e, int v, Here here = Here::current()) {
    return constant(e, std::int64_t{v}, here);
  }
  /// The size of an axis, as s32.
  Value size(const Axis& axis, ir::Loc loc = Here::current());
  /// The size of an axis where the config binds it.
  std::optional<std::int64_t> bound(const Axis& axis, ir::Loc loc = Here::current()) const;
  /// The launch promises sizes of the axis that are multiples of `of`, beside what the axis
  /// declares. Throws BadDim where the config binds it to another size.
  void promise_multiple(const Axis& axis, std::int64_t of, ir::Loc loc = Here::current());
  Value arg(const Arg& arg, const ir::Loc& loc);
  /// The scalar that part `part` of `parts` takes of an argument over segments.
  Value arg(const Arg& arg, std::size_t part, std::size_t parts, const ir::Loc& loc);

  /// A variable with its first value: a scalar, or a tile over the rows of products.
  Var var(const Operand& first, Here here = Here::current());
  Var var(Elem e, double first, Here here = Here::current()) {
    return var(constant(e, first, here), here);
  }

  /// for i = lo; i < hi; i += step: a loop of the device. s32 unless a bound has another type.
  void loop(Operand lo, Operand hi, Operand step, LoopOptions options,
            const std::function<void(Value)>& body);
  void loop(Operand lo, Operand hi, const std::function<void(Value)>& body) {
    loop(lo, hi, {1, lo.loc()}, {}, body);
  }
  void loop(Operand lo, Operand hi, LoopOptions options, const std::function<void(Value)>& body) {
    loop(lo, hi, {1, lo.loc()}, options, body);
  }
  /// While condition() holds, body().
  void loop_while(const std::function<Value()>& condition, const std::function<void()>& body,
                  ir::Loc loc = Here::current());
  /// Where c holds, then(); else otherwise(). Both may assign variables.
  void when(Operand c, const std::function<void()>& then,
            const std::function<void()>& otherwise = {});

  /// body() under a name that a kernel built for timing takes the time of, block by block; in any
  /// other kernel nothing is left of it. May stand in loops and under branches; what counts is the
  /// way of the block's thread 0. One name has one class, wherever it stands.
  void region(const std::string& name, Class klass, const std::function<void()>& body,
              Here here = Here::current());

  /// Folds values over a team; `combine(a, b)` must commute (see ir/order.h for the order).
  using Combine = std::function<std::vector<Value>(std::vector<Value> a, std::vector<Value> b)>;
  std::vector<Value> reduce(ir::Team team, const std::vector<Value>& values,
                            const std::vector<Value>& identities, const Combine& combine,
                            const ir::Loc& loc);

  /// Prints message, source line and values, once a thread; kept in debug builds of the kernel
  /// only.
  void print(std::string message, std::vector<Value> values = {}, Here here = Here::current());
  /// Where c is false: prints the message and the source line and stops; debug builds only.
  void check(Operand c, std::string message, Here here = Here::current());

  // ---- for the layers --------------------------------------------------------------------------
  /// Appends an op by its row. Loc: where the author wrote it.
  Value emit(ir::Op op, const std::vector<Value>& in, const ir::Loc& loc,
             std::vector<ir::Attr> attrs = {});
  Value emit(ir::Op op, ir::Type type, const std::vector<Value>& in, const ir::Loc& loc,
             std::vector<ir::Attr> attrs = {});
  /// Appends an op without a result.
  void act(ir::Op op, const std::vector<Value>& in, const ir::Loc& loc,
           std::vector<ir::Attr> attrs = {});
  /// Index of the axis in the kernel; throws WrongAxis if the kernel has none of that name.
  int axis_index(const Axis& axis, const ir::Loc& loc) const;
  /// The root pointer of a listed tensor.
  Value root(const Tensor& tensor, const ir::Loc& loc);
  /// Throws WrongRank or WrongAxis unless the place names one coordinate an axis.
  void check_rank(const Place& place) const;
  /// Element offset of a place from its scalar coordinates (All and Part count as 0): s64.
  Value offset(const Place& place);
  /// That the value belongs to this body and to a region that is still open.
  void own(const Value& v, const ir::Loc& loc) const;

 protected:
  friend class Var;
  /// Region arguments that stand for every variable, and the variables set to them.
  std::vector<ir::ValueId> enter(ir::Region& region);

  ir::Kernel& kernel_;
  const ir::Schedule& schedule_;
  ir::Builder builder_;
  /// Region whose values began at `first` is done: nothing may use them from here on.
  void leave(std::size_t first);

  std::vector<ir::ValueId> vars_;         ///< current value of every variable
  std::vector<std::size_t> var_serials_;  ///< which variable it is; perhaps longer than vars_
  std::size_t next_serial_ = 0;
  std::vector<bool> dead_;  ///< by value: of a region that is done
  /// Which segment the block works on, s32, where segments have blocks of their own.
  std::optional<ir::ValueId> segment_;
};

}  // namespace barline::dsl
