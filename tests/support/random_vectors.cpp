// SPDX-License-Identifier: Apache-2.0
// f64 stays out: the bits of its NaNs are the device's own.
#include "tests/support/random_vectors.h"

#include <vector>

namespace barline::test {
namespace {

using namespace ir;

struct Vectors {
  Builder& b;
  Random& rng;
  const RandomScalars& scalars;

  const Type& type(ValueId v) const { return b.kernel().type(v); }

  Elem any() {
    return rng.pick({Elem::F16, Elem::F16, Elem::BF16, Elem::BF16, Elem::F32, Elem::S32, Elem::U32,
                     Elem::U16, Elem::U8, Elem::S64});
  }

  ValueId packed(Elem e, int lanes) {
    std::vector<ValueId> elements;
    for (int i = 0; i < lanes; ++i) elements.push_back(scalars.pick(e));
    return b.emit(Op::Pack, vector(e, lanes), elements);
  }

  ValueId part(ValueId v, int first, int lanes) {
    Elem e = type(v).elem;
    return b.emit(Op::Extract, lanes == 1 ? scalar(e) : vector(e, lanes), {v},
                  {{Key::Index, first, {}}});
  }

  /// Another vector of the type: new, the same, or its halves exchanged.
  ValueId other(ValueId v) {
    int lanes = type(v).lanes;
    switch (rng.below(3)) {
      case 0: return v;
      case 1: return b.emit(Op::Pack, {part(v, lanes / 2, lanes / 2), part(v, 0, lanes / 2)});
      default: return packed(type(v).elem, lanes);
    }
  }

  ValueId binary(ValueId v) {
    if (is_float(type(v).elem)) {
      if (rng.one_in(4)) return b.emit(Op::Fma, {v, other(v), other(v)});
      return b.binary(rng.pick({Op::Add, Op::Sub, Op::Mul, Op::Min, Op::Max}), v, other(v));
    }
    return b.binary(rng.pick({Op::Add, Op::Sub, Op::Mul, Op::Min, Op::Max, Op::And, Op::Or, Op::Xor,
                              Op::Shl, Op::Shr}),
                    v, other(v));
  }

  ValueId unary(ValueId v) {
    Elem e = type(v).elem;
    if (is_float(e) || is_signed(e)) return b.emit(rng.pick({Op::Neg, Op::Abs}), {v});
    return b.emit(Op::Not, {v});
  }

  ValueId select(ValueId v) {
    ValueId w = other(v);
    auto pred = static_cast<Compare>(rng.below(6));
    ValueId c = rng.one_in(3) ? scalars.pick(Elem::I1) : b.compare(pred, v, w);
    return b.emit(Op::Select, {c, v, w});
  }

  ValueId bitcast(ValueId v) {
    Elem e = any();
    int lanes = bits(type(v).elem) * type(v).lanes / bits(e);
    bool vector_of = lanes == 2 || lanes == 4 || lanes == 8 || lanes == 16;
    return vector_of ? b.emit(Op::Bitcast, vector(e, lanes), {v}) : v;
  }

  ValueId resize(ValueId v) {
    int lanes = type(v).lanes;
    if (lanes > 2) return part(v, rng.below(lanes / 2 + 1), lanes / 2);
    return b.emit(Op::Pack, {v, other(v)});
  }

  ValueId step(ValueId v) {
    switch (rng.below(8)) {
      case 0: return unary(v);
      case 1: return select(v);
      case 2: return b.cast(any(), v);
      case 3: return bitcast(v);
      case 4: return resize(v);
      default: return binary(v);
    }
  }

  /// Some of the elements, for the code around.
  void give(ValueId v) {
    for (int i = 0; i < type(v).lanes; ++i)
      if (rng.one_in(2)) scalars.add(part(v, i, 1));
  }
};

}  // namespace

void random_vectors(Builder& b, Random& rng, const RandomScalars& scalars) {
  Vectors make{b, rng, scalars};
  ValueId v = make.packed(make.any(), rng.pick({2, 2, 4, 4, 8}));
  for (int n = rng.between(1, 4); n > 0; --n) v = make.step(v);
  make.give(v);
}

void random_matrices(Builder& b, Random& rng, const RandomScalars& scalars, ValueId slot,
                     ValueId to, ValueId from) {
  Vectors make{b, rng, scalars};
  b.emit(Op::Store, {slot, to, make.packed(Elem::U16, 8)});
  int matrices = rng.pick({1, 2, 4});
  ValueId v = b.emit(Op::LoadMatrix, vector(Elem::U16, 2 * matrices), {slot, from},
                     {{Key::Transpose, rng.below(2), {}}});
  if (rng.one_in(2)) return make.give(v);
  Elem e = rng.pick({Elem::F16, Elem::BF16});
  make.give(b.emit(Op::Bitcast, vector(e, 2 * matrices), {v}));
}

namespace {

/// The vector plus the thread's rank. ptxas 13.0 folds the sign of a constant f16x2 operand of
/// m16n8k8 into a negated register wrongly: 0xc180c180 becomes -0x4180c180, which is 0xc1804180.
ValueId no_constant(Builder& b, ValueId v) {
  const Type type = b.kernel().type(v);
  ValueId rank = b.cast(type.elem, b.emit(Op::ThreadRank, scalar(Elem::S32), {}));
  return b.emit(Op::Add, type, {v, b.emit(Op::Pack, type, std::vector<ValueId>(type.lanes, rank))});
}

}  // namespace

void random_product(Builder& b, Random& rng, const RandomScalars& scalars) {
  Vectors make{b, rng, scalars};
  Elem e = rng.pick({Elem::F16, Elem::BF16, Elem::U32, Elem::U16});
  if (e == Elem::U16) return make.give(b.emit(Op::MoveMatrix, {make.packed(e, 2)}));
  int a = e == Elem::U32 ? 4 : rng.pick({4, 8});
  ValueId c = make.packed(e == Elem::U32 ? Elem::S32 : Elem::F32, 4);
  ValueId left = make.packed(e, a), right = make.packed(e, a / 2);
  if (is_float(e)) left = no_constant(b, left), right = no_constant(b, right);
  make.give(b.emit(Op::MmaSync, {left, right, c}));
}

}  // namespace barline::test
