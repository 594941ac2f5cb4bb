// SPDX-License-Identifier: Apache-2.0
// Result types and operand checks follow from the op's row alone.
#include "ir/builder.h"

#include <fmt/format.h>
#include <bit>
#include <cmath>
#include <utility>

#include "ir/numerics.h"
#include "ir/print.h"

namespace barline::ir {
namespace {

std::string class_names(std::uint8_t classes) {
  std::string text;
  for (int i = 0; i < elem_count; ++i) {
    if (!(elem_table[i].klass & classes)) continue;
    if (!text.empty()) text += ", ";
    text += elem_table[i].name;
  }
  return text;
}

bool shape_allowed(Shape shape, const Type& t) {
  switch (shape) {
    case Shape::Elementwise: return t.is_scalar() || t.is_tile() || t.kind == Kind::Vector;
    case Shape::Scalar: return t.is_scalar();
    case Shape::Vector: return t.kind == Kind::Vector;
    case Shape::ScalarOrVector: return t.is_scalar() || t.kind == Kind::Vector;
    case Shape::Pointer: return t.is_pointer();
    case Shape::Tile: return t.is_tile();
    case Shape::Any: return true;
  }
  return false;
}

/// The spec of operand i: a variadic op's last one repeats.
const Spec* spec_of(const OpDef& d, std::size_t i) {
  std::size_t n = d.in_count();
  if (i < n) return &d.in[i];
  return d.has(VariadicIn) && n > 0 ? &d.in[n - 1] : nullptr;
}

void check_operand(const Kernel& k, Op op, std::span<const ValueId> in, std::size_t i,
                   const Spec& spec, const Loc& loc) {
  const Type& t = k.type(in[i]);
  if (!shape_allowed(spec.shape, t))
    fail(Diag::WrongClass, loc,
         fmt::format("operand '{}' of {} is a {}", spec.name, name(op), to_string(k, t)),
         "pass a value of the shape that the operation takes (see docs/ops.md)");
  if (spec.same_as >= 0) {
    const Type& want = k.type(in[spec.same_as]);
    if (want.elem != t.elem)
      fail(Diag::TypeMismatch, loc,
           fmt::format("{} of {} and {}", name(op), to_string(k, want), to_string(k, t)),
           fmt::format("convert one side: .to({}) or .to({})", name(want.elem), name(t.elem)));
  } else if (!(info(t.elem).klass & spec.classes)) {
    fail(Diag::WrongClass, loc,
         fmt::format("operand '{}' of {} is a {}", spec.name, name(op), to_string(k, t)),
         "use one of: " + class_names(spec.classes));
  }
}

/// The shape of an elementwise result, once operand `t` has joined those before it.
void join_shapes(const Kernel& k, Op op, Type& shape, const Type& t, const Loc& loc) {
  auto differ = [&](Diag code, std::string_view what, std::string_view fix) {
    fail(code, loc,
         fmt::format("{} of {}: {} and {}", name(op), what, to_string(k, shape), to_string(k, t)),
         std::string(fix));
  };
  bool vectors = shape.kind == Kind::Vector || t.kind == Kind::Vector;
  if (vectors && (shape.kind != t.kind || shape.lanes != t.lanes))
    differ(Diag::TypeMismatch, "values of different lanes",
           "give all operands as many elements; pack a scalar into a vector first");
  if (shape.is_tile() && t.is_tile() && shape.layout != t.layout)
    differ(Diag::WrongAxis, "tiles over different axes",
           "combine tiles of one axis; reduce the other to a scalar first");
  if (t.is_tile()) shape = t;
}

/// All elements of the operands, which are of one type.
Type pack_result(const Kernel& k, std::span<const ValueId> in, const Loc& loc) {
  if (in.empty()) fail(Diag::BadCall, loc, "pack of nothing", "give it 2 to 16 elements");
  int lanes = 0;
  for (ValueId v : in) {
    if (k.type(v).elem != k.type(in[0]).elem)
      fail(Diag::TypeMismatch, loc,
           fmt::format("pack of {} and {}", to_string(k, k.type(in[0])), to_string(k, k.type(v))),
           fmt::format("convert one side: .to({})", name(k.type(in[0]).elem)));
    lanes += k.type(v).lanes;
  }
  return vector(k.type(in[0]).elem, lanes);
}

}  // namespace

Type result_type(const Kernel& k, Op op, std::span<const ValueId> in, const Loc& loc) {
  const OpDef& d = def(op);
  std::size_t required = 0;
  for (int i = 0; i < d.in_count(); ++i) required += !d.in[i].optional;
  if (d.has(VariadicIn) && required > 0) --required;
  if (in.size() < required || (in.size() > std::size_t(d.in_count()) && !d.has(VariadicIn)))
    fail(Diag::BadCall, loc, fmt::format("{} has {} operands", name(op), in.size()),
         fmt::format("give it {}", required));
  Type shape = scalar(Elem::I1);
  bool first = true;
  for (std::size_t i = 0; i < in.size(); ++i) {
    check_operand(k, op, in, i, *spec_of(d, i), loc);
    const Type& t = k.type(in[i]);
    if (!d.has(Elementwise)) continue;
    if (op == Op::Select && i == 0 && t.is_scalar()) continue;  // one choice of whole values
    if (std::exchange(first, false))
      shape = t;
    else
      join_shapes(k, op, shape, t, loc);
  }
  if (d.out_count() == 0) return scalar(Elem::I1);
  if (op == Op::Pack) return pack_result(k, in, loc);
  if (op == Op::Dot) return k.type(in[0]);
  const Spec& out = d.out[0];
  Elem elem = shape.elem;
  if (out.same_as >= std::ssize(in)) return scalar(Elem::I1);  // of operands that are not there
  if (out.same_as >= 0) {
    elem = k.type(in[out.same_as]).elem;
    if (out.shape == Shape::Pointer) return k.type(in[out.same_as]);
    // Where the lanes do not follow from the operand, the fewest there are.
    const Type& like = k.type(in[out.same_as]);
    if (out.shape == Shape::Vector) return like.kind == Kind::Vector ? like : vector(elem, 2);
  } else if (out.classes == ElemClass::Bool) {
    elem = Elem::I1;
  } else {
    elem = Elem::S32;
  }
  return d.has(Elementwise) ? shape.with(elem) : scalar(elem);
}

Operation& Builder::append(Operation op) {
  if (!op.loc) op.loc = loc_;
  region().ops.push_back(std::move(op));
  return region().ops.back();
}

ValueId Builder::emit(Op op, std::initializer_list<ValueId> in, std::initializer_list<Attr> attrs) {
  return emit(op, result_type(k_, op, {in.begin(), in.size()}, loc_), in, attrs);
}

ValueId Builder::emit(Op op, Type result, std::vector<ValueId> in, std::vector<Attr> attrs) {
  Operation o{.op = op,
              .in = std::move(in),
              .out = {},
              .attrs = std::move(attrs),
              .regions = {},
              .loc = loc_};
  ValueId out = no_value;
  if (def(op).out_count()) {
    out = k_.new_value(result);
    o.out.push_back(out);
  }
  append(std::move(o));
  return out;
}

ValueId Builder::constant_bits(Elem e, std::uint64_t bits) {
  return emit(Op::Const, scalar(e), {}, {{Key::Value, static_cast<std::int64_t>(bits), {}}});
}

ValueId Builder::constant_f(Elem e, double value) {
  switch (e) {
    case Elem::F64: return constant_bits(e, std::bit_cast<std::uint64_t>(value));
    case Elem::F32:
      return constant_bits(e, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
    case Elem::F16: return constant_bits(e, num::to_f16(static_cast<float>(value)).bits);
    default: return constant_bits(e, num::to_bf16(static_cast<float>(value)).bits);
  }
}

ValueId Builder::constant(Elem e, std::int64_t value) {
  if (is_float(e)) return constant_f(e, static_cast<double>(value));
  std::uint64_t mask = bits(e) == 64 ? ~0ull : (1ull << bits(e)) - 1;
  return constant_bits(e, static_cast<std::uint64_t>(value) & mask);
}

ValueId Builder::compare(Compare pred, ValueId a, ValueId b) {
  return emit(Op::Cmp, {a, b}, {{Key::Pred, static_cast<std::int64_t>(pred), {}}});
}

ValueId Builder::cast(Elem to, ValueId a, Rounding round) {
  Elem from = k_.type(a).elem;
  if (from == to) return a;
  std::vector<Attr> attrs;
  if (!is_int(from) || !is_int(to))
    attrs.push_back({Key::Round, static_cast<std::int64_t>(round), {}});
  return emit(Op::Cast, k_.type(a).with(to), {a}, std::move(attrs));
}

}  // namespace barline::ir
