// SPDX-License-Identifier: Apache-2.0
// Variables become SSA while the body runs: a loop takes every variable as a region argument and,
// once its body is known, gives back those that were never assigned.
#include "dsl/body.h"

#include <fmt/format.h>
#include <algorithm>
#include <numeric>

#include "dsl/kernel.h"
#include "ir/check.h"
#include "ir/fragment.h"
#include "ir/print.h"
#include "ir/rewrite.h"

namespace barline::dsl {

using ir::Diag;
using ir::Key;
using ir::Op;
using ir::Operation;
using ir::Region;
using ir::ValueId;

Body::Body(ir::Kernel& kernel, const KernelSource&, const ir::Schedule& schedule)
    : kernel_(kernel), schedule_(schedule), builder_(kernel) {}

Value Body::constant(Elem e, double v, Here here) { return Operand(v, here).in(*this, e); }

Value Body::constant(Elem e, std::int64_t v, Here here) { return Operand(v, here).in(*this, e); }

int Body::axis_index(const Axis& axis, const ir::Loc& loc) const {
  for (std::size_t i = 0; i < kernel_.axes.size(); ++i)
    if (kernel_.axes[i].name == axis.name) return static_cast<int>(i);
  ir::fail(Diag::WrongAxis, loc, fmt::format("axis '{}' is on no listed parameter", axis.name),
           "use an axis of a tensor in the kernel's list");
}

Value Body::size(const Axis& axis, ir::Loc loc) {
  int i = axis_index(axis, loc);
  const ir::Axis& a = kernel_.axes[i];
  builder_.at(loc);
  if (a.bound) return {*this, builder_.constant(s32, *a.bound)};
  if (a.of < 0) return {*this, kernel_.axis_sizes[i]};
  Value parent = size({kernel_.axes[a.of].name}, loc);
  return (Operand(parent, loc) + (a.per - 1)) / a.per * a.times;
}

std::optional<std::int64_t> Body::bound(const Axis& axis, ir::Loc loc) const {
  return kernel_.axes[axis_index(axis, loc)].bound;
}

void Body::promise_multiple(const Axis& axis, std::int64_t of, ir::Loc loc) {
  ir::Axis& a = kernel_.axes[axis_index(axis, loc)];
  a.multiple = std::lcm(a.multiple, of);
  if (a.bound && *a.bound % a.multiple != 0)
    ir::fail(Diag::BadDim, loc, fmt::format("axis '{}' bound to {}", a.name, *a.bound),
             fmt::format("bind it to a positive multiple of {}", a.multiple));
}

Value Body::arg(const Arg& arg, const ir::Loc& loc) {
  for (const ir::Param& p : kernel_.params)
    if (p.name == arg.name && p.type.is_scalar()) return {*this, p.value};
  ir::fail(Diag::UnlistedParam, loc,
           fmt::format("scalar '{}' is not in the kernel's list", arg.name), "add it to the list");
}

Value Body::arg(const Arg& a, std::size_t part, std::size_t parts, const ir::Loc& loc) {
  if (a.segments.empty()) return arg(a, loc);
  auto of = [&](std::size_t i) { return arg(Arg(a.name + "_" + a.segments[i], a.elem), loc); };
  if (parts == a.segments.size()) return of(part);
  builder_.at(loc);
  ValueId v = of(a.segments.size() - 1).id();
  for (std::size_t i = a.segments.size() - 1; i-- > 0;) {
    ValueId here = builder_.constant(s32, static_cast<std::int64_t>(i));
    v = builder_.emit(Op::Select,
                      {builder_.compare(ir::Compare::Eq, *segment_, here), of(i).id(), v});
  }
  return {*this, v};
}

Value Body::root(const Tensor& tensor, const ir::Loc& loc) {
  for (const ir::Param& p : kernel_.params)
    if (p.name == tensor.name && p.type.is_pointer()) return {*this, p.value};
  ir::fail(Diag::UnlistedParam, loc,
           fmt::format("tensor '{}' is not in the kernel's list", tensor.name),
           "add it to the list");
}

void Body::own(const Value& v, const ir::Loc& loc) const {
  if (&v.body(loc) != this)
    ir::fail(Diag::ForeignValue, loc, "a value of another kernel",
             "use values of the body that is being built");
  if (v.id() < dead_.size() && dead_[v.id()] && kernel_.slot_of(v.id()) < 0)
    ir::fail(Diag::ForeignValue, loc, "a value of a loop or branch that is done",
             "assign it to a variable (var) that was made before the loop or branch");
}

void Body::leave(std::size_t first) {
  dead_.resize(kernel_.values.size());
  std::fill(dead_.begin() + static_cast<std::ptrdiff_t>(first), dead_.end(), true);
}

Value Body::emit(Op op, const std::vector<Value>& in, const ir::Loc& loc,
                 std::vector<ir::Attr> attrs) {
  std::vector<ValueId> ids;
  for (const Value& v : in) {
    own(v, loc);
    ids.push_back(v.id());
  }
  return emit(op, ir::result_type(kernel_, op, ids, loc), in, loc, std::move(attrs));
}

Value Body::emit(Op op, ir::Type type, const std::vector<Value>& in, const ir::Loc& loc,
                 std::vector<ir::Attr> attrs) {
  std::vector<ValueId> ids;
  for (const Value& v : in) {
    own(v, loc);
    ids.push_back(v.id());
  }
  builder_.at(loc);
  return {*this, builder_.emit(op, type, std::move(ids), std::move(attrs))};
}

void Body::act(Op op, const std::vector<Value>& in, const ir::Loc& loc,
               std::vector<ir::Attr> attrs) {
  Operation o{.op = op, .in = {}, .out = {}, .attrs = std::move(attrs), .regions = {}, .loc = loc};
  for (const Value& v : in) {
    own(v, loc);
    o.in.push_back(v.id());
  }
  ir::result_type(kernel_, op, o.in, loc);  // throws where the row does not allow the operands
  builder_.append(std::move(o));
}

void Body::check_rank(const Place& place) const {
  const Tensor& t = *place.tensor;
  if (place.coords.size() != t.axes.size())
    ir::fail(Diag::WrongRank, place.loc,
             fmt::format("{} coordinates in '{}', which has {} axes", place.coords.size(), t.name,
                         t.axes.size()),
             "name one coordinate for each axis");
}

Value Body::offset(const Place& place) {
  check_rank(place);
  builder_.at(place.loc);
  ValueId total = ir::no_value;
  for (std::size_t i = 0; i < place.coords.size(); ++i) {
    if (total != ir::no_value) {
      ValueId pitch = size(place.tensor->axes[i], place.loc).id();
      total = builder_.binary(Op::Mul, total, builder_.cast(s64, pitch));
    }
    const Coord& c = place.coords[i];
    ValueId index = ir::no_value;
    if (const Value* v = std::get_if<Value>(&c)) {
      own(*v, place.loc);
      if (!ir::is_int(v->elem()) || v->is_tile())
        ir::fail(Diag::WrongClass, place.loc,
                 fmt::format("a coordinate of type {}", ir::name(v->elem())),
                 "index with an integer scalar");
      index = builder_.cast(s64, v->id());
    } else if (const std::int64_t* n = std::get_if<std::int64_t>(&c)) {
      index = builder_.constant(s64, *n);
    } else {
      continue;  // all or part: from 0
    }
    total = total == ir::no_value ? index : builder_.binary(Op::Add, total, index);
  }
  return {*this, total == ir::no_value ? builder_.constant(s64, 0) : total};
}

CoordArg::CoordArg(const Var& v, Here here) : coord(v.get(here)), here(here) {}

// ---- variables and control ---------------------------------------------------------------------

ValueId& Var::current(const ir::Loc& loc) const {
  if (index_ >= body_->vars_.size() || body_->var_serials_[index_] != serial_)
    ir::fail(Diag::ForeignValue, loc, "a variable of a loop or branch that is done",
             "make the variable before the loop or branch");
  return body_->vars_[index_];
}

Value Var::get(ir::Loc loc) const { return {*body_, current(loc)}; }

Var& Var::operator=(const Operand& v) {
  Elem elem = get(v.loc()).elem();
  Value now = v.in(*body_, elem);
  ir::Type held = body_->kernel_.type(current(v.loc()));
  if (body_->kernel_.type(now.id()) != held)
    ir::fail(
        Diag::TypeMismatch, v.loc(),
        fmt::format("a {} assigned to a variable of {}",
                    ir::to_string(body_->kernel_, body_->kernel_.type(now.id())), ir::name(elem)),
        now.elem() == elem ? "a variable keeps the axes of its first value"
                           : fmt::format("convert it: .to({})", ir::name(elem)));
  current(v.loc()) = now.id();
  return *this;
}

Var& Var::update(Op op, const Operand& v) {
  return *this = Operand(binary(op, {get(v.loc()), v.loc()}, v), v.loc());
}

Var& Var::operator=(const Var& v) { return *this = Operand(v.get()); }

Var Body::var(const Operand& first, Here here) {
  Value v = first.in(*this, first.default_elem());
  if (v.is_tile() && !ir::is_fragment(kernel_.layouts[kernel_.type(v.id()).layout]))
    ir::fail(Diag::WrongClass, here, "a variable of tile type",
             "reduce the tile first; stripes are values, not variables");
  var_serials_.resize(vars_.size());
  var_serials_.push_back(next_serial_++);
  vars_.push_back(v.id());
  return {*this, vars_.size() - 1, var_serials_.back()};
}

std::vector<ValueId> Body::enter(Region& region) {
  std::vector<ValueId> before = vars_;
  for (ValueId& v : vars_) {
    v = kernel_.new_value(kernel_.type(v));
    region.args.push_back(v);
  }
  return before;
}

void Body::loop(Operand lo, Operand hi, Operand step, LoopOptions options,
                const std::function<void(Value)>& body) {
  Elem e = lo.own_elem().value_or(hi.own_elem().value_or(s32));
  if (step.whole().value_or(1) < 1)
    ir::fail(Diag::BadCall, step.loc(), fmt::format("a loop of step {}", *step.whole()),
             "count up by at least 1; count down with hi - 1 - i");
  Operation op{.op = Op::For, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = lo.loc()};
  for (const Operand* o : {&lo, &hi, &step}) op.in.push_back(o->in(*this, e).id());
  ir::result_type(kernel_, Op::For, op.in, lo.loc());
  if (options.unroll != 1) op.set(Key::Unroll, std::int64_t{options.unroll});

  Region region;
  ValueId index = kernel_.new_value(ir::scalar(e));
  region.args.push_back(index);
  std::vector<ValueId> before = enter(region);
  builder_.open(region);
  body(Value{*this, index});
  builder_.close();
  leave(index);

  // Variables that the body never assigned are not carried.
  Operation yield{
      .op = Op::Yield, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = lo.loc()};
  ir::ValueMap unchanged;
  std::vector<ValueId> args{index}, after = before;
  for (std::size_t i = 0; i < before.size(); ++i) {
    ValueId arg = region.args[i + 1];
    if (vars_[i] == arg) {
      unchanged[arg] = before[i];
      continue;
    }
    args.push_back(arg);
    op.in.push_back(before[i]);
    yield.in.push_back(vars_[i]);
    op.out.push_back(after[i] = kernel_.new_value(kernel_.type(arg)));
  }
  region.args = std::move(args);
  region.ops.push_back(std::move(yield));
  ir::replace_uses(region, unchanged);
  vars_ = std::move(after);
  op.regions.push_back(std::move(region));
  builder_.append(std::move(op));
}

void Body::loop_while(const std::function<Value()>& condition, const std::function<void()>& body,
                      ir::Loc loc) {
  Operation op{.op = Op::While, .in = vars_, .out = {}, .attrs = {}, .regions = {}, .loc = loc};
  Region head, rest;
  std::size_t first = kernel_.values.size();
  enter(head);
  builder_.open(head);
  Value c = condition();
  own(c, loc);
  builder_.close();
  leave(first);
  Operation end{
      .op = Op::Condition, .in = {c.id()}, .out = {}, .attrs = {}, .regions = {}, .loc = loc};
  vars_.resize(op.in.size());  // variables made inside end there
  end.in.insert(end.in.end(), vars_.begin(), vars_.end());
  ir::result_type(kernel_, Op::Condition, end.in, loc);
  head.ops.push_back(std::move(end));
  first = kernel_.values.size();
  enter(rest);
  builder_.open(rest);
  body();
  builder_.close();
  leave(first);
  vars_.resize(op.in.size());
  rest.ops.push_back(
      {.op = Op::Yield, .in = vars_, .out = {}, .attrs = {}, .regions = {}, .loc = loc});
  for (ValueId& v : vars_) op.out.push_back(v = kernel_.new_value(kernel_.type(v)));
  op.regions.push_back(std::move(head));
  op.regions.push_back(std::move(rest));
  builder_.append(std::move(op));
}

void Body::when(Operand c, const std::function<void()>& then,
                const std::function<void()>& otherwise) {
  Operation op{.op = Op::If,
               .in = {c.in(*this, i1).id()},
               .out = {},
               .attrs = {},
               .regions = {},
               .loc = c.loc()};
  ir::result_type(kernel_, Op::If, op.in, c.loc());
  std::vector<ValueId> before = vars_, results[2];
  for (int branch = 0; branch < 2; ++branch) {
    Region region;
    vars_ = before;
    std::size_t first = kernel_.values.size();
    builder_.open(region);
    if (branch == 0) then();
    if (branch == 1 && otherwise) otherwise();
    builder_.close();
    leave(first);
    results[branch] = vars_;
    op.regions.push_back(std::move(region));
  }
  vars_ = before;
  Operation yields[2];
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (results[0][i] == before[i] && results[1][i] == before[i]) continue;
    for (int branch = 0; branch < 2; ++branch) yields[branch].in.push_back(results[branch][i]);
    op.out.push_back(vars_[i] = kernel_.new_value(kernel_.type(before[i])));
  }
  for (int branch = 0; branch < 2; ++branch) {
    yields[branch].op = Op::Yield;
    yields[branch].loc = c.loc();
    op.regions[branch].ops.push_back(std::move(yields[branch]));
  }
  builder_.append(std::move(op));
}

