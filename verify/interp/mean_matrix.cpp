// SPDX-License-Identifier: Apache-2.0
// Matrix instructions of a warp. Where PTX puts which element ("Matrix Fragments for mma", PTX ISA
// 8.5), for lane l with group g = l / 4 and t = l % 4:
//
//   A  16 x k   row g or g + 8, columns w*t .. and w*t + 4w ..     w elements of 16 or 8 bits fill
//   B  k x 8    column g, rows as A's columns                      a register: w is 2 or 4
//   C  16 x 8   row g or g + 8, columns 2t, 2t + 1
//
// A lane's registers of A are (g, left), (g + 8, left), (g, right), (g + 8, right).
#include <array>

#include "ir/tensor_core.h"
#include "verify/interp/elementwise.h"
#include "verify/interp/memory.h"

namespace barline::verify::sim {
namespace {

using ir::Elem;
using ir::Key;

constexpr int rows = 16, columns = 8;
constexpr int widest = 32;  ///< k of s8

/// Elements of a warp's fragments as matrices, A by rows and B by columns.
template <class T>
struct Operands {
  int k = 0;
  std::array<T, rows * widest> a{};
  std::array<T, columns * widest> b{};
};

/// Registers of w elements: `at(register, element, lane)` is what a lane holds.
template <class T, class A, class B>
void gather(Operands<T>& m, int w, A a_at, B b_at) {
  const int halves = m.k / (4 * w);
  for (int half = 0; half < halves; ++half)
    for (int e = 0; e < w; ++e)
      for (int l = 0; l < lanes; ++l) {
        const int col = half * 4 * w + l % 4 * w + e, g = l / 4;
        m.a[static_cast<std::size_t>(g * m.k + col)] = a_at(2 * half, e, l);
        m.a[static_cast<std::size_t>((g + 8) * m.k + col)] = a_at(2 * half + 1, e, l);
        m.b[static_cast<std::size_t>(g * m.k + col)] = b_at(half, e, l);
      }
}

/// Visits (register, row, column) of a lane's elements of C.
template <class Visit>
void for_each_sum(Visit visit) {
  for (int r = 0; r < 4; ++r)
    for (int l = 0; l < lanes; ++l) visit(r, l, (l / 4 + r / 2 * 8) * columns + l % 4 * 2 + r % 2);
}

/// imm: the element type. n: elements a lane has of A.
void run_mma_16(Warp& w, const Inst& i) {
  require_whole_warp(w);
  Operands<std::uint16_t> m;
  m.k = static_cast<int>(i.n) * 2;
  auto at = [&](Operand o) {
    return [&w, o](int r, int e, int l) {
      return w.at<std::uint16_t>(o, static_cast<std::uint32_t>(2 * r + e))[l];
    };
  };
  gather(m, 2, at(i.a), at(i.b));
  std::array<float, rows * columns> c;
  for_each_sum([&](int r, int l, int at) {
    c[static_cast<std::size_t>(at)] = w.at<float>(i.c, static_cast<std::uint32_t>(r))[l];
  });
  ir::mma_tile(static_cast<Elem>(i.imm), m.a.data(), m.b.data(), m.k, c.data(), c.data());
  for_each_sum([&](int r, int l, int at) {
    w.at<float>(i.out, static_cast<std::uint32_t>(r))[l] = c[static_cast<std::size_t>(at)];
  });
}

void run_mma_s8(Warp& w, const Inst& i) {
  require_whole_warp(w);
  Operands<std::int8_t> m;
  m.k = widest;
  auto at = [&](Operand o) {
    return [&w, o](int r, int e, int l) {
      std::uint32_t word = w.at<std::uint32_t>(o, static_cast<std::uint32_t>(r))[l];
      return static_cast<std::int8_t>(word >> (8 * e));
    };
  };
  gather(m, 4, at(i.a), at(i.b));
  for_each_sum([&](int r, int l, int at) {
    const std::size_t row = static_cast<std::size_t>(at / columns * m.k),
                      col = static_cast<std::size_t>(at % columns * m.k);
    const auto element = static_cast<std::uint32_t>(r);
    w.at<std::int32_t>(i.out, element)[l] = ir::mma_dot_s8(m.a.data() + row, m.b.data() + col, m.k,
                                                           w.at<std::int32_t>(i.c, element)[l]);
  });
}

/// Of the matrices whose rows' starts the lanes name, 8 lanes a matrix: calls move(view, at, holder,
/// element) for each element, which stands at `at` and which lane `holder` has as its so manieth.
/// imm: 1 for transposed. n: elements a lane has, two of each matrix.
template <class Move>
void for_each_of_rows(Warp& w, const Inst& i, const Access& a, Touch how, Move move) {
  require_whole_warp(w);
  Indices index;
  read_indices(w, a, index);
  for (int matrix = 0; matrix < static_cast<int>(i.n) / 2; ++matrix)
    for (int row = 0; row < 8; ++row) {
      const int namer = 8 * matrix + row;
      const std::int64_t start = index.at[namer];
      const View v = view_of(w, a, namer);
      check_bounds(w, namer, a, v, start);
      for (int col = 0; col < 8; ++col) {
        const int r = i.imm ? col : row, c = i.imm ? row : col;  // as the lanes hold it
        const int holder = r * 4 + c / 2;
        touch(w, holder, a, v, start + col, 1, how);
        move(v, start + col, holder, static_cast<std::uint32_t>(2 * matrix + c % 2));
      }
    }
}

void run_load_matrix(Warp& w, const Inst& i) {
  const Access& a = w.worker->program.accesses[i.info];
  for_each_of_rows(w, i, a, Touch::WeakRead,
                   [&](const View& v, std::int64_t at, int holder, std::uint32_t element) {
                     w.at<std::uint16_t>(i.out, element)[holder] =
                         get_element<std::uint16_t>(a, v, at);
                   });
}

void run_store_matrix(Warp& w, const Inst& i) {
  const Access& a = w.worker->program.accesses[i.info];
  for_each_of_rows(w, i, a, Touch::WeakWrite,
                   [&](const View& v, std::int64_t at, int holder, std::uint32_t element) {
                     put_element<std::uint16_t>(a, v, at,
                                                w.at<std::uint16_t>(a.value, element)[holder]);
                   });
}

void run_move_matrix(Warp& w, const Inst& i) {
  require_whole_warp(w);
  std::uint16_t matrix[8][8];
  for (std::uint32_t e = 0; e < 2; ++e)
    for (int l = 0; l < lanes; ++l)
      matrix[l / 4][static_cast<std::uint32_t>(l % 4) * 2 + e] = w.at<std::uint16_t>(i.a, e)[l];
  for (std::uint32_t e = 0; e < 2; ++e)
    for (int l = 0; l < lanes; ++l)
      w.at<std::uint16_t>(i.out, e)[l] = matrix[static_cast<std::uint32_t>(l % 4) * 2 + e][l / 4];
}

}  // namespace

void mean(Tag<Op::MmaSync>, Compiler& c, const Operation& op) {
  const Elem e = c.elem(op.in[0]);
  c.emit({.run = e == Elem::U32 ? &run_mma_s8 : &run_mma_16,
          .out = c.define(op.out[0]),
          .a = c.in(op.in[0]),
          .b = c.in(op.in[1]),
          .c = c.in(op.in[2]),
          .n = c.count(c.type(op.in[0])),
          .weight = 1,
          .imm = static_cast<std::int64_t>(e)});
}

void mean(Tag<Op::LoadMatrix>, Compiler& c, const Operation& op) {
  Access a = c.access(op);
  a.vec = 8;  // a row, aligned to its 16 bytes
  c.emit({.run = &run_load_matrix,
          .out = c.define(op.out[0]),
          .n = c.count(c.type(op.out[0])),
          .weight = 1,
          .info = c.add(a),
          .imm = op.attr(Key::Transpose)});
}

void mean(Tag<Op::StoreMatrix>, Compiler& c, const Operation& op) {
  Access a = c.access(op);
  a.vec = 8;  // a row, aligned to its 16 bytes
  a.value = c.in(op.in[2]);
  c.emit({.run = &run_store_matrix,
          .n = c.count(c.type(op.in[2])),
          .weight = 1,
          .info = c.add(a),
          .imm = op.attr(Key::Transpose)});
}

void mean(Tag<Op::MoveMatrix>, Compiler& c, const Operation& op) {
  c.emit({.run = &run_move_matrix, .out = c.define(op.out[0]), .a = c.in(op.in[0]), .weight = 1});
}

}  // namespace barline::verify::sim
