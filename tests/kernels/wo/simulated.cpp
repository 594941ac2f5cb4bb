// SPDX-License-Identifier: Apache-2.0
// wo_nvfp4 on the simulator: the bits of the reference of its split, whatever the split, the order
// of the scales, the global scale, the scales themselves, the order of arrival and the batch.
#include <catch2/catch.hpp>

#include "formats/nvfp4.h"
#include "ir/diagnostic.h"
#include "wo_problem.h"

using namespace barline;
using namespace barline::test;
using Catch::Matchers::Contains;
using verify::WarpOrder;

namespace {

const char* const families[] = {"wo_nvfp4", "wo_nvfp4_swizzled", "wo_nvfp4_producer",
                                "wo_nvfp4_parallel_gather"};

void agree(Problem p) {
  Tensors whole = p.simulated(false), low = p.simulated(true);
  p.refer();
  INFO(p.kernel->name << " split " << p.sizes.at("wo_split") << " of " << p.sizes.at("slice_ctas")
                      << " slices, global scale " << p.scalars.at("global_scale"));
  CHECK(first_difference(whole, p.tensors) == "");
  CHECK(first_difference(low, p.tensors) == "");
}

/// Sets every scale to a byte of the list in turn.
void set_scales(Problem& p, const std::vector<std::uint8_t>& bytes) {
  const std::int64_t n = p.sizes.at("N"), groups = p.sizes.at("K") / 16;
  formats::LinearScales scales(n, groups);
  for (std::int64_t i = 0; i < n * groups; ++i)
    scales.set(i / groups, i % groups, {bytes[static_cast<std::size_t>(i) % bytes.size()]});
  if (p.tensors.contains("w_scale")) p.tensors["w_scale"] = scales.tensor();
  if (p.tensors.contains("w_scale_swizzled"))
    p.tensors["w_scale_swizzled"] = formats::swizzle(scales).tensor();
}

}  // namespace

TEST_CASE("wo_nvfp4 has the bits of its split's reference", "[kernels][wo]") {
  for (const char* name : families)
    for (std::int64_t split : {1, 2, 4, 8})
      for (float global : {1.0f, 0.0123f, 1 / 3.0f})
        agree(wo_problem(name, {.split = split}, global));
}

TEST_CASE("wo_nvfp4 takes one row of x and more than a block's rows of y", "[kernels][wo]") {
  agree(wo_problem("wo_nvfp4", {.batch = 1, .n = 4, .split = 8}));
  agree(wo_problem("wo_nvfp4_swizzled", {.batch = 1, .n = 1028, .k = 1024, .split = 2}));
  agree(wo_problem("wo_nvfp4", {.batch = 16, .n = 20, .split = 4}));
  agree(wo_problem("wo_nvfp4_parallel_gather", {.batch = 2, .n = 1028, .split = 2}));
  agree(wo_problem("wo_nvfp4_parallel_gather", {.batch = 1, .n = 3076, .split = 8}));
}

TEST_CASE("wo_nvfp4 takes splits that cut groups, and more of them", "[kernels][wo]") {
  for (std::int64_t split : {3, 5, 7, 16})
    agree(
        wo_problem("wo_nvfp4", {.n = 20, .slices = split == 16 ? 16 : split * 2, .split = split}));
}

TEST_CASE("wo_nvfp4 refuses a config that leaves its split to the launch", "[kernels][wo]") {
  for (const char* name : families) {
    const dsl::KernelEntry& e = entry(name);
    const dsl::Config config{.schedule = e.schedules.front(), .dims = {}, .label = name};
    CHECK_THROWS_WITH(dsl::instantiate(e.make(ir::Elem::BF16), config),
                      Catch::Contains("wo_split is left to the launch") &&
                          Catch::Contains("bind \"wo_split=4\"") &&
                          Catch::Contains("wo_nvfp4.cpp"));
  }
}

TEST_CASE("wo_nvfp4 takes denormal, zero, negative and NaN scales", "[kernels][wo]") {
  for (const char* name : {"wo_nvfp4", "wo_nvfp4_swizzled"}) {
    for (const std::vector<std::uint8_t>& bytes :
         {std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7}, {0}, {0x80, 1, 0x87, 0xb8}}) {
      Problem p = wo_problem(name, {.split = 2});
      set_scales(p, bytes);
      agree(std::move(p));
    }
    Problem p = wo_problem(name, {.split = 2});
    set_scales(p, {0x38});
    auto& scales = p.tensors.at(name == std::string("wo_nvfp4") ? "w_scale" : "w_scale_swizzled");
    scales.as<std::uint8_t>()[17] = 0x7f;
    agree(std::move(p));
  }
}

TEST_CASE("the order in which blocks arrive does not change a bit", "[kernels][wo]") {
  for (const char* name : families) {
    Problem p = wo_problem(name, {.split = 4});
    const ir::Kernel k = lowered(p);
    const Tensors first = p.run(k, {});
    for (WarpOrder order : {WarpOrder::Reverse, WarpOrder::Random})
      for (std::uint64_t seed : {1, 2, 3})
        CHECK(first_difference(p.run(k, {.order = order, .seed = seed}), first) == "");
  }
}

TEST_CASE("a row's bits do not depend on the batch nor on the number of slices", "[kernels][wo]") {
  Problem many = wo_problem("wo_nvfp4", {.batch = 3});
  const Tensors all = many.simulated(true);
  for (std::int64_t b = 0; b < 3; ++b) {
    Problem one = wo_problem("wo_nvfp4", {.batch = 1, .slices = 4});
    one.tensors["w"] = many.tensors["w"];
    one.tensors["w_scale"] = many.tensors["w_scale"];
    const auto* x = many.tensors["x"].as<std::uint16_t>() + b * 512;
    std::copy(x, x + 512, one.tensors["x"].as<std::uint16_t>());
    const Tensors got = one.simulated(true);
    CHECK(std::memcmp(got.at("y").data.data(), all.at("y").as<float>() + b * 140, 140 * 4) == 0);
  }
}

TEST_CASE("no slices for all parts, and no parts, are refused where they are bound",
          "[kernels][wo]") {
  Problem p = wo_problem("wo_nvfp4", {});
  auto refused = [&](std::int64_t split, std::int64_t slices) {
    dsl::Config c = p.config;
    c.dims = {{"wo_split", split}};
    if (slices) c.dims["slice_ctas"] = slices;
    return dsl::instantiate(p.source, c);
  };
  CHECK_THROWS_WITH(refused(8, 4), Contains("wo_nvfp4.cpp") &&
                                       Contains("wo_split 8 over slice_ctas 4") &&
                                       Contains("at least wo_split"));
  CHECK_THROWS_WITH(refused(0, 8), Contains("axis 'wo_split' bound to 0"));
  CHECK_NOTHROW(refused(8, 12));
  // Slices of the launch are a multiple of the parts, so that there is one for each.
  const ir::Kernel k = refused(8, 0);
  for (const ir::Axis& a : k.axes)
    if (a.name == "slice_ctas") CHECK(a.multiple == 8);
}
