// SPDX-License-Identifier: Apache-2.0
// Value types of the IR: scalars, short vectors, typed pointers into an address space, and the
// tile-level types (a tile is an axis' elements spread over a block's registers by a layout).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace barline::ir {

/// Element types, named as PTX spells them (see elems.def).
enum class Elem : std::uint8_t {
#define ELEM(id, ...) id,
#include "ir/elems.def"
#undef ELEM
};

inline constexpr int elem_count = 0
#define ELEM(...) +1
#include "ir/elems.def"
#undef ELEM
    ;

/// Classes of element types that op signatures speak of; a bit set.
enum ElemClass : std::uint8_t { Bool = 1, Signed = 2, Unsigned = 4, Float = 8, Storage = 16 };

struct ElemInfo {
  std::string_view name;
  int bits;         ///< width in memory; below 8 for packed sub-byte types, 1 for i1
  ElemClass klass;  ///< Storage: only loaded, stored and converted, never computed with
};

constexpr ElemInfo elem_table[] = {
#define ELEM(id, name, bits, klass) {name, bits, klass},
#include "ir/elems.def"
#undef ELEM
};

constexpr const ElemInfo& info(Elem e) { return elem_table[static_cast<int>(e)]; }
constexpr int bits(Elem e) { return info(e).bits; }
/// Bytes of one element in memory; 1 for i1. Sub-byte types have no byte size of their own.
constexpr int bytes(Elem e) { return bits(e) < 8 ? 1 : bits(e) / 8; }
constexpr bool is_float(Elem e) { return info(e).klass == Float; }
constexpr bool is_int(Elem e) { return info(e).klass == Signed || info(e).klass == Unsigned; }
constexpr bool is_signed(Elem e) { return info(e).klass == Signed; }

/// Address spaces. A global pointer is a kernel parameter; a shared one is a slot.
enum class Space : std::uint8_t { Global, Shared };

/// What a type is. Token and Cursor are the results of asynchronous copies and of rings.
enum class Kind : std::uint8_t { Scalar, Vector, Pointer, Tile, Token, Cursor };

/// A value's type; small, copied freely, compared by value.
struct Type {
  Kind kind = Kind::Scalar;
  Elem elem = Elem::I1;
  Space space = Space::Global;  ///< Pointer only
  std::uint16_t lanes = 1;      ///< Vector: 2, 4, 8 or 16 elements
  std::uint16_t layout = 0;     ///< Tile: index into Kernel::layouts
  bool in_flight = false;       ///< Vector: an accumulator that a wgmma still writes

  bool operator==(const Type&) const = default;
  bool is_scalar() const { return kind == Kind::Scalar; }
  bool is_tile() const { return kind == Kind::Tile; }
  bool is_pointer() const { return kind == Kind::Pointer; }
  /// The same shape with another element type.
  Type with(Elem e) const {
    Type t = *this;
    t.elem = e;
    return t;
  }
};

constexpr Type scalar(Elem e) { return {.kind = Kind::Scalar, .elem = e}; }
constexpr Type vector(Elem e, int lanes) {
  return {.kind = Kind::Vector, .elem = e, .lanes = static_cast<std::uint16_t>(lanes)};
}
/// An accumulator in flight: not a value before a wgmma_wait.
constexpr Type flight(Elem e, int lanes) {
  Type t = vector(e, lanes);
  t.in_flight = true;
  return t;
}
constexpr Type pointer(Elem e, Space s) { return {.kind = Kind::Pointer, .elem = e, .space = s}; }
constexpr Type tile(Elem e, int layout) {
  return {.kind = Kind::Tile, .elem = e, .layout = static_cast<std::uint16_t>(layout)};
}

/// The element type of that name, or nothing.
std::optional<Elem> parse_elem(std::string_view name);
std::string_view name(Elem e);
std::string_view name(Space s);

}  // namespace barline::ir
