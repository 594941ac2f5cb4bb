// SPDX-License-Identifier: Apache-2.0
#include "dsl/value.h"

#include <fmt/format.h>
#include <cmath>

#include "dsl/body.h"
#include "dsl/matrix.h"

namespace barline::dsl {
namespace {

using ir::Diag;

/// The body that an operation belongs to: that of whichever operand is a value of the device.
Body& body_of(std::initializer_list<const Operand*> operands) {
  for (const Operand* o : operands)
    if (const Value* v = o->value()) {
      v->body(o->loc()).own(*v, o->loc());
      return v->body();
    }
  ir::fail(Diag::HostValue, (*operands.begin())->loc(),
           "an operation of numbers, parameters and axes alone",
           "make one side a value of the kernel: b.constant(f32, 1) or b.size(axis)");
}

/// The type that operands without one take.
Elem common_elem(std::initializer_list<const Operand*> operands) {
  for (const Operand* o : operands)
    if (auto e = o->own_elem()) return *e;
  for (const Operand* o : operands)
    if (o->default_elem() == f32) return f32;
  return s32;
}

/// Tiles over one axis among tiles over two are spread over these.
void spread_all(std::vector<Value>& in, const ir::Loc& loc) {
  for (Value& v : in)
    for (const Value& other : in) v = spread_to(v, other, loc);
}

Value same_type_op(ir::Op op, std::initializer_list<const Operand*> operands,
                   std::vector<ir::Attr> attrs = {}) {
  Body& body = body_of(operands);
  Elem like = common_elem(operands);
  std::vector<Value> in;
  for (const Operand* o : operands) in.push_back(o->in(body, like));
  const ir::Loc& loc = (*operands.begin())->loc();
  spread_all(in, loc);
  return body.emit(op, in, loc, std::move(attrs));
}

Value shift(ir::Op op, const Operand& a, const Operand& n) {
  Body& body = body_of({&a, &n});
  return body.emit(op,
                   {a.in(body, a.own_elem().value_or(s32)), n.in(body, n.own_elem().value_or(s32))},
                   a.loc());
}

}  // namespace

Body& Value::body(const ir::Loc& loc) const {
  if (!body_)
    ir::fail(Diag::HostValue, loc, "a Value that no kernel made", "assign it before its first use");
  return *body_;
}

Elem Value::elem() const { return body().kernel().type(id_).elem; }
bool Value::is_tile() const { return body().kernel().type(id_).is_tile(); }

Value Value::to(Elem e, Rounding round, ir::Loc loc) const {
  body(loc).own(*this, loc);
  if (elem() == e) return *this;
  body().builder().at(loc);
  return {body(), body().builder().cast(e, id_, round)};
}

Value Value::as(Elem e, ir::Loc loc) const {
  body(loc).own(*this, loc);
  if (elem() == e) return *this;
  if (ir::bits(e) != ir::bits(elem()))
    ir::fail(Diag::TypeMismatch, loc,
             fmt::format("{} bits read as {}", ir::name(elem()), ir::name(e)),
             "convert the value with .to(), or reinterpret a type of the same width");
  return body().emit(ir::Op::Bitcast, body().kernel().type(id_).with(e), {*this}, loc);
}

Operand::Operand(const Var& v, ir::Loc loc) : Operand(v.get(loc), loc) {}

std::optional<Elem> Operand::own_elem() const {
  if (const Value* v = value()) return v->elem();
  if (auto arg = std::get_if<const Arg*>(&what_)) return (*arg)->elem;
  return std::nullopt;
}

Elem Operand::default_elem() const {
  if (auto e = own_elem()) return *e;
  return std::holds_alternative<double>(what_) ? f32 : s32;
}

std::optional<std::int64_t> Operand::whole() const {
  const std::int64_t* n = std::get_if<std::int64_t>(&what_);
  return n ? std::optional(*n) : std::nullopt;
}

/// A number fits a type of integers if its bits do, read with a sign or without.
void Operand::check_range(Elem like) const {
  if (ir::is_float(like)) return;
  const double* d = std::get_if<double>(&what_);
  double n = d ? *d : static_cast<double>(std::get<std::int64_t>(what_));
  bool holds = n == std::trunc(n) && n >= -std::ldexp(1, ir::bits(like) - 1) &&
               n < std::ldexp(1, ir::bits(like));
  if (!holds || ir::info(like).klass == ir::Storage)
    ir::fail(Diag::TypeMismatch, loc_, fmt::format("the number {} as {}", n, ir::name(like)),
             "write a number that the type holds, or convert the other side with .to()");
}

Value Operand::in(Body& body, Elem like) const {
  if (const Value* v = value()) {
    body.own(*v, loc_);
    return *v;
  }
  if (auto arg = std::get_if<const Arg*>(&what_)) return body.arg(**arg, loc_);
  body.builder().at(loc_);
  if (auto axis = std::get_if<const Axis*>(&what_))
    return {body, body.builder().cast(like, body.size(**axis, loc_).id())};
  check_range(like);
  if (const double* d = std::get_if<double>(&what_)) {
    if (ir::is_float(like)) return {body, body.builder().constant_f(like, *d)};
    bool high = *d >= 0x1p63;  // of u64
    auto n = high ? static_cast<std::int64_t>(static_cast<std::uint64_t>(*d))
                  : static_cast<std::int64_t>(*d);
    return {body, body.builder().constant(like, n)};
  }
  return {body, body.builder().constant(like, std::get<std::int64_t>(what_))};
}

Value binary(ir::Op op, const Operand& a, const Operand& b) { return same_type_op(op, {&a, &b}); }
Value unary(ir::Op op, const Operand& a) { return same_type_op(op, {&a}); }

namespace {
void want_bool(const Operand& o) {
  if (o.default_elem() != i1)
    ir::fail(Diag::WrongClass, o.loc(),
             fmt::format("a condition of type {}", ir::name(o.default_elem())),
             "compare it first: x != 0; & and | work on bits");
}
}  // namespace

Value logical(ir::Op op, const Operand& a, const Operand& b) {
  want_bool(a);
  want_bool(b);
  return binary(op, a, b);
}

Value logical_not(const Operand& a) {
  want_bool(a);
  return unary(ir::Op::Not, a);
}

Value compare(ir::Compare pred, const Operand& a, const Operand& b) {
  return same_type_op(ir::Op::Cmp, {&a, &b},
                      {{ir::Key::Pred, static_cast<std::int64_t>(pred), {}}});
}

Value operator<<(Operand a, Operand n) { return shift(ir::Op::Shl, a, n); }
Value operator>>(Operand a, Operand n) { return shift(ir::Op::Shr, a, n); }

Value fma(Operand a, Operand b, Operand c) { return same_type_op(ir::Op::Fma, {&a, &b, &c}); }

Value byte_permute(Operand a, Operand b, Operand selector) {
  return same_type_op(ir::Op::BytePermute, {&a, &b, &selector});
}

Value round(Operand a, Rounding how) {
  return same_type_op(ir::Op::Round, {&a}, {{ir::Key::Round, static_cast<std::int64_t>(how), {}}});
}

Value select(Operand c, Operand a, Operand b) {
  Body& body = body_of({&c, &a, &b});
  Elem like = common_elem({&a, &b});
  std::vector<Value> in{c.in(body, i1), a.in(body, like), b.in(body, like)};
  spread_all(in, c.loc());
  return body.emit(ir::Op::Select, in, c.loc());
}

}  // namespace barline::dsl
