// SPDX-License-Identifier: Apache-2.0
// int4 and int8 weights: where a code stands in memory, register images and back, quantisers.
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "kernels/matmul/quantise.h"
#include "kernels/reference/elements.h"

using namespace barline;
using namespace barline::kernels;
using ir::Elem;
using ir::Tensor;

namespace {

Tensor random_matrix(Elem e, std::int64_t rows, std::int64_t columns, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  Tensor t(e, {rows, columns});
  for (std::int64_t i = 0; i < t.count(); ++i) reference::store_f32(t, i, normal(engine));
  return t;
}

Int4Weights random_int4(std::int64_t n, std::int64_t k, std::int64_t group) {
  std::mt19937 engine(7);
  Int4Weights w(n, k, group);
  for (std::int64_t i = 0; i < n * k; ++i) w.set_code(i / k, i % k, int(engine() % 16) - 8);
  return w;
}

template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("an int4 code stands in word k/8 of row n, at bits 4 (k mod 8)", "[kernels]") {
  Int4Weights w(2, 32, 32);
  w.set_code(1, 0, 7);
  w.set_code(1, 1, -3);
  w.set_code(1, 7, -8);
  w.set_code(1, 8, 1);
  w.set_code(1, 8, 5);  // the second takes the first one's place
  const auto* words = w.words.as<std::uint32_t>();
  CHECK(words[0] == 0);
  CHECK(words[4] == 0x800000d7);
  CHECK(words[5] == 0x5);
  CHECK(w.code(1, 1) == -3);
  CHECK(w.code(1, 7) == -8);
  CHECK(w.code(1, 8) == 5);
  CHECK(w.code(0, 1) == 0);
}

TEST_CASE("an int4 scale is its group's and column's; the weight is rounded to f16", "[kernels]") {
  Int4Weights w(3, 80, 32);  // the last group is half a one
  REQUIRE(w.scales.shape == std::vector<std::int64_t>{3, 3});
  w.set_scale(2, 1, 0.1f);
  w.set_code(2, 63, 7);
  CHECK(w.scales.as<std::uint16_t>()[1 * 3 + 2] == 0x2e66);
  CHECK(ir::num::to_f32(w.scale(2, 32)) == ir::num::to_f32(ir::num::to_f16(0.1f)));
  CHECK(ir::num::to_f32(w.scale(2, 64)) == 0);
  // 7 * 0.0999755859375 = 0.6998291015625 lies between f16's 0.69970703125 and 0.7001953125.
  CHECK(ir::num::to_f32(w.value(2, 63)) == 0.69970703125f);
}

TEST_CASE("a register image holds the same codes, ragged N and K too", "[kernels]") {
  for (auto [n, k] :
       {std::pair<std::int64_t, std::int64_t>{1, 192}, {16, 160}, {17, 8}, {40, 72}}) {
    Int4Weights w = random_int4(n, k, k);
    Tensor image = pack(w);
    CHECK(image.shape == std::vector<std::int64_t>{(n + 15) / 16, (k + 63) / 64 * 128});
    CHECK(unpack_int4_words(image, n, k).data == w.words.data);
    Tensor codes(Elem::S8, {k - 3, n});
    std::mt19937 engine(3);
    for (std::int64_t i = 0; i < codes.count(); ++i)
      codes.as<std::int8_t>()[i] = static_cast<std::int8_t>(engine());
    CHECK(unpack_int8(pack_int8(codes), n, k - 3).data == codes.data);
  }
}

TEST_CASE("sizes that no layout has are refused with rule and fix", "[kernels]") {
  CHECK(error_of([] { Int4Weights(4, 36, 36); }) ==
        "int4 weights: K = 36 is no multiple of 8, and a word holds 8 codes; pad K with zeros");
  CHECK(error_of([] { Int4Weights(4, 128, 48); }) ==
        "int4 weights: group 48; use 32, 64, 128, 256 or K = 128 (one scale a column)");
}

TEST_CASE("int4 quantisation is nearest, with the largest magnitude on code 7", "[kernels]") {
  for (std::int64_t group : {32, 256, 320}) {
    Tensor w = random_matrix(Elem::F32, 320, 5, 11);
    Int4Weights q = quantise_int4(w, group);
    for (std::int64_t n = 0; n < 5; ++n)
      for (std::int64_t first = 0; first < 320; first += group) {
        int largest = 0;
        float scale = ir::num::to_f32(q.scale(n, first));
        for (std::int64_t k = first; k < std::min<std::int64_t>(first + group, 320); ++k) {
          float v = w.as<float>()[k * 5 + n];
          largest = std::max(largest, std::abs(q.code(n, k)));
          CHECK(std::abs(v - float(q.code(n, k)) * scale) <= scale * 0.5f * (1 + 0x1p-8f));
        }
        CHECK(largest == 7);
      }
  }
}

TEST_CASE("a group of zeros has scale 0 and codes 0", "[kernels]") {
  Int4Weights q = quantise_int4(Tensor(Elem::F16, {64, 3}), 32);
  CHECK(ir::num::to_f32(q.scale(2, 40)) == 0);
  CHECK(q.code(2, 40) == 0);
}

TEST_CASE("int8 quantisation by column, matrix and row", "[kernels]") {
  Tensor w = random_matrix(Elem::BF16, 40, 6, 5);
  std::vector<float> v = reference::load_f32(w);
  Int8Matrix column = quantise_int8(w, ScaleOf::Column), all = quantise_int8(w, ScaleOf::Matrix),
             row = quantise_rows(w);
  CHECK(column.scales.count() == 6);
  CHECK(all.scales.count() == 1);
  CHECK(row.scales.count() == 40);
  auto near = [&](const Int8Matrix& q, std::int64_t i, std::int64_t s) {
    float scale = q.scales.as<float>()[s];
    return std::abs(v[i] - q.codes.as<std::int8_t>()[i] * scale) <= scale * 0.5f * (1 + 0x1p-16f);
  };
  for (std::int64_t i = 0; i < 240; ++i) {
    CHECK(near(column, i, i % 6));
    CHECK(near(all, i, 0));
    CHECK(near(row, i, i / 6));
  }
}

TEST_CASE("what no code stands for is refused by its place", "[kernels]") {
  Tensor w = random_matrix(Elem::F32, 32, 4, 1);
  w.as<float>()[9] = NAN;
  CHECK(error_of([&] { quantise_int4(w, 32); }) ==
        "quantise_int4: element [2, 1] is nan, which no code stands for; mend the weights first");
  w.as<float>()[9] = 1e6f;
  CHECK(error_of([&] { quantise_int4(w, 32); }).find("column 1 from k = 0 on reaches 1000000") !=
        std::string::npos);
  CHECK(error_of([] {
          quantise_rows(Tensor(Elem::S8, {4, 4}));
        }) == "quantise_rows: s8 of 2 axes; pass f32, f16 or bf16 of two axes");
}
