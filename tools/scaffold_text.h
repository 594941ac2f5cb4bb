// SPDX-License-Identifier: Apache-2.0
// The texts that `barline new` writes; NAME stands for the kernel's name. A test compiles them.
#pragma once

#include <string_view>

namespace barline::tools::scaffold_text {

inline constexpr std::string_view tree_kernel = R"(// SPDX-License-Identifier: Apache-2.0
// y = 2 x + 1: a start to edit, formula and reference alike.
#include "dsl/dsl.h"
#include "kernels/kernels.h"
#include "kernels/reference/elements.h"
#include "kernels/schedules.h"

namespace barline::kernels {
namespace {

using namespace dsl;

KernelSource NAME(Elem type) {
  Axis n{"n"};
  In x{"x", type, {n}};
  Out y{"y", type, {n}};
  return kernel("NAME", {x, y}, [=](Tiles& b) {
    b.store(y(part), b.stripe(x(part)) * 2.0f + 1.0f);
  });
}

void NAME_reference(ReferenceArgs a) {
  std::vector<float> v = reference::load_f32(a.tensors.at("x"));
  for (float& e : v) e = e * 2.0f + 1.0f;
  reference::store_f32(a.tensors.at("y"), 0, v);
}

}  // namespace

void add_NAME(Registry& registry) {
  registry.add({.name = "NAME",
                .doc = "y = 2 x + 1",
                .types = {f32, f16, bf16},
                .schedules = {flat256},
                .make = NAME,
                .reference = NAME_reference,
                .bytes = [](Elem e, const auto& n) { return ir::bytes(e) * 2.0 * n.at("n"); }});
}

}  // namespace barline::kernels
)";

inline constexpr std::string_view tree_test = R"(// SPDX-License-Identifier: Apache-2.0
// NAME: simulator and reference agree bit for bit, before and after the passes.
#include <catch2/catch.hpp>

#include "problem.h"

using namespace barline;

TEST_CASE("NAME equals its reference before and after the passes", "[kernels]") {
  for (ir::Elem type : test::entry("NAME").types) {
    for (const ir::Schedule& schedule : test::entry("NAME").schedules) {
      test::Problem p("NAME", type, schedule, {{"n", 5001}});
      test::Tensors written = p.simulated(false), lowered = p.simulated(true);
      p.refer();
      INFO(p.config.label);
      CHECK(test::first_difference(written, p.tensors) == "");
      CHECK(test::first_difference(lowered, p.tensors) == "");
    }
  }
}
)";

inline constexpr std::string_view registry_entry = R"(  NAME:
    types: [f32, f16, bf16]
    shapes: {sim: {n: 5001}}
    schedules:
      flat256:
)";

inline constexpr std::string_view project_registry =
    R"(# Budgets: `barline gate --update` pins them. Schema: `barline schema`.
version: 1
assembler: {assembler}
targets: [sm_80, sm_86, sm_89, sm_90a, sm_120, sm_121]
kernels:
)";

inline constexpr std::string_view project_entry = R"(  NAME:
    types: [f32]
    shapes: {sim: {n: 5001}}
    schedules:
      flat256:
)";

inline constexpr std::string_view project_cmake = R"(cmake_minimum_required(VERSION 3.25)
project(NAME LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
# -ffp-contract=off: the reference is compared bit for bit, so the host must not fuse.
add_compile_options(-ffp-contract=off)
find_package(barline REQUIRED)
add_library(NAME SHARED NAME.cpp)
target_link_libraries(NAME PRIVATE barline::barline)

enable_testing()
find_program(BARLINE barline HINTS ${barline_DIR}/../../../bin)
set(use ${BARLINE} --plugin $<TARGET_FILE:NAME> --registry ${CMAKE_CURRENT_SOURCE_DIR}/kernels.yaml)
add_test(NAME verify COMMAND ${use} verify NAME)
add_test(NAME run COMMAND ${use} run NAME --device sim)
)";

inline constexpr std::string_view project_kernel = R"(// y = 2 x + 1: a start to edit, formula and reference alike.
#include "dsl/dsl.h"
#include "dsl/plugin.h"

using namespace barline::dsl;

namespace {

constexpr barline::ir::Schedule flat256{.name = "flat256", .threads = 256, .vec = 4};

KernelSource NAME(Elem type) {
  Axis n{"n"};
  In x{"x", type, {n}};
  Out y{"y", type, {n}};
  return kernel("NAME", {x, y}, [=](Tiles& b) {
    b.store(y(part), b.stripe(x(part)) * 2.0f + 1.0f);
  });
}

void NAME_reference(ReferenceArgs a) {
  const float* x = a.tensors.at("x").as<float>();
  float* y = a.tensors.at("y").as<float>();
  for (std::int64_t i = 0; i < a.sizes.at("n"); ++i) y[i] = x[i] * 2.0f + 1.0f;
}

}  // namespace

extern "C" void barline_plugin(Registry& registry) {
  registry.from_library(reinterpret_cast<const void*>(&barline_plugin));
  registry.add({.name = "NAME",
                .doc = "y = 2 x + 1",
                .types = {f32},
                .schedules = {flat256},
                .make = NAME,
                .reference = NAME_reference,
                .bytes = [](Elem e, const auto& n) {
                  return barline::ir::bytes(e) * 2.0 * n.at("n");
                }});
}
)";

inline constexpr std::string_view project_readme = R"(# NAME

A kernel of its own for barline: `NAME.cpp` holds the kernel, its
schedule and its reference, `kernels.yaml` its shapes and budgets.

    cmake -B build -DCMAKE_PREFIX_PATH=<where barline is installed> && cmake --build build
    ctest --test-dir build
    barline --plugin build/libNAME.so --registry kernels.yaml gate --update
)";

}  // namespace barline::tools::scaffold_text
