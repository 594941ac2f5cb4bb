// SPDX-License-Identifier: Apache-2.0
// Each op family against the host's meaning, on edge values; and a test that visits every row.
#include <catch2/catch.hpp>
#include <limits>

#include "interp_run.h"
#include "ir/numerics.h"

using namespace barline;
using namespace barline::verify;
using ir::Elem;
namespace num = ir::num;

namespace {

const float inf = std::numeric_limits<float>::infinity();
const float payload_nan = std::bit_cast<float>(0x7fc00123u);

std::vector<float> float_edges() {
  return {0.0f, -0.0f, 1.0f, -1.5f, 2.5f, 3.5f, -2.5f, inf, -inf, payload_nan, 1e-42f, 3e38f, 0.1f};
}

template <class T>
void all_pairs(const std::vector<T>& edges, std::vector<T>& x, std::vector<T>& z) {
  for (T a : edges)
    for (T b : edges) x.push_back(a), z.push_back(b);
}

std::vector<std::uint32_t> bits_of(const std::vector<float>& v) {
  std::vector<std::uint32_t> b(v.size());
  std::memcpy(b.data(), v.data(), v.size() * 4);
  return b;
}

template <class F>
void check_f32(const std::string& body, F reference) {
  std::vector<float> x, z;
  all_pairs(float_edges(), x, z);
  auto got = bits_of(apply<float>(Elem::F32, Elem::F32, body, x, z));
  for (std::size_t i = 0; i < x.size(); ++i) {
    INFO(body << " of " << x[i] << ", " << z[i]);
    REQUIRE(got[i] == std::bit_cast<std::uint32_t>(static_cast<float>(reference(x[i], z[i]))));
  }
}

template <class T, class F>
void check_int(Elem e, const std::string& body, F reference, bool no_zero = false) {
  std::vector<T> edges{
      0, 1, T(-1), 2, 7, T(100), std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
  std::vector<T> x, z;
  all_pairs(edges, x, z);
  if (no_zero)
    for (T& b : z) b = b == 0 ? T(3) : b;
  auto got = apply<T>(e, e, body, x, z);
  for (std::size_t i = 0; i < x.size(); ++i) {
    INFO(body << " of " << +x[i] << ", " << +z[i]);
    REQUIRE(got[i] == static_cast<T>(reference(x[i], z[i])));
  }
}

}  // namespace

TEST_CASE("f32 arithmetic is exact, with canonical NaN and PTX's min and max") {
  check_f32("%r = add %a, %c : f32", [](float a, float b) { return num::add(a, b); });
  check_f32("%r = sub %a, %c : f32", [](float a, float b) { return num::sub(a, b); });
  check_f32("%r = mul %a, %c : f32", [](float a, float b) { return num::mul(a, b); });
  check_f32("%r = div %a, %c : f32", [](float a, float b) { return num::div(a, b); });
  check_f32("%r = min %a, %c : f32", [](float a, float b) { return num::min(a, b); });
  check_f32("%r = max %a, %c : f32", [](float a, float b) { return num::max(a, b); });
  check_f32("%r = fma %a, %c, %a : f32", [](float a, float b) { return num::fma(a, b, a); });
  check_f32("%r = sqrt %a : f32", [](float a, float) { return num::sqrt(a); });
  check_f32("%r = neg %a : f32", [](float a, float) { return num::neg(a); });
  check_f32("%r = abs %a : f32", [](float a, float) { return num::abs(a); });
}

TEST_CASE("f32 edges that the language fixes") {
  using U = std::uint32_t;
  auto got = [](const std::string& body, float a, float b) {
    return std::bit_cast<U>(
        apply<float>(Elem::F32, Elem::F32, body, std::vector{a}, std::vector{b})[0]);
  };
  REQUIRE(got("%r = add %a, %c : f32", inf, -inf) == 0x7fffffffu);
  REQUIRE(got("%r = min %a, %c : f32", payload_nan, 2.0f) == std::bit_cast<U>(2.0f));
  REQUIRE(got("%r = min %a, %c : f32", 0.0f, -0.0f) == 0x80000000u);
  REQUIRE(got("%r = max %a, %c : f32", -0.0f, 0.0f) == 0u);
  REQUIRE(got("%r = max %a, %c : f32", payload_nan, payload_nan) == 0x7fffffffu);
  REQUIRE(got("%r = round %a {round = rn} : f32", 2.5f, 0) == std::bit_cast<U>(2.0f));
  REQUIRE(got("%r = round %a {round = rna} : f32", 2.5f, 0) == std::bit_cast<U>(3.0f));
  REQUIRE(got("%r = round %a {round = rm} : f32", -2.5f, 0) == std::bit_cast<U>(-3.0f));
  REQUIRE(got("%r = round %a {round = rp} : f32", -2.5f, 0) == std::bit_cast<U>(-2.0f));
  REQUIRE(got("%r = round %a {round = rz} : f32", -2.5f, 0) == std::bit_cast<U>(-2.0f));
}

TEST_CASE("f16 and bf16 round once") {
  std::vector<std::uint16_t> edges{0x0000, 0x8000, 0x3c00, 0xbc01, 0x7bff,
                                   0x0001, 0x7c00, 0xfc00, 0x7e01, 0x3555};
  std::vector<std::uint16_t> x, z;
  all_pairs(edges, x, z);
  auto add = apply<std::uint16_t>(Elem::F16, Elem::F16, "%r = add %a, %c : f16", x, z);
  auto fma = apply<std::uint16_t>(Elem::BF16, Elem::BF16, "%r = fma %a, %c, %c : bf16", x, z);
  for (std::size_t i = 0; i < x.size(); ++i) {
    REQUIRE(add[i] == num::add(ir::f16_t{x[i]}, ir::f16_t{z[i]}).bits);
    REQUIRE(fma[i] == num::fma(ir::bf16_t{x[i]}, ir::bf16_t{z[i]}, ir::bf16_t{z[i]}).bits);
  }
}

TEST_CASE("integers wrap, and divide toward zero") {
  check_int<std::int8_t>(Elem::S8, "%r = add %a, %c : s8", [](int a, int b) { return a + b; });
  check_int<std::int16_t>(Elem::S16, "%r = mul %a, %c : s16", [](int a, int b) { return a * b; });
  check_int<std::int32_t>(Elem::S32, "%r = sub %a, %c : s32",
                          [](std::int64_t a, std::int64_t b) { return a - b; });
  check_int<std::int32_t>(Elem::S32, "%r = mul_hi %a, %c : s32",
                          [](std::int64_t a, std::int64_t b) { return (a * b) >> 32; });
  check_int<std::uint64_t>(
      Elem::U64, "%r = mul_hi %a, %c : u64",
      [](std::uint64_t a, std::uint64_t b) { return static_cast<unsigned __int128>(a) * b >> 64; });
  check_int<std::int32_t>(
      Elem::S32, "%r = div %a, %c : s32", [](std::int64_t a, std::int64_t b) { return a / b; },
      true);
  check_int<std::int32_t>(
      Elem::S32, "%r = rem %a, %c : s32", [](std::int64_t a, std::int64_t b) { return a % b; },
      true);
  check_int<std::uint8_t>(Elem::U8, "%r = max %a, %c : u8",
                          [](int a, int b) { return a > b ? a : b; });
  check_int<std::int32_t>(Elem::S32, "%r = abs %a : s32",
                          [](std::int64_t a, std::int64_t) { return a < 0 ? -a : a; });
}

TEST_CASE("bits: logic, clamped shifts, counts, byte permutation") {
  check_int<std::uint32_t>(Elem::U32, "%r = xor %a, %c : u32",
                           [](auto a, auto b) { return a ^ b; });
  check_int<std::uint16_t>(Elem::U16, "%r = not %a : u16", [](auto a, auto) { return ~a; });
  auto shift = [](const std::string& body, std::int32_t a, std::int32_t n) {
    return apply<std::int32_t>(Elem::S32, Elem::S32, body, std::vector{a}, std::vector{n})[0];
  };
  REQUIRE(shift("%r = shl %a, %c : s32", 3, 31) == std::int32_t(0x80000000));
  REQUIRE(shift("%r = shl %a, %c : s32", 3, 32) == 0);
  REQUIRE(shift("%r = shl %a, %c : s32", 3, -1) == 0);
  REQUIRE(shift("%r = shr %a, %c : s32", -8, 1) == -4);
  REQUIRE(shift("%r = shr %a, %c : s32", -8, 99) == -1);
  auto one = [](const std::string& body, std::uint32_t a, std::uint32_t b, Elem out) {
    return apply<std::uint32_t>(Elem::U32, out, body, std::vector{a}, std::vector{b})[0];
  };
  REQUIRE(one("%r = shr %a, %c : u32", 0x80000000u, 32, Elem::U32) == 0);
  REQUIRE(one("%r = popc %a : s32", 0xf0f0u, 0, Elem::S32) == 8);
  REQUIRE(one("%r = clz %a : s32", 0, 0, Elem::S32) == 32);
  REQUIRE(one("%r = brev %a : u32", 1, 0, Elem::U32) == 0x80000000u);
  REQUIRE(one("%s = const {value = 31504} : u32\n%r = byte_permute %a, %c, %s : u32", 0x44332211u,
              0x88776655u, Elem::U32) == num::byte_permute(0x44332211u, 0x88776655u, 31504));
}

TEST_CASE("comparison and choice: with a NaN only ne is true") {
  auto f = [](const std::string& pred, float a, float b) {
    return apply<std::uint8_t>(Elem::F32, Elem::I1, "%r = cmp %a, %c {pred = " + pred + "} : i1",
                               std::vector{a}, std::vector{b})[0];
  };
  for (const char* pred : {"eq", "lt", "le", "gt", "ge"}) REQUIRE(f(pred, payload_nan, 1) == 0);
  REQUIRE(f("ne", payload_nan, payload_nan) == 1);
  REQUIRE(f("eq", 0.0f, -0.0f) == 1);
  REQUIRE(f("lt", -1, 1) == 1);
  REQUIRE(apply<std::uint32_t>(Elem::U32, Elem::U32,
                               "%p = cmp %a, %c {pred = lt} : i1\n%r = select %p, %a, %c : u32",
                               std::vector{7u, 0xffffffffu},
                               std::vector{9u, 1u}) == std::vector{7u, 1u});
}

TEST_CASE("casts saturate from floats, truncate between integers and round between floats") {
  auto to_s32 = [](float a, const std::string& mode) {
    return apply<std::int32_t>(Elem::F32, Elem::S32, "%r = cast %a {round = " + mode + "} : s32",
                               std::vector{a}, std::vector{a})[0];
  };
  REQUIRE(to_s32(2.5f, "rn") == 2);
  REQUIRE(to_s32(-2.5f, "rm") == -3);
  REQUIRE(to_s32(-2.7f, "rz") == -2);
  REQUIRE(to_s32(3e10f, "rz") == std::numeric_limits<std::int32_t>::max());
  REQUIRE(to_s32(-inf, "rz") == std::numeric_limits<std::int32_t>::min());
  REQUIRE(to_s32(payload_nan, "rz") == 0);
  REQUIRE(apply<std::int8_t>(Elem::S32, Elem::S8, "%r = cast %a : s8", std::vector{300, -1},
                             std::vector{0, 0}) == std::vector<std::int8_t>{44, -1});
  REQUIRE(apply<std::int8_t>(Elem::S32, Elem::S8, "%r = cast %a {saturate = 1} : s8",
                             std::vector{300, -900},
                             std::vector{0, 0}) == std::vector<std::int8_t>{127, -128});
  REQUIRE(apply<std::int64_t>(Elem::U32, Elem::S64, "%r = cast %a : s64", std::vector{0xffffffffu},
                              std::vector{0u})[0] == 0xffffffffll);
  std::vector<float> x{1.0f, 1.0009765f, 65520.0f, 1e-8f, payload_nan, -inf};
  auto h = apply<std::uint16_t>(Elem::F32, Elem::F16, "%r = cast %a : f16", x, x);
  auto b = apply<std::uint16_t>(Elem::F32, Elem::BF16, "%r = cast %a {round = rz} : bf16", x, x);
  auto q = apply<std::uint8_t>(Elem::F32, Elem::E4M3, "%r = cast %a : e4m3", x, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    REQUIRE(h[i] == num::to_f16(x[i]).bits);
    REQUIRE(b[i] == num::to_bf16(x[i], ir::Rounding::Rz).bits);
    REQUIRE(q[i] == num::to_e4m3(x[i]).bits);
  }
  REQUIRE(q[2] == 0x7e);
  REQUIRE(apply<float>(Elem::S32, Elem::F32, "%r = cast %a {round = rz} : f32",
                       std::vector{16777217, -16777219},
                       std::vector{0, 0}) == std::vector{16777216.0f, -16777218.0f});
  REQUIRE(apply<std::uint32_t>(Elem::F32, Elem::U32, "%r = bitcast %a : u32",
                               std::vector{payload_nan}, std::vector{0.0f})[0] == 0x7fc00123u);
}

TEST_CASE("approximations are flagged and stand near the truth") {
  ir::Tensor x = tensor<float>(Elem::F32, {2.0f}), y(Elem::F32, {1});
  SimReport r = run(elementwise("f32", "f32", "%r = rsqrt_approx %a : f32"), {x, x, y}, {1});
  REQUIRE(r.clean());
  REQUIRE(r.approximate);
  REQUIRE(values<float>(y)[0] == static_cast<float>(1 / std::sqrt(2.0)));
  for (const char* op : {"ex2", "lg2", "rcp", "sin", "cos", "tanh"})
    REQUIRE(std::isfinite(apply<float>(Elem::F32, Elem::F32,
                                       std::string("%r = ") + op + "_approx %a : f32",
                                       std::vector{0.75f}, std::vector{0.0f})[0]));
}

TEST_CASE("an integer divided by zero traps in lanes that run, and only there") {
  std::vector<std::int32_t> x{6, 6}, z{3, 0};
  ir::Tensor tx = tensor(Elem::S32, x), tz = tensor(Elem::S32, z), ty(Elem::S32, {2});
  SimReport r = run(elementwise("s32", "s32", "%r = div %a, %c : s32"), {tx, tz, ty}, {2});
  REQUIRE(r.finding);
  REQUIRE(r.finding->kind == FindingKind::Trap);
  REQUIRE(r.finding->here.thread[0] == 1);
  REQUIRE(r.finding->here.op == "div");
  auto guarded = apply<std::int32_t>(
      Elem::S32, Elem::S32,
      "%zero = const {value = 0} : s32\n%p = cmp %c, %zero {pred = ne} : i1\n"
      "%r = if %p : s32 () {\n%q = div %a, %c : s32\nyield %q\n} () {\nyield %zero\n}",
      x, z);
  REQUIRE(guarded == std::vector{2, 0});
}
