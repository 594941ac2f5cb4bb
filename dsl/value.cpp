// SPDX-License-Identifier: Apache-2.0
#include "dsl/value.h"

#include <fmt/format.h>
#include <cmath>

#include "dsl/body.h"

namespace barline::dsl {
namespace {

using ir::Diag;

/// The body that an operation belongs to: that of whichever operand is a value of the device.
Body& body_of(std::initializer_list<const Operand*> operands) {
  for (const Operand* o : operands)
    if (const Value* v = o->value()) {
      v->body().own(*v, o->loc());
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
  return f32;
}

Value same_type_op(ir::Op op, std::initializer_list<const Operand*> operands,
                   std::vector<ir::Attr> attrs = {}) {
  Body& body = body_of(operands);
  Elem like = common_elem(operands);
  std::vector<Value> in;
  for (const Operand* o : operands) in.push_back(o->in(body, like));
  return body.emit(op, in, (*operands.begin())->loc(), std::move(attrs));
}

Value shift(ir::Op op, const Operand& a, const Operand& n) {
  Body& body = body_of({&a, &n});
  return body.emit(op,
                   {a.in(body, a.own_elem().value_or(s32)), n.in(body, n.own_elem().value_or(s32))},
                   a.loc());
}

}  // namespace

Body& Value::body() const {
  if (!body_)
    ir::fail(Diag::HostValue, {}, "a Value that no kernel made", "assign it before its first use");
  return *body_;
}

Elem Value::elem() const { return body().kernel().type(id_).elem; }
bool Value::is_tile() const { return body().kernel().type(id_).is_tile(); }

Value Value::to(Elem e, Rounding round, Here here) const {
  if (elem() == e) return *this;
  body().own(*this, here);
  body().builder().at(here);
  return {body(), body().builder().cast(e, id_, round)};
}

Value Value::as(Elem e, Here here) const {
  if (elem() == e) return *this;
  if (ir::bits(e) != ir::bits(elem()))
    ir::fail(Diag::TypeMismatch, here,
             fmt::format("{} bits read as {}", ir::name(elem()), ir::name(e)),
             "convert the value with .to(), or reinterpret a type of the same width");
  return body().emit(ir::Op::Bitcast, body().kernel().type(id_).with(e), {*this}, here);
}

Value::operator bool() const {
  ir::fail(Diag::HostValue, body_ ? body_->builder().loc() : ir::Loc{},
           "a device value as a condition of the host", "use when(), loop_while() or select()");
}

Operand::Operand(const Var& v, Here here) : Operand(v.get(), here) {}

std::optional<Elem> Operand::own_elem() const {
  if (const Value* v = value()) return v->elem();
  if (auto arg = std::get_if<const Arg*>(&what_)) return (*arg)->elem;
  return std::nullopt;
}

bool Operand::fractional() const {
  const double* d = std::get_if<double>(&what_);
  return d && *d != std::trunc(*d);
}

Value Operand::in(Body& body, Elem like) const {
  if (const Value* v = value()) {
    body.own(*v, loc_);
    return *v;
  }
  if (auto arg = std::get_if<const Arg*>(&what_)) return body.arg(**arg, loc_);
  body.builder().at(loc_);
  if (auto axis = std::get_if<const Axis*>(&what_)) {
    Value size = body.size(**axis);
    return {body, body.builder().cast(like, size.id())};
  }
  if (!ir::is_float(like) && (fractional() || ir::info(like).klass == ir::Storage))
    ir::fail(Diag::TypeMismatch, loc_,
             fmt::format("the number {} as {}", std::get<double>(what_), ir::name(like)),
             "write a whole number, or convert the other side with .to(f32)");
  if (const double* d = std::get_if<double>(&what_)) {
    ir::ValueId id = ir::is_float(like)
                         ? body.builder().constant_f(like, *d)
                         : body.builder().constant(like, static_cast<std::int64_t>(*d));
    return {body, id};
  }
  return {body, body.builder().constant(like, std::get<std::int64_t>(what_))};
}

Value binary(ir::Op op, const Operand& a, const Operand& b) { return same_type_op(op, {&a, &b}); }
Value unary(ir::Op op, const Operand& a) { return same_type_op(op, {&a}); }

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
  return body.emit(ir::Op::Select, {c.in(body, i1), a.in(body, like), b.in(body, like)}, c.loc());
}

}  // namespace barline::dsl
