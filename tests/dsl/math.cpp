// SPDX-License-Identifier: Apache-2.0
// Portable math in the DSL: on the simulator each function has the bits of its host twin, its ops
// stand at the author's call, and misuse is refused there.
#include "dsl/math.h"

#include <bit>
#include <catch2/catch.hpp>
#include <random>

#include "dsl/kernel.h"
#include "dsl/portable/host_math.h"
#include "ir/diagnostic.h"
#include "ir/pipeline.h"
#include "verify/interp/simulate.h"

using namespace barline;
namespace portable = dsl::portable;

namespace {

struct Function {
  const char* name;
  dsl::Value (*device)(dsl::Operand);
  float (*host)(float);
};

const Function functions[] = {{"exp", dsl::exp, portable::exp},
                              {"exp_nonpositive", dsl::exp_nonpositive, portable::exp_nonpositive},
                              {"exp2", dsl::exp2, portable::exp2},
                              {"log", dsl::log, portable::log},
                              {"log2", dsl::log2, portable::log2},
                              {"sin", dsl::sin, portable::sin},
                              {"cos", dsl::cos, portable::cos},
                              {"rsqrt", dsl::rsqrt, portable::rsqrt},
                              {"tanh", dsl::tanh, portable::tanh},
                              {"sigmoid", dsl::sigmoid, portable::sigmoid},
                              {"silu", dsl::silu, portable::silu},
                              {"erf", dsl::erf, portable::erf},
                              {"gelu_erf", dsl::gelu_erf, portable::gelu_erf},
                              {"gelu_tanh", dsl::gelu_tanh, portable::gelu_tanh}};

constexpr int n = 4096;

dsl::KernelSource map(dsl::Value (*function)(dsl::Operand)) {
  dsl::Axis axis{"n"};
  dsl::In x{"x", dsl::f32, {axis}};
  dsl::Out y{"y", dsl::f32, {axis}};
  return dsl::kernel("map", {x, y}, [=](dsl::Tiles& b) {
    b.store(y(dsl::part), function(b.stripe(x(dsl::part))));
  });
}

/// Every exponent and sign, random bits and usual arguments; infinities and NaN among them.
ir::Tensor inputs(bool nonpositive) {
  ir::Tensor x(ir::Elem::F32, {n});
  std::mt19937 engine(7);
  std::uniform_real_distribution<float> usual(-30, 30);
  for (int i = 0; i < n; ++i) {
    auto bits = static_cast<std::uint32_t>(engine());
    if (i < 512) bits = static_cast<std::uint32_t>(i) << 23;
    if (i % 2) bits = std::bit_cast<std::uint32_t>(usual(engine));
    x.as<std::uint32_t>()[i] = nonpositive ? bits | 0x80000000 : bits;
  }
  return x;
}

std::uint32_t canonical(float x) { return x == x ? std::bit_cast<std::uint32_t>(x) : 0x7fffffff; }

template <class Body>
ir::Diag refusal(Body body, std::string* text = nullptr) {
  dsl::Axis axis{"n"};
  dsl::Arg scale{"scale"};
  dsl::In x{"x", dsl::f16, {axis}};
  dsl::Out y{"y", dsl::f32, {axis}};
  auto source = dsl::kernel("map", {x, scale, y}, [=](dsl::Tiles& b) {
    b.store(y(dsl::part), body(b, b.load(x(dsl::part)), scale));
  });
  try {
    dsl::instantiate(source, {});
  } catch (const ir::Error& e) {
    if (text) *text = e.what();
    return e.diagnostic().diag;
  }
  FAIL("accepted");
  return {};
}

}  // namespace

TEST_CASE("a portable function has the bits of its host twin", "[dsl]") {
  for (const Function& f : functions) {
    INFO(f.name);
    ir::Tensor x = inputs(std::string_view(f.name) == "exp_nonpositive"), y(ir::Elem::F32, {n});
    ir::Kernel k = dsl::instantiate(map(f.device), {});
    ir::run_pipeline(k);
    verify::SimArgument arguments[] = {x, y};
    std::int64_t sizes[] = {n};
    REQUIRE(verify::simulate(k, arguments, sizes).clean());
    int different = 0;
    for (int i = 0; i < n; ++i)
      different += canonical(y.as<float>()[i]) != canonical(f.host(x.as<float>()[i]));
    CHECK(different == 0);
  }
}

TEST_CASE("the ops of a portable function stand where it is called", "[dsl]") {
  ir::Kernel k = dsl::instantiate(map(dsl::exp), {});
  ir::walk(k.body, [&](const ir::Operation& op) {
    INFO(ir::name(op.op));
    CHECK(op.loc.file.find("portable") == std::string::npos);
  });
}

TEST_CASE("portable math takes f32 values of the kernel", "[dsl]") {
  std::string text;
  CHECK(refusal([](auto&, auto v, auto) { return exp(v).to(dsl::f32); }, &text) ==
        ir::Diag::WrongClass);
  CHECK(text.find("math.cpp:") != std::string::npos);
  CHECK(text.find(".to(f32)") != std::string::npos);
  CHECK(refusal([](auto&, auto v, auto scale) { return v.to(dsl::f32) * dsl::exp(scale); }) ==
        ir::Diag::HostValue);
}
