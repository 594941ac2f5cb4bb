// SPDX-License-Identifier: Apache-2.0
// Matrix instructions of a warp: which lane holds which element, what they sum, and what is refused
// of ldmatrix.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <random>

#include "interp_run.h"
#include "ir/diagnostic.h"
#include "ir/numerics.h"
#include "ir/tensor_core.h"

using namespace barline;
using namespace barline::verify;
using ir::Elem;

namespace {

std::string warp(const std::string& header, const std::string& body) {
  return "kernel @k\naxis n = 4096\n" + header +
         "threads 32 1 1\ngrid 1 1 1\n{\n%t = lane_id : s32\n" + body + "yield\n}\n";
}

std::vector<std::uint16_t> halves(Elem e, std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<std::uint16_t> v(n);
  for (auto& x : v) {
    const float f = normal(random);
    x = e == Elem::F16 ? ir::num::to_f16(f).bits : ir::num::to_bf16(f).bits;
  }
  return v;
}

/// One product whose lanes read and write their registers one after the other.
std::string product(const std::string& in, int a, int b, const std::string& sum) {
  return warp(
      fmt::format("param %a: in ptr<{0}, global> [n]\nparam %b: in ptr<{0}, global> [n]\n"
                  "param %c: inout ptr<{1}, global> [n]\n",
                  in, sum),
      fmt::format("%na = const {{value = {1}}} : s32\n%nb = const {{value = {2}}} : s32\n"
                  "%nc = const {{value = 4}} : s32\n%ia = mul %t, %na : s32\n%ib = mul %t, %nb : "
                  "s32\n%ic = mul %t, %nc : s32\n%va = load %a, %ia : vec<{0} x {1}>\n"
                  "%vb = load %b, %ib : vec<{0} x {2}>\n%vc = load %c, %ic : vec<{3} x 4>\n"
                  "%r = mma %va, %vb, %vc : vec<{3} x 4>\nstore %c, %ic, %r\n",
                  in, a, b, sum));
}

// PTX ISA 8.5, "Matrix Fragments for mma.m16n8k16", word for word.
struct Place {
  int row, col;
};
Place place_of_a(int lane, int i) {
  const int group = lane >> 2, thread = lane % 4;
  return {(0 <= i && i < 2) || (4 <= i && i < 6) ? group : group + 8,
          i < 4 ? thread * 2 + (i & 1) : thread * 2 + (i & 1) + 8};
}
Place place_of_b(int lane, int i) { return {lane % 4 * 2 + (i & 1) + (i < 2 ? 0 : 8), lane >> 2}; }
Place place_of_c(int lane, int i) {
  return {i < 2 ? lane >> 2 : (lane >> 2) + 8, lane % 4 * 2 + (i & 1)};
}
// "Matrix Fragments for mma.m16n8k32", 8-bit types.
Place byte_of_a(int lane, int i) {
  const int group = lane >> 2, thread = lane % 4;
  return {i < 4 || (i >= 8 && i < 12) ? group : group + 8,
          i < 8 ? thread * 4 + (i & 3) : thread * 4 + (i & 3) + 16};
}
Place byte_of_b(int lane, int i) { return {lane % 4 * 4 + (i & 3) + (i < 4 ? 0 : 16), lane >> 2}; }

template <class T>
using Matrix = std::vector<std::vector<T>>;

/// What the lanes hold, each n elements in a row, as a matrix.
template <class T, class At>
Matrix<T> assemble(const std::vector<T>& held, int n, int rows, int columns, At at) {
  Matrix<T> m(static_cast<std::size_t>(rows), std::vector<T>(static_cast<std::size_t>(columns)));
  for (int l = 0; l < 32; ++l)
    for (int i = 0; i < n; ++i) {
      Place p = at(l, i);
      m[static_cast<std::size_t>(p.row)][static_cast<std::size_t>(p.col)] =
          held[static_cast<std::size_t>(l * n + i)];
    }
  return m;
}

template <class T>
std::vector<T> column(const Matrix<T>& m, std::size_t c) {
  std::vector<T> v;
  for (const auto& row : m) v.push_back(row[c]);
  return v;
}

const std::string slots =
    "param %x: in ptr<u16, global> [n]\nparam %y: out ptr<u16, global> [n]\n"
    "slot %s: u16[256] x 1\n";

/// Lanes copy 8 elements each to the slot; the row that a lane gives is a permutation of its
/// number.
std::string load(int matrices, bool transpose, const std::string& between = "barrier\n") {
  return warp(slots,
              fmt::format("%eight = const {{value = 8}} : s32\n%i = mul %t, %eight : s32\n"
                          "%v = load %x, %i : vec<u16 x 8>\nstore %s, %i, %v\n{2}"
                          "%five = const {{value = 5}} : s32\n%turned = xor %t, %five : s32\n"
                          "%row = mul %turned, %eight : s32\n"
                          "%m = load_matrix %s, %row {{transpose = {1}}} : vec<u16 x {0}>\n"
                          "%n = const {{value = {0}}} : s32\n%o = mul %t, %n : s32\n"
                          "store %y, %o, %m\n",
                          2 * matrices, int{transpose}, between));
}

Finding refused(const std::string& text) {
  ir::Tensor x(Elem::U16, {4096}), y(Elem::U16, {4096});
  SimReport r = run(text, {x, y});
  REQUIRE(r.finding);
  return *r.finding;
}

}  // namespace

