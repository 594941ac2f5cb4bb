// SPDX-License-Identifier: Apache-2.0
// Host types of the IR's element types, as lanes hold them in registers. Storage-only nibbles and
// i1 take a byte; a lane that takes no part may hold any bits, so no host type here has invalid
// ones.
#pragma once

#include <cstdint>
#include <type_traits>

#include "ir/half.h"
#include "ir/type.h"

namespace barline::verify::sim {

struct i1_t {
  std::uint8_t bits = 0;
  explicit operator bool() const { return bits & 1; }
};
/// A 4-bit integer in the low half of a byte.
template <bool IsSigned>
struct nibble_t {
  std::uint8_t bits = 0;
};
using s4_t = nibble_t<true>;
using u4_t = nibble_t<false>;

/// Stands for a type in a call.
template <class T>
struct As {
  using type = T;
};

/// Calls visit(As<T>{}) with the host type of `e`.
template <class Visit>
decltype(auto) with_elem(ir::Elem e, Visit&& visit) {
  using ir::Elem;
  switch (e) {
    case Elem::I1: return visit(As<i1_t>{});
    case Elem::S8: return visit(As<std::int8_t>{});
    case Elem::S16: return visit(As<std::int16_t>{});
    case Elem::S32: return visit(As<std::int32_t>{});
    case Elem::S64: return visit(As<std::int64_t>{});
    case Elem::U8: return visit(As<std::uint8_t>{});
    case Elem::U16: return visit(As<std::uint16_t>{});
    case Elem::U32: return visit(As<std::uint32_t>{});
    case Elem::U64: return visit(As<std::uint64_t>{});
    case Elem::F16: return visit(As<ir::f16_t>{});
    case Elem::BF16: return visit(As<ir::bf16_t>{});
    case Elem::F32: return visit(As<float>{});
    case Elem::F64: return visit(As<double>{});
    case Elem::E4M3: return visit(As<ir::e4m3_t>{});
    case Elem::E5M2: return visit(As<ir::e5m2_t>{});
    case Elem::E2M1: return visit(As<ir::e2m1_t>{});
    case Elem::S4: return visit(As<s4_t>{});
    case Elem::U4: return visit(As<u4_t>{});
  }
  __builtin_unreachable();
}

/// Calls visit(As<std::uintN_t>{}) with the unsigned type as wide as a lane's register of `e`.
template <class Visit>
decltype(auto) with_width(ir::Elem e, Visit&& visit) {
  switch (ir::bytes(e)) {
    case 1: return visit(As<std::uint8_t>{});
    case 2: return visit(As<std::uint16_t>{});
    case 4: return visit(As<std::uint32_t>{});
    default: return visit(As<std::uint64_t>{});
  }
}

/// Elements narrower than a byte share one in memory: two a byte, the even one in the low half.
constexpr bool is_packed(ir::Elem e) { return ir::bits(e) == 4; }

}  // namespace barline::verify::sim
