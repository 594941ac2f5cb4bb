// SPDX-License-Identifier: Apache-2.0
// Checkpoints of GPTQ and AWQ as int4 weights: hand-made words, round trips through encoders
// written from the formats' descriptions, refusals.
#include "kernels/matmul/importers.h"

#include <catch2/catch.hpp>
#include <random>

using namespace barline;
using namespace barline::kernels;
using ir::Elem;
using ir::Tensor;

namespace {

constexpr std::int64_t n = 24, k = 128, group = 64;

int column_in_awq_nibble(int nibble) { return nibble < 4 ? nibble * 2 : (nibble - 4) * 2 + 1; }

Int4Weights sample() {
  std::mt19937 engine(5);
  Int4Weights w(n, k, group);
  for (std::int64_t i = 0; i < n * k; ++i) w.set_code(i / k, i % k, int(engine() % 16) - 8);
  for (std::int64_t i = 0; i < 2 * n; ++i) w.set_scale(i % n, i / n, 0.01f * float(i + 1));
  return w;
}

Tensor words(std::int64_t rows, std::int64_t columns, std::uint32_t all = 0) {
  Tensor t(Elem::S32, {rows, columns});
  std::fill_n(t.as<std::uint32_t>(), t.count(), all);
  return t;
}

GptqTensors as_gptq(const Int4Weights& w, GptqFormat format = GptqFormat::V1) {
  GptqTensors g{words(k / 8, n),
                words(2, n / 8, format == GptqFormat::V1 ? 0x77777777u : 0x88888888u), w.scales};
  g.format = format;
  for (std::int64_t c = 0; c < n; ++c)
    for (std::int64_t i = 0; i < k; ++i)
      g.qweight.as<std::uint32_t>()[i / 8 * n + c] |= std::uint32_t(w.code(c, i) + 8)
                                                      << 4 * (i % 8);
  return g;
}

AwqTensors as_awq(const Int4Weights& w) {
  AwqTensors a{words(k, n / 8), words(2, n / 8, 0x88888888u), w.scales};
  for (std::int64_t i = 0; i < k; ++i)
    for (std::int64_t word = 0; word < n / 8; ++word)
      for (int nibble = 0; nibble < 8; ++nibble)
        a.qweight.as<std::uint32_t>()[i * (n / 8) + word] |=
            std::uint32_t(w.code(word * 8 + column_in_awq_nibble(nibble), i) + 8) << 4 * nibble;
  return a;
}

bool same(const Int4Weights& a, const Int4Weights& b) {
  return a.group == b.group && a.words.data == b.words.data && a.scales.data == b.scales.data;
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

TEST_CASE("hand-made words of GPTQ: eight k of one column, u - 8", "[kernels]") {
  GptqTensors g{words(4, 8, 0x88888888u), words(1, 1, 0x77777777u), Tensor(Elem::F16, {1, 8})};
  g.qweight.as<std::uint32_t>()[1 * 8 + 3] = 0xf9876520;  // k = 8 .. 15 of column 3
  Int4Weights w = import_gptq(g);
  REQUIRE(w.group == 32);
  const int want[8] = {-8, -6, -3, -2, -1, 0, 1, 7};
  for (int i = 0; i < 8; ++i) CHECK(w.code(3, 8 + i) == want[i]);
  CHECK(w.code(2, 8) == 0);
}

TEST_CASE("hand-made words of AWQ: eight columns of one k, interleaved", "[kernels]") {
  AwqTensors a{words(32, 1, 0x88888888u), words(1, 1, 0x88888888u), Tensor(Elem::F16, {1, 8})};
  a.qweight.as<std::uint32_t>()[5] = 0xf9876520;
  Int4Weights w = import_awq(a);
  // Nibbles, lowest first: u = 0 2 5 6 7 8 9 f of columns 0 2 4 6 1 3 5 7.
  const int want[8] = {-8, -1, -6, 0, -3, 1, -2, 7};
  for (int i = 0; i < 8; ++i) CHECK(w.code(i, 5) == want[i]);
}

TEST_CASE("checkpoints of both kinds come back as they were", "[kernels]") {
  Int4Weights w = sample();
  CHECK(same(import_gptq(as_gptq(w)), w));
  CHECK(same(import_gptq(as_gptq(w, GptqFormat::V2)), w));
  CHECK(same(import_awq(as_awq(w)), w));
  GptqTensors g = as_gptq(w);
  g.g_idx = Tensor(Elem::S32, {k});
  for (int i = 0; i < k; ++i) g.g_idx.as<std::int32_t>()[i] = i / group;
  CHECK(same(import_gptq(g), w));
}

TEST_CASE("a zero point other than 8 is refused by its group and column", "[kernels]") {
  GptqTensors g = as_gptq(sample());
  g.qzeros.as<std::uint32_t>()[1 * (n / 8) + 2] = 0x77737777;
  CHECK(error_of([&] { import_gptq(g); }) ==
        "import_gptq: the zero point of group 1, column 20 is 4, and int4 weights here are "
        "symmetric (8); quantise with sym=True, or use a kernel with zero points");
  AwqTensors a = as_awq(sample());
  a.qzeros.as<std::uint32_t>()[0] = 0x88858888;
  CHECK(error_of([&] { import_awq(a); }).find("group 0, column 1 is 5") != std::string::npos);
}

TEST_CASE("the other format of GPTQ's zero points is named", "[kernels]") {
  GptqTensors g = as_gptq(sample(), GptqFormat::V2);
  g.format = GptqFormat::V1;
  CHECK(error_of([&] { import_gptq(g); }).find("name the other GptqFormat") != std::string::npos);
  g = as_gptq(sample());
  g.format = GptqFormat::V2;
  CHECK(error_of([&] { import_gptq(g); }).find("name the other GptqFormat") != std::string::npos);
}

TEST_CASE("an act-order checkpoint is refused", "[kernels]") {
  GptqTensors g = as_gptq(sample());
  g.g_idx = Tensor(Elem::S32, {k});
  CHECK(error_of([&] { import_gptq(g); }) ==
        "import_gptq: g_idx[64] is 0, and groups of 64 neighbours make it 1; quantise with "
        "desc_act=False, or sort the rows of W (and the columns of X) by group");
}

TEST_CASE("tensors that do not belong together are refused", "[kernels]") {
  GptqTensors g = as_gptq(sample());
  g.qzeros = words(1, n / 8);
  CHECK(error_of([&] { import_gptq(g); }) ==
        "import_gptq: qzeros has shape [1, 3], and qweight and scales ask for [2, 3]; pass the "
        "tensors of one layer");
  g.scales = Tensor(Elem::F16, {3, n});
  CHECK(error_of([&] { import_gptq(g); }).find("3 rows of scales do not divide K = 128") !=
        std::string::npos);
  g.scales = Tensor(Elem::F32, {2, n});
  CHECK(error_of([&] { import_gptq(g); }) ==
        "import_gptq: scales are f32 [2, 24]; pass f16 of two axes [K/group, N]");
  g.qweight = Tensor(Elem::F16, {k, n});
  CHECK(error_of([&] { import_gptq(g); }) ==
        "import_gptq: qweight is f16 [128, 24]; pass 32-bit integers of 2 axes");
  AwqTensors a = as_awq(sample());
  a.scales.as<std::uint16_t>()[n + 1] = 0x7c00;
  CHECK(error_of([&] { import_awq(a); }) ==
        "import_awq: scale [1, 1] is no finite number; mend the checkpoint");
}