TEST_CASE("mma sums rows by columns, as the tensor core does") {
  for (auto [e, k] : {std::pair{Elem::F16, 16}, std::pair{Elem::BF16, 16}, std::pair{Elem::F16, 8},
                      std::pair{Elem::BF16, 8}}) {
    const int na = k / 2, nb = k / 4;
    auto a = halves(e, static_cast<std::size_t>(32 * na), 1);
    auto b = halves(e, static_cast<std::size_t>(32 * nb), 2);
    a.resize(4096), b.resize(4096);
    std::vector<float> c(4096);
    for (std::size_t i = 0; i < 128; ++i) c[i] = 0.37f * static_cast<float>(i) - 20;
    ir::Tensor ta = tensor(e, a), tb = tensor(e, b), tc = tensor(Elem::F32, c);
    SimReport r = run(product(std::string(ir::name(e)), na, nb, "f32"), {ta, tb, tc});
    if (r.finding) FAIL(to_string(*r.finding));
    auto ma = assemble(a, na, 16, k, place_of_a), mb = assemble(b, nb, k, 8, place_of_b);
    auto got = values<float>(tc);
    for (int l = 0; l < 32; ++l)
      for (int i = 0; i < 4; ++i) {
        const Place p = place_of_c(l, i);
        const auto at = static_cast<std::size_t>(l * 4 + i);
        const float want =
            ir::mma_dot(e, ma[static_cast<std::size_t>(p.row)].data(),
                        column(mb, static_cast<std::size_t>(p.col)).data(), k, c[at]);
        REQUIRE(std::bit_cast<std::uint32_t>(got[at]) == std::bit_cast<std::uint32_t>(want));
      }
  }
}

TEST_CASE("mma of bytes sums exactly and wraps") {
  std::mt19937 random(4);
  std::vector<std::int8_t> a(32 * 16), b(32 * 8);
  for (auto& x : a) x = static_cast<std::int8_t>(random());
  for (auto& x : b) x = static_cast<std::int8_t>(random());
  auto ma = assemble(a, 16, 16, 32, byte_of_a), mb = assemble(b, 8, 32, 8, byte_of_b);
  ir::Tensor ta(Elem::U32, {4096}), tb(Elem::U32, {4096}), tc(Elem::S32, {4096});
  std::memcpy(ta.data.data(), a.data(), a.size());
  std::memcpy(tb.data.data(), b.data(), b.size());
  for (int i = 0; i < 128; ++i) tc.as<std::int32_t>()[i] = 0x7fffff00 + i;
  SimReport r = run(product("u32", 4, 2, "s32"), {ta, tb, tc});
  if (r.finding) FAIL(to_string(*r.finding));
  for (int l = 0; l < 32; ++l)
    for (int i = 0; i < 4; ++i) {
      const Place p = place_of_c(l, i);
      std::uint32_t want = 0x7fffff00u + static_cast<std::uint32_t>(l * 4 + i);
      for (std::size_t j = 0; j < 32; ++j)
        want += static_cast<std::uint32_t>(ma[static_cast<std::size_t>(p.row)][j] *
                                           mb[j][static_cast<std::size_t>(p.col)]);
      REQUIRE(tc.as<std::uint32_t>()[l * 4 + i] == want);
    }
}

