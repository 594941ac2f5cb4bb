// SPDX-License-Identifier: Apache-2.0
// Value: a value of the device while a kernel is being built. C++ operators append ops; each keeps
// the place of its expression in the author's source.
#pragma once

#include <source_location>
#include <string>
#include <variant>

#include "ir/builder.h"

namespace barline::dsl {

using ir::Elem;
using ir::Rounding;
using Here = std::source_location;

inline constexpr Elem i1 = Elem::I1, s8 = Elem::S8, s16 = Elem::S16, s32 = Elem::S32,
                      s64 = Elem::S64, u8 = Elem::U8, u16 = Elem::U16, u32 = Elem::U32,
                      u64 = Elem::U64, f16 = Elem::F16, bf16 = Elem::BF16, f32 = Elem::F32,
                      f64 = Elem::F64, e4m3 = Elem::E4M3, e5m2 = Elem::E5M2, e2m1 = Elem::E2M1;

class Body;
class Var;

/// A named dimension of a problem. Used as an operand it is its size, converted to the other side's
/// type. `multiple`: dynamic sizes are a multiple of it (checked at launch).
///
/// An axis in segments {q, k, v} is an axis a segment (N_q, N_k, N_v, each of its own size), and a
/// tensor over it a tensor a segment (w_q over N_q, ..).
struct Axis {
  std::string name;
  std::int64_t multiple = 1;
  std::vector<std::string> segments{};
  std::string of{};  ///< derived: ceil(size(of) / per) * times
  std::int64_t per = 1, times = 1;

  Axis(std::string name, std::int64_t multiple = 1) : name(std::move(name)), multiple(multiple) {}
  Axis(std::string name, std::initializer_list<const char*> segments, std::int64_t multiple = 1)
      : name(std::move(name)), multiple(multiple), segments(segments.begin(), segments.end()) {}

  /// The axis of one step for each `per` elements of this one (of `times` for each).
  Axis by(std::int64_t per, std::int64_t times = 1) const;
  /// The axis of segment i.
  Axis segment(std::size_t i) const;
};

/// A scalar parameter of the kernel; an operand like any other. Over a segmented axis: one scalar a
/// segment.
struct Arg {
  std::string name;
  Elem elem = f32;
  ir::Loc loc;
  std::vector<std::string> segments{};
  explicit Arg(std::string name, Elem elem = f32, Here here = Here::current())
      : name(std::move(name)), elem(elem), loc(here) {}
  Arg(std::string name, Elem elem, const Axis& over, Here here = Here::current())
      : name(std::move(name)), elem(elem), loc(here), segments(over.segments) {}
};

/// No condition of the host: `if (v)` does not compile. when(), loop_while() and select() choose.
class Value {
 public:
  Value() = default;
  Value(Body& body, ir::ValueId id) : body_(&body), id_(id) {}

  Elem elem() const;
  bool is_tile() const;
  Body& body(const ir::Loc& loc = {}) const;
  ir::ValueId id() const { return id_; }

  /// The value converted to `e`; floats round by `round`, float to integer saturates.
  Value to(Elem e, Rounding round = Rounding::Rn, ir::Loc loc = Here::current()) const;
  /// The same bits as a type of the same width.
  Value as(Elem e, ir::Loc loc = Here::current()) const;

 private:
  Body* body_ = nullptr;
  ir::ValueId id_ = ir::no_value;
};

/// One side of an operator: a value, a number that takes the other side's type, a scalar parameter
/// or an axis' size. Made implicitly, so that it records where the expression stands.
class Operand {
 public:
  Operand(const Value& v, ir::Loc loc = Here::current()) : what_(v), loc_(std::move(loc)) {}
  Operand(const Var& v, ir::Loc loc = Here::current());
  Operand(double number, ir::Loc loc = Here::current()) : what_(number), loc_(std::move(loc)) {}
  Operand(float number, ir::Loc loc = Here::current()) : Operand(double{number}, std::move(loc)) {}
  Operand(int number, ir::Loc loc = Here::current())
      : Operand(std::int64_t{number}, std::move(loc)) {}
  Operand(unsigned number, ir::Loc loc = Here::current())
      : Operand(std::int64_t{number}, std::move(loc)) {}
  Operand(std::int64_t number, ir::Loc loc = Here::current())
      : what_(number), loc_(std::move(loc)) {}
  Operand(std::uint64_t number, ir::Loc loc = Here::current())
      : Operand(static_cast<std::int64_t>(number), std::move(loc)) {}
  Operand(const Arg& arg, ir::Loc loc = Here::current()) : what_(&arg), loc_(std::move(loc)) {}
  Operand(const Axis& axis, ir::Loc loc = Here::current()) : what_(&axis), loc_(std::move(loc)) {}

