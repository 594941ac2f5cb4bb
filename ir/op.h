// SPDX-License-Identifier: Apache-2.0
// The op table: ops.def expanded into an enum and a constexpr table of signatures and traits.
#pragma once

#include <cstdint>
#include <string_view>

#include "ir/attr.h"
#include "ir/type.h"

namespace barline::ir {

enum class Op : std::uint8_t {
#define OP(id, ...) id,
#include "ir/ops.def"
#undef OP
};

inline constexpr int op_count = 0
#define OP(...) +1
#include "ir/ops.def"
#undef OP
    ;

/// Shapes an operand or a result may have. Elementwise: a scalar, a vector or a tile.
enum class Shape : std::uint8_t { Elementwise, Scalar, Vector, ScalarOrVector, Pointer, Tile, Any };

/// Facts that checks, analyses and passes ask of an op; a bit set.
enum Trait : std::uint32_t {
  Pure = 1 << 0,         ///< no effect; may be dropped when unused
  Elementwise = 1 << 1,  ///< scalars and tiles mix: the result is a tile if an operand is one;
                         ///< vectors have the same lanes, and mix with neither
  Convergent = 1 << 2,   ///< every thread of the warp (Reduce cta, Barrier: of the block) must come
                         ///< here together
  WholeWarps = 1 << 3,   ///< the block must be a whole number of warps
  Reads = 1 << 4,
  Writes = 1 << 5,
  Syncs = 1 << 6,
  Fences = 1 << 7,
  UsesScratch = 1 << 8,      ///< expands into accesses of a scratch slot
  Approx = 1 << 9,           ///< the hardware's result, not specified bit for bit
  TileLevel = 1 << 10,       ///< gone after expand_stripes or expand_fragments
  ReductionLevel = 1 << 11,  ///< gone after expand_reductions
  Control = 1 << 12,
  Terminator = 1 << 13,
  Debug = 1 << 14,
  VariadicIn = 1 << 15,    ///< the last operand of the signature repeats 0.. times
  VariadicOut = 1 << 16,   ///< likewise the last result
  Async = 1 << 17,         ///< its effect ends at a wait, not at the op
  MeetingLevel = 1 << 18,  ///< gone after expand_meetings
  RegionLevel = 1 << 19,   ///< gone after strip_regions or expand_regions
};

struct Spec {
  std::string_view name = {};
  std::uint8_t classes = 0;  ///< ElemClass bits; 0: not there
  Shape shape = Shape::Elementwise;
  std::int8_t same_as = -1;  ///< its element type is that of operand k
  bool optional = false;
};

namespace op_spelling {  // what the rows of ops.def may say
inline constexpr std::uint8_t Int = Signed | Unsigned, Num = Int | Float,
                              Any = Bool | Num | ElemClass::Storage;
constexpr Spec same(std::string_view name, int k, Shape shape = Shape::Elementwise) {
  return {name, Any, shape, static_cast<std::int8_t>(k), false};
}
constexpr Spec optional(std::string_view name, std::uint8_t classes) {
  return {name, classes, Shape::Scalar, -1, true};
}
}  // namespace op_spelling

struct OpDef {
  std::string_view mnemonic;
  Spec in[7] = {};
  Spec out[1] = {};
  Key attrs[8] = {};
  std::uint32_t traits = 0;
  int regions = 0;
  std::string_view doc;

  static constexpr Key no_key = Key::None;
  constexpr bool has(Trait t) const { return traits & t; }
  constexpr int in_count() const {
    int n = 0;
    for (const Spec& s : in) n += s.classes != 0;
    return n;
  }
  constexpr int out_count() const { return out[0].classes != 0; }
};

namespace detail {
using namespace op_spelling;
inline constexpr OpDef op_table[] = {
#define OP(id, ...) {__VA_ARGS__},
#include "ir/ops.def"
#undef OP
};
}  // namespace detail

constexpr const OpDef& def(Op op) { return detail::op_table[static_cast<int>(op)]; }
constexpr std::string_view name(Op op) { return def(op).mnemonic; }

/// Stands for one op in an overload set, so that a missing overload does not compile.
template <Op>
struct Tag {};

}  // namespace barline::ir