TEST_CASE("load_matrix hands each lane two elements of a row that another lane names") {
  for (int matrices : {1, 2, 4})
    for (bool transpose : {false, true}) {
      ir::Tensor x(Elem::U16, {4096}), y(Elem::U16, {4096});
      for (int i = 0; i < 256; ++i) x.as<std::uint16_t>()[i] = static_cast<std::uint16_t>(i + 1);
      SimReport r = run(load(matrices, transpose), {x, y});
      if (r.finding) FAIL(to_string(*r.finding));
      for (int l = 0; l < 32; ++l)
        for (int e = 0; e < 2 * matrices; ++e) {
          int row = l / 4, col = l % 4 * 2 + e % 2;
          if (transpose) std::swap(row, col);
          const int giver = 8 * (e / 2) + row;
          REQUIRE(y.as<std::uint16_t>()[l * 2 * matrices + e] == (giver ^ 5) * 8 + col + 1);
        }
    }
}

TEST_CASE("load_matrix reads what lanes wrote: a barrier lies between, or a race is found") {
  CHECK(refused(load(4, false, "")).kind == FindingKind::Race);
  CHECK(refused(load(1, true, "")).kind == FindingKind::Race);
  ir::Tensor x(Elem::U16, {4096}), y(Elem::U16, {4096});
  CHECK(run(load(4, false, "warp_sync\n"), {x, y}).clean());
}

TEST_CASE("load_matrix reads whole aligned rows inside the slot, written before") {
  auto rows = [](const std::string& start, const std::string& fill) {
    return warp(slots, "%eight = const {value = 8} : s32\n%i = mul %t, %eight : s32\n" + fill +
                           start + "%m = load_matrix %s, %j : vec<u16 x 8>\nstore %y, %i, %m\n");
  };
  const std::string fill = "%v = load %x, %i : vec<u16 x 8>\nstore %s, %i, %v\nbarrier\n";
  const std::string four = "%four = const {value = 4} : s32\n";
  CHECK(refused(rows(four + "%j = add %i, %four : s32\n", fill)).kind == FindingKind::Misaligned);
  CHECK(refused(rows("%j = add %i, %eight : s32\n", fill)).kind == FindingKind::OutOfBounds);
  const std::string half = four +
                           "%w = load %x, %i : vec<u16 x 4>\nstore %s, %i, %w\nbarrier\n"
                           "%zero = const {value = 0} : s32\n";
  CHECK(refused(rows("%j = add %i, %zero : s32\n", half)).kind == FindingKind::UninitialisedRead);
}

TEST_CASE("a lane outside the rows may name anything") {
  const std::string text =
      warp(slots,
           "%eight = const {value = 8} : s32\n%i = mul %t, %eight : s32\n"
           "%v = load %x, %i : vec<u16 x 8>\nstore %s, %i, %v\nbarrier\n"
           "%far = const {value = 100003} : s32\n%in = cmp %t, %eight {pred = lt} : i1\n"
           "%j = select %in, %i, %far : s32\n%m = load_matrix %s, %j : vec<u16 x 2>\n"
           "store %y, %i, %m\n");
  ir::Tensor x(Elem::U16, {4096}), y(Elem::U16, {4096});
  CHECK(run(text, {x, y}).clean());
}

TEST_CASE("move_matrix transposes what a warp holds") {
  const std::string text = warp(slots,
                                "%two = const {value = 2} : s32\n%i = mul %t, %two : s32\n"
                                "%v = load %x, %i : vec<u16 x 2>\n"
                                "%r = move_matrix %v : vec<u16 x 2>\nstore %y, %i, %r\n");
  ir::Tensor x(Elem::U16, {4096}), y(Elem::U16, {4096});
  for (int i = 0; i < 64; ++i) x.as<std::uint16_t>()[i] = static_cast<std::uint16_t>(i);
  REQUIRE(run(text, {x, y}).clean());
  for (int r = 0; r < 8; ++r)
    for (int c = 0; c < 8; ++c) REQUIRE(y.as<std::uint16_t>()[r * 8 + c] == c * 8 + r);
}

TEST_CASE("a warp comes to a matrix instruction as a whole") {
  const std::string text = warp(slots,
                                "%two = const {value = 2} : s32\n%i = mul %t, %two : s32\n"
                                "%v = load %x, %i : vec<u16 x 2>\n"
                                "%k = load %x, %t : u16\n%z = const {value = 0} : u16\n"
                                "%p = cmp %k, %z {pred = eq} : i1\nif %p () {\n"
                                "%r = move_matrix %v : vec<u16 x 2>\nstore %y, %i, %r\nyield\n"
                                "} () {\nyield\n}\n");
  CHECK_THROWS_AS(kernel(text), ir::Error);
}
