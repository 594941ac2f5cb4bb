// SPDX-License-Identifier: Apache-2.0
// Products of matrices: quantised operands, factors, and tiles over two axes. An author multiplies
// logical operands; which tile a block takes, how operands come to it and what multiplies them is
// the schedule's.
#pragma once

#include <functional>
#include <variant>

#include "dsl/tensor.h"
#include "ir/schedule.h"

namespace barline::dsl {

class Tiles;

/// A weight in codes of 4 or 8 bits with what decodes it. As a parameter it is its codes `name`
/// and, with groups, its scales `name_scale` (f16 [K / group, N]); a schedule that packs its stream
/// takes the packed image of ir/packing.h in place of the codes.
struct Quantised {
  std::string name;
  Elem code;
  std::vector<Axis> axes;  ///< as the codes lie, slowest first
  std::string k_axis, n_axis;
  std::int64_t group = -1;  ///< weights of k that share a scale; 0: all; -1: no scales
  ir::Loc loc;

  /// The codes' tensor: portable, or packed.
  Tensor codes(bool packed) const;
  Tensor scales() const;
  bool has_scales() const { return group >= 0; }
};

/// Where a factor of a product stands; its value is decoded as the operand's contract says.
struct Factor {
  Place place;
  const Quantised* weight = nullptr;
  Factor(Place place) : place(std::move(place)) {}
  Factor(Place place, const Quantised* weight) : place(std::move(place)), weight(weight) {}
};

/// Two's-complement nibbles, u32 [N, K/8] (nibble k % 8 at bits 4 (k % 8)), value rn_f16(q * s) by
/// f16 scales a group of k.
struct Int4 : Quantised {
  Int4(std::string name, std::vector<Axis> n_k, std::int64_t group, Here here = Here::current());
  Factor operator()(CoordArg n, CoordArg k) const;
};
/// Bytes, s8 [K, N]; the value is the code.
struct Int8 : Quantised {
  Int8(std::string name, std::vector<Axis> k_n, Here here = Here::current());
  Factor operator()(CoordArg k, CoordArg n) const;
};

/// a(m, k) * b(k, n), to be summed.
struct Product {
  Factor a, b;
  ir::Loc loc;
};
Product dot(Factor a, Factor b, Here here = Here::current());

/// The value in the other's layout, if it is a tile over one of the other's two axes; else itself.
Value spread_to(const Value& v, const Value& like, const ir::Loc& loc);

/// A factor of a product of tiles: a place in a tensor, or a tile in registers (the first factor).
using TileFactor = std::variant<Place, Value>;

/// A tile that the block holds in registers; over a segmented axis one value a segment.
class Tile {
 public:
  explicit Tile(std::vector<Value> parts) : parts_(std::move(parts)) {}
  explicit Tile(Value v) : parts_{std::move(v)} {}

  const std::vector<Value>& parts() const { return parts_; }
  /// The one value of a tile without segments.
  const Value& value() const { return parts_[0]; }
  Tile to(Elem e, Rounding round = Rounding::Rn, ir::Loc loc = Here::current()) const;
  /// f of every part: tile.map(silu).
  template <class F>
  Tile map(F f) const {
    std::vector<Value> out;
    for (const Value& v : parts_) out.push_back(f(v));
    return Tile(std::move(out));
  }

 private:
  std::vector<Value> parts_;
};

/// a op b, part by part; a tile over one axis is spread over the other's two.
Tile binary(ir::Op op, const Tile& a, const Tile& b, const ir::Loc& loc);
Tile binary(ir::Op op, const Tile& a, const Operand& b);
Tile binary(ir::Op op, const Operand& a, const Tile& b);

#define BARLINE_TILE_OPERATOR(symbol, op)                                                    \
  inline Tile operator symbol(const Tile& a, const Tile& b) {                                \
    return binary(ir::Op::op, a, b, {});                                                     \
  }                                                                                          \
  inline Tile operator symbol(const Tile& a, Operand b) { return binary(ir::Op::op, a, b); } \
  inline Tile operator symbol(Operand a, const Tile& b) { return binary(ir::Op::op, a, b); }
BARLINE_TILE_OPERATOR(+, Add)
BARLINE_TILE_OPERATOR(-, Sub)
BARLINE_TILE_OPERATOR(*, Mul)
#undef BARLINE_TILE_OPERATOR

}  // namespace barline::dsl