  const ir::Loc& loc() const { return loc_; }
  const Value* value() const { return std::get_if<Value>(&what_); }
  /// The scalar parameter, if it is one.
  const Arg* arg() const {
    auto a = std::get_if<const Arg*>(&what_);
    return a ? *a : nullptr;
  }
  /// The operand as a value of that body; numbers and axis sizes become `like`.
  Value in(Body& body, Elem like) const;
  /// The type it has by itself; nothing for numbers and axis sizes.
  std::optional<Elem> own_elem() const;
  /// The type it takes where no other side has one: s32, or f32 for a number with a point.
  Elem default_elem() const;
  /// The number, if it is a whole one of the host.
  std::optional<std::int64_t> whole() const;

 private:
  void check_range(Elem like) const;

  std::variant<Value, double, std::int64_t, const Arg*, const Axis*> what_;
  ir::Loc loc_;
};

Value binary(ir::Op op, const Operand& a, const Operand& b);
Value unary(ir::Op op, const Operand& a);
/// The same on i1 alone: of other types `&&`, `||` and `!` would mean their bits.
Value logical(ir::Op op, const Operand& a, const Operand& b);
Value logical_not(const Operand& a);
Value compare(ir::Compare pred, const Operand& a, const Operand& b);

inline Value operator+(Operand a, Operand b) { return binary(ir::Op::Add, a, b); }
inline Value operator-(Operand a, Operand b) { return binary(ir::Op::Sub, a, b); }
inline Value operator*(Operand a, Operand b) { return binary(ir::Op::Mul, a, b); }
inline Value operator/(Operand a, Operand b) { return binary(ir::Op::Div, a, b); }
inline Value operator%(Operand a, Operand b) { return binary(ir::Op::Rem, a, b); }
inline Value operator&(Operand a, Operand b) { return binary(ir::Op::And, a, b); }
inline Value operator|(Operand a, Operand b) { return binary(ir::Op::Or, a, b); }
inline Value operator^(Operand a, Operand b) { return binary(ir::Op::Xor, a, b); }
inline Value operator&&(Operand a, Operand b) { return logical(ir::Op::And, a, b); }
inline Value operator||(Operand a, Operand b) { return logical(ir::Op::Or, a, b); }
Value operator<<(Operand a, Operand n);
Value operator>>(Operand a, Operand n);
inline Value operator-(Operand a) { return unary(ir::Op::Neg, a); }
inline Value operator~(Operand a) { return unary(ir::Op::Not, a); }
inline Value operator!(Operand a) { return logical_not(a); }
inline Value operator<(Operand a, Operand b) { return compare(ir::Compare::Lt, a, b); }
inline Value operator<=(Operand a, Operand b) { return compare(ir::Compare::Le, a, b); }
inline Value operator>(Operand a, Operand b) { return compare(ir::Compare::Gt, a, b); }
inline Value operator>=(Operand a, Operand b) { return compare(ir::Compare::Ge, a, b); }
inline Value operator==(Operand a, Operand b) { return compare(ir::Compare::Eq, a, b); }
inline Value operator!=(Operand a, Operand b) { return compare(ir::Compare::Ne, a, b); }

// ---- the op table's other elementwise rows, by their names
// ---------------------------------------
inline Value min(Operand a, Operand b) { return binary(ir::Op::Min, a, b); }
inline Value max(Operand a, Operand b) { return binary(ir::Op::Max, a, b); }
inline Value mul_hi(Operand a, Operand b) { return binary(ir::Op::MulHi, a, b); }
inline Value abs(Operand a) { return unary(ir::Op::Abs, a); }
inline Value sqrt(Operand a) { return unary(ir::Op::Sqrt, a); }
inline Value popc(Operand a) { return unary(ir::Op::Popc, a); }
inline Value clz(Operand a) { return unary(ir::Op::Clz, a); }
inline Value brev(Operand a) { return unary(ir::Op::Brev, a); }
/// a * b + c, rounded once.
Value fma(Operand a, Operand b, Operand c);
/// a where c, else b.
Value select(Operand c, Operand a, Operand b);
/// PTX prmt.b32 on u32.
Value byte_permute(Operand a, Operand b, Operand selector);
/// The integral float that the rounding picks.
Value round(Operand a, Rounding how = Rounding::Rn);
inline Value floor(Operand a) { return round(a, Rounding::Rm); }
inline Value ceil(Operand a) { return round(a, Rounding::Rp); }
inline Value trunc(Operand a) { return round(a, Rounding::Rz); }

// ---- hardware approximations (f32), not specified bit for bit
// ------------------------------------
inline Value ex2_approx(Operand a) { return unary(ir::Op::Ex2Approx, a); }
inline Value lg2_approx(Operand a) { return unary(ir::Op::Lg2Approx, a); }
inline Value rcp_approx(Operand a) { return unary(ir::Op::RcpApprox, a); }
inline Value rsqrt_approx(Operand a) { return unary(ir::Op::RsqrtApprox, a); }
inline Value sin_approx(Operand a) { return unary(ir::Op::SinApprox, a); }
inline Value cos_approx(Operand a) { return unary(ir::Op::CosApprox, a); }
inline Value tanh_approx(Operand a) { return unary(ir::Op::TanhApprox, a); }

}  // namespace barline::dsl
