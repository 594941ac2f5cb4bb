// SPDX-License-Identifier: Apache-2.0
// Operands of matrix instructions, of every class that could tell one rule of summing from another.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ir/type.h"

namespace barline::probe {

constexpr int rows = 64, row_bytes = 32, row_words = row_bytes / 4, row_terms = 16;

enum class Class {
  RandomBits,    ///< any bits at all
  Normal,        ///< about 1
  Window,        ///< exponents within a few bits of each other, at any level
  Zeros,         ///< the same with zeros of both signs
  SubnormalIn,   ///< subnormal operands
  SubnormalOut,  ///< sums about the smallest numbers
  Overflow,      ///< sums about the largest
  Special,       ///< infinities and NaN
  Cancel,        ///< pairs of products that cancel or nearly do
  CancelScaled,  ///< the same, each with factors of its own exponents
  Sparse,        ///< few terms, far apart
  SignedZeros,   ///< zeros and very little else
  Ladder,        ///< powers of two, a fixed number of bits below one large term
};
constexpr Class classes[] = {
    Class::RandomBits,   Class::Normal,      Class::Window,  Class::Zeros,  Class::SubnormalIn,
    Class::SubnormalOut, Class::Overflow,    Class::Special, Class::Cancel, Class::CancelScaled,
    Class::Sparse,       Class::SignedZeros, Class::Ladder};
constexpr const char* name(Class c) {
  constexpr const char* names[] = {"random bits",  "normal",        "window",   "zeros",
                                   "subnormal in", "subnormal out", "overflow", "special",
                                   "cancel",       "cancel scaled", "sparse",   "signed zeros",
                                   "ladder"};
  return names[static_cast<int>(c)];
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  std::uint64_t operator()() {
    std::uint64_t x = state_ += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
  }
  int below(int n) { return static_cast<int>(((*this)() >> 32) * n >> 32); }
  int in(int low, int high) { return low + below(high - low + 1); }
  bool once_in(int n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

/// Operands of one tile: A [64][16] and B [n][16] of 16 bits a step, C [64][n] of 32 bits.
class Tile {
 public:
  Tile(ir::Elem e, Class c, std::uint64_t seed)
      : class_(c),
        mantissa_(e == ir::Elem::F16 ? 10 : 7),
        bias_(e == ir::Elem::F16 ? 15 : 127),
        random_(seed) {
    draw();
  }

  void fill_a(std::uint16_t* a) {
    for (int i = 0; i < rows; ++i) {
      std::uint16_t* row = a + i * row_terms;
      if (class_ == Class::Ladder)
        ladder(row);
      else
        for (int k = 0; k < row_terms; ++k) row[k] = number(middle_a_);
      if (cancels())
        for (int k = 0; k < row_terms / 2; ++k)
          row[k + 8] = static_cast<std::uint16_t>(scaled(row[k], shift_[k]) ^ 0x8000);
    }
  }

  void fill_b(std::uint16_t* b, int n) {
    for (int j = 0; j < n; ++j) {
      std::uint16_t* column = b + j * row_terms;
      for (int k = 0; k < row_terms; ++k)
        column[k] = class_ == Class::Ladder ? encoded(0, bias_, 0) : number(middle_b_);
      if (!cancels()) continue;
      for (int k = 0; k < row_terms / 2; ++k) {
        column[k + 8] = scaled(column[k], -shift_[k]);
        if (random_.once_in(4)) column[k + 8] ^= 1;  // nearly
      }
    }
  }

  std::uint32_t start() {
    const auto sign = static_cast<std::uint32_t>(random_.below(2)) << 31;
    const auto fraction = static_cast<std::uint32_t>(random_() >> 41);
    if (class_ == Class::RandomBits) return static_cast<std::uint32_t>(random_());
    if (class_ == Class::Special && random_.once_in(32)) return sign | 0x7f800000;
    if (class_ == Class::Special && random_.once_in(64)) return sign | 0x7f800000 | fraction;
    if (random_.once_in(class_ == Class::SignedZeros ? 2 : cancels() ? 3 : 16)) return sign;
    if (class_ == Class::SignedZeros) return sign | fraction >> random_.below(24);
    if (class_ == Class::Ladder)
      return sign | static_cast<std::uint32_t>(127 + ladder_top + random_.in(-1, 1)) << 23;
    const int field = std::clamp(127 + level_ + random_.in(-spread_, spread_ + 2), 0, 254);
    return sign | static_cast<std::uint32_t>(field) << 23 | fraction;
  }

 private:
  bool cancels() const { return class_ == Class::Cancel || class_ == Class::CancelScaled; }

  /// The levels that a tile's numbers have in common.
  void draw() {
    const int most = bias_, least = 1 - bias_ - mantissa_;
    spread_ = random_.in(0, 14);
    level_ = random_.in(std::max(-150, 2 * least), std::min(127, 2 * most));
    switch (class_) {
      case Class::Normal: spread_ = 2, level_ = 0; break;
      case Class::SubnormalIn: spread_ = 1; break;
      case Class::SubnormalOut:
        level_ = bias_ == 15 ? random_.in(-48, -28) : random_.in(-152, -120);
        break;
      case Class::Overflow: level_ = bias_ == 15 ? random_.in(24, 30) : random_.in(118, 126); break;
      case Class::Sparse: spread_ = 40; break;
      case Class::Cancel:
      case Class::CancelScaled:
        level_ = random_.in(-8, 8);
        spread_ = random_.in(0, 6);
        break;
      default: break;
    }
    const int half = level_ / 2;
    const int apart = random_.in(-6, 6) * (class_ != Class::Normal);
    middle_a_ = half + apart;
    middle_b_ = level_ - half - apart;
    if (class_ == Class::SubnormalIn) middle_a_ = least + random_.in(0, mantissa_);
    zeros_ = random_.in(2, 10);
    gap_ = random_.in(18, 30);
    for (int& s : shift_) s = class_ == Class::CancelScaled ? random_.in(-3, 3) : 0;
  }

  std::uint16_t encoded(int sign, int field, int fraction) const {
    return static_cast<std::uint16_t>(sign << 15 | field << mantissa_ | fraction);
  }

  /// x * 2^by where x and the result are normal, otherwise x.
  std::uint16_t scaled(std::uint16_t x, int by) const {
    const int field = (x & 0x7fff) >> mantissa_;
    if (field == 0 || field + by < 1 || field + by >= 2 * bias_) return x;
    return static_cast<std::uint16_t>(x + by * (1 << mantissa_));
  }

  std::uint16_t number(int middle) {
    const int sign = random_.below(2), fraction = random_.below(1 << mantissa_);
    const int infinite = 2 * bias_ + 1;
    if (class_ == Class::RandomBits) return static_cast<std::uint16_t>(random_());
    if (class_ == Class::Special && random_.once_in(48)) return encoded(sign, infinite, 0);
    if (class_ == Class::Special && random_.once_in(200)) return encoded(sign, infinite, fraction);
    const bool many = class_ == Class::Zeros || class_ == Class::Sparse;
    const bool zero = class_ == Class::SignedZeros ? !random_.once_in(16)
                      : class_ == Class::Sparse    ? !random_.once_in(5)
                                                   : random_.below(12) < (many ? zeros_ : 0);
    if (zero) return encoded(sign, 0, 0);
    const int exponent = middle + random_.in(-spread_, spread_) / 2;
    const int field = bias_ + exponent;
    if (field >= 1) return encoded(sign, std::min(field, infinite - 1), fraction);
    const int drop = std::min(1 - field, mantissa_);  // subnormal, its leading bit where it belongs
    return encoded(sign, 0, (fraction | 1 << mantissa_) >> drop);
  }

  /// Powers of two against columns of ones: a row's terms are `gap_` bits or one more below the
  /// top, but for one near it in some rows.
  void ladder(std::uint16_t* row) {
    const int terms = random_.in(1, row_terms), at = random_.below(24);
    for (int k = 0; k < row_terms; ++k) {
      const int exponent = ladder_top + (k == at ? random_.in(-1, 1) : -gap_ - random_.below(2));
      const int sign = random_.once_in(4), field = bias_ + exponent;
      row[k] = k >= terms && k != at ? encoded(sign, 0, 0)
               : field >= 1          ? encoded(sign, field, 0)
                                     : encoded(sign, 0, 1 << (mantissa_ - 1 + field));
    }
  }

  static constexpr int ladder_top = 8;  ///< 2^-24 is the last that f16 has
  Class class_;
  int mantissa_, bias_;
  Random random_;
  int spread_ = 0, level_ = 0, middle_a_ = 0, middle_b_ = 0, zeros_ = 0, gap_ = 0;
  int shift_[row_terms / 2] = {};
};

/// One tile's operands in 32-bit words; bytes are random, and their C about the ends of s32 too.
inline void fill(ir::Elem e, Class c, int n, int steps, std::uint64_t seed, std::uint32_t* a,
                 std::uint32_t* b, std::uint32_t* start) {
  if (e == ir::Elem::S8) {
    Random random(seed);
    for (int i = 0; i < steps * rows * row_words; ++i)
      a[i] = random.once_in(4) ? 0x80808080 : static_cast<std::uint32_t>(random());
    for (int i = 0; i < steps * n * row_words; ++i)
      b[i] = random.once_in(4) ? 0x80808080 : static_cast<std::uint32_t>(random());
    for (int i = 0; i < rows * n; ++i)
      start[i] = random.once_in(4) ? 0x7fffffff : static_cast<std::uint32_t>(random());
    return;
  }
  Tile tile(e, c, seed);
  for (int i = 0; i < steps; ++i) {
    tile.fill_a(reinterpret_cast<std::uint16_t*>(a + i * rows * row_words));
    tile.fill_b(reinterpret_cast<std::uint16_t*>(b + i * n * row_words), n);
  }
  for (int i = 0; i < rows * n; ++i) start[i] = tile.start();
}

}  // namespace barline::probe
