// SPDX-License-Identifier: Apache-2.0
// Codes become floats by their bits: put below the leading bit of 2^10, an unsigned code c is the
// f16 number 1024 + c (16 times it where it stands four bits higher: 1024 + 16c), and one exact
// operation leaves the signed value. Codes carry a bias of half their range: packed words are
// stored with it, words of a portable row get it here, by the mask's exclusive or.
//
//   s4 packed    e0 at bit 0, e1 at 16: mask 000f000f, - 1032;  e2 at 4, e3 at 20: / 16 - 72
//   s4 portable  e0 at bit 0, e1 at 20, e2 at 8, e3 at 28: one lane's low nibble, one high
//   s8           bytes moved under 64 by byte_permute, - 1152
//
// A group of A is a pair of one row's word and the same pair of the word 8 rows below.
#include "ir/diagnostic.h"
#include "ir/packing.h"
#include "ir/passes/fragments_p.h"
#include "ir/passes/rings_p.h"

namespace barline::ir {
namespace {

constexpr std::uint32_t ten = 0x64006400;  ///< 2^10 in both halves

class Decoder {
 public:
  Decoder(Builder& b, FragmentWorld& w, bool streamed) : b_(b), w_(w), streamed_(streamed) {}

  /// (word & mask) ^ flip as two f16, times scale, plus shift.
  ValueId pair(ValueId word, std::uint32_t mask, std::uint32_t flip, double scale0, double shift0,
               double scale1, double shift1) {
    ValueId bits = b_.binary(Op::And, word, u32(mask));
    bits = b_.binary(streamed_ && !flip ? Op::Or : Op::Xor, bits, u32(ten ^ flip));
    return affine(bits, scale0, shift0, scale1, shift1);
  }

  ValueId affine(ValueId bits, double scale0, double shift0, double scale1, double shift1) {
    ValueId v = b_.emit(Op::Bitcast, vector(Elem::F16, 2), {bits});
    if (scale0 == 1 && scale1 == 1)
      return b_.emit(Op::Add, vector(Elem::F16, 2), {v, halves(shift0, shift1)});
    return b_.emit(Op::Fma, vector(Elem::F16, 2),
                   {v, halves(scale0, scale1), halves(shift0, shift1)});
  }

  ValueId u32(std::uint32_t v) { return b_.constant(Elem::U32, v); }
  ValueId shifted(ValueId word, int by) {
    return by ? b_.binary(Op::Shr, word, u32(static_cast<std::uint32_t>(by))) : word;
  }

  ValueId both(ValueId low, ValueId high) { return w_.pack(b_, {low, high}); }

  /// Pair `which` of the four in a packed word.
  ValueId packed_pair(ValueId word, int which) {
    word = shifted(word, 8 * (which / 2));
    if (which % 2) return pair(word, 0x00f000f0, 0, 1. / 16, -72, 1. / 16, -72);
    return pair(word, 0x000f000f, 0, 1, -1032, 1, -1032);
  }

  ValueId portable_nibbles(ValueId word) {
    constexpr std::uint32_t mask = 0x00f0000f, flip = 0x00800008;
    return both(pair(word, mask, flip, 1, -1032, 1. / 16, -72),
                pair(shifted(word, 8), mask, flip, 1, -1032, 1. / 16, -72));
  }

  /// The lower or upper two of a word's bytes.
  ValueId byte_pair(ValueId word, int which, bool biased) {
    if (!biased) word = b_.binary(Op::Xor, word, u32(0x80808080));
    // With the constant first ptxas takes the selector as an immediate, not the constant.
    ValueId bits =
        streamed_ ? b_.emit(Op::BytePermute, {u32(0x64646464), word, u32(which ? 0x0706 : 0x0504)})
                  : b_.emit(Op::BytePermute, {word, u32(0x64646464), u32(which ? 0x4342 : 0x4140)});
    return affine(bits, 1, -1152, 1, -1152);
  }

 private:
  ValueId halves(double a, double b) {
    return w_.pack(b_, {b_.constant_f(Elem::F16, a), b_.constant_f(Elem::F16, b)});
  }

  Builder& b_;
  FragmentWorld& w_;
  bool streamed_;  ///< few instructions, and registers
};

/// Are the words a stream to registers, or in a slot that tensor copies fill? There decoding, not
/// memory, takes the time.
bool few_instructions(const FragmentWorld& w, const Operation& load) {
  constexpr int copied_align = 128;
  const int slot = w.root(load.in[0]).slot;
  return slot < 0 ? ring_of(w.k, load) != nullptr : w.k.slots[slot].align >= copied_align;
}

}  // namespace

ValueId decode_group(Builder& b, FragmentWorld& w, const Operation& load, const GroupSource& words,
                     int g, Elem to) {
  if (to != Elem::F16 && to != Elem::F32 && to != Elem::BF16)
    fail(Diag::BadSchedule, load.loc, "quantised codes as anything but floats",
         "cast them to f16 (exact), then compute");
  Decoder d(b, w, few_instructions(w, load));
  Elem code = w.k.type(load.out[0]).elem;
  const Layout& l = w.layout(load.out[0]);
  bool packed = words_of(w.k, load) == Words::Packed;
  // The step of the atom that the group is in, of the two whose nibbles share a word.
  auto odd_step = [&] {
    const Box box = *box_of(w.k, w.k.params[w.source(load)], l);
    return Places::of_register(l, box.col.tile, g * group_of_two_axes) / 16 % 2;
  };
  ValueId v = no_value;
  if (packed && spans_rows(l)) {
    ValueId upper = words(g / 2 * 2), lower = words(g / 2 * 2 + 1);
    auto pair = [&](ValueId word) {
      if (code == Elem::S8) return d.byte_pair(word, g % 2, true);
      return d.packed_pair(word, static_cast<int>(2 * odd_step()) + g % 2);
    };
    v = d.both(pair(upper), pair(lower));
  } else if (code == Elem::S8) {
    ValueId word = words(g);
    v = d.both(d.byte_pair(word, 0, packed), d.byte_pair(word, 1, packed));
  } else if (packed) {
    ValueId word = words(g);
    if (odd_step()) word = d.shifted(word, 8);
    v = d.both(d.packed_pair(word, 0), d.packed_pair(word, 1));
  } else {
    v = d.portable_nibbles(words(g));
  }
  return to == Elem::F16 ? v : b.emit(Op::Cast, vector(to, group_of_two_axes), {v});
}

}  // namespace barline::ir