void Body::region(const std::string& name, Class klass, const std::function<void()>& body,
                  Here here) {
  auto& table = kernel_.region_table;
  auto at = std::find_if(table.begin(), table.end(), [&](const auto& r) { return r.name == name; });
  if (at == table.end()) {
    if (!ir::is_name(name))
      ir::fail(Diag::BadName, here, fmt::format("region '{}'", name), "rename it");
    at = table.insert(at, {name, klass, {}});
  }
  if (at->klass != klass)
    ir::fail(Diag::BadName, here,
             fmt::format("region '{}' as {} and as {}", name, regions::name(at->klass),
                         regions::name(klass)),
             "give it one class wherever it stands, or another name");
  const ir::Attr number{Key::Region, at - table.begin(), {}};
  Value stamp = emit(Op::RegionBegin, ir::scalar(u64), {}, here, {number});
  body();
  act(Op::RegionEnd, {stamp}, here, {number});
}

std::vector<Value> Body::reduce(ir::Team team, const std::vector<Value>& values,
                                const std::vector<Value>& identities, const Combine& combine,
                                const ir::Loc& loc) {
  Operation op{.op = Op::Reduce, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = loc};
  op.set(Key::Team, static_cast<std::int64_t>(team));
  for (const Value& v : values) {
    own(v, loc);
    op.in.push_back(v.id());
    bool tile = team == ir::Team::Thread;
    if (v.is_tile() != tile)
      ir::fail(Diag::WrongClass, loc,
               tile ? "a reduction over a thread's elements of a scalar"
                    : "a reduction over threads of a tile",
               tile ? "pass a tile, or use the value as it is"
                    : "reduce the tile over the thread first: block_reduce_sum(sum(x))");
  }
  for (const Value& v : identities) {
    own(v, loc);
    op.in.push_back(v.id());
  }
  Region region;
  std::size_t first = kernel_.values.size();
  std::vector<Value> sides[2];
  for (auto& side : sides)
    for (const Value& v : values) {
      ValueId arg = kernel_.new_value(ir::scalar(v.elem()));
      region.args.push_back(arg);
      side.emplace_back(*this, arg);
    }
  builder_.open(region);
  Operation yield{.op = Op::Yield, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = loc};
  for (const Value& v : combine(sides[0], sides[1])) yield.in.push_back(v.id());
  builder_.close();
  leave(first);
  region.ops.push_back(std::move(yield));
  for (Operation& inner : region.ops) inner.loc = loc;  // the author's call, not the combine's code
  op.regions.push_back(std::move(region));
  std::vector<Value> results;
  for (const Value& v : values) {
    op.out.push_back(kernel_.new_value(ir::scalar(v.elem())));
    results.emplace_back(*this, op.out.back());
  }
  builder_.append(std::move(op));
  return results;
}

void Body::print(std::string message, std::vector<Value> values, Here here) {
  act(Op::Print, values, here, {{Key::Message, 0, std::move(message)}});
}

void Body::check(Operand c, std::string message, Here here) {
  act(Op::Check, {c.in(*this, i1)}, here, {{Key::Message, 0, std::move(message)}});
}

}  // namespace barline::dsl
