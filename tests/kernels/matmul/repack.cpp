// SPDX-License-Identifier: Apache-2.0
// The kernels that pack weights on the device: the bits of the host's packers at every raggedness,
// and through the description of a single code's place.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "ir/packing.h"
#include "kernels/matmul/int4.h"
#include "kernels/matmul/int8.h"
#include "tests/kernels/problem.h"

using namespace barline;
using test::Problem;

namespace {

Problem repack(const std::string& name, std::int64_t n, std::int64_t k) {
  const dsl::KernelEntry& e = test::entry(name);
  return Problem(name, e.types.front(), e.schedules.front(), {{"N", n}, {"K", k}});
}

void packs_as_the_host(const std::string& name, std::int64_t n, std::int64_t k) {
  Problem p = repack(name, n, k);
  test::Tensors whole = p.simulated(false), lowered = p.simulated(true);
  p.refer();
  INFO(name << " N = " << n << " K = " << k);
  CHECK(test::first_difference(whole, p.tensors) == "");
  CHECK(test::first_difference(lowered, p.tensors) == "");
}

}  // namespace

TEST_CASE("repack_w4 has the bits of the host's packer", "[kernels]") {
  // One column; whole units; a ragged unit; more units along k than a block has.
  for (auto [n, k] : {std::pair{1, 64}, {16, 128}, {40, 192}, {17, 576}, {31, 512}})
    packs_as_the_host("repack_w4", n, k);
}

TEST_CASE("repack_w8 has the bits of the host's packer", "[kernels]") {
  // Whole words and units, half a unit, rows that are no whole words, ragged blocks.
  for (auto [n, k] : {std::pair{8, 64}, {12, 128}, {300, 64}, {1, 64}, {257, 64}, {30, 192}})
    packs_as_the_host("repack_w8", n, k);
}

TEST_CASE("repacked codes stand where the packing says, and past N there are zeros", "[kernels]") {
  const std::int64_t n = 37, k = 128;
  for (const char* name : {"repack_w4", "repack_w8"}) {
    const bool nibbles = std::string(name) == "repack_w4";
    const ir::Packing packing{nibbles ? ir::Elem::S4 : ir::Elem::S8};
    Problem p = repack(name, n, k);
    const ir::Tensor image = p.simulated(true).at("image"), &w = p.tensors.at("w");
    REQUIRE(image.shape[0] * packing.unit_n() > n);
    int wrong = 0;
    for (std::int64_t row = 0; row < image.shape[0] * packing.unit_n(); ++row)
      for (std::int64_t at = 0; at < k; ++at) {
        const int stored =
            nibbles   ? row < n ? kernels::code_of(w.as<std::uint32_t>() + row * (k / 8), at) : 0
            : row < n ? w.as<std::int8_t>()[at * n + row]
                      : 0;
        wrong += ir::unpack(packing, image, row, at) != stored;
      }
    INFO(name);
    CHECK(wrong == 0);
  }
}

TEST_CASE("repack takes whole units along k", "[kernels]") {
  for (const char* name : {"repack_w4", "repack_w8"}) {
    const dsl::KernelEntry& e = test::entry(name);
    const ir::Kernel k = dsl::instantiate(
        e.make(e.types.front()), {.schedule = e.schedules.front(), .dims = {}, .label = {}});
    for (const ir::Axis& a : k.axes)
      if (a.of < 0) CHECK(a.multiple == (a.name == "K" ? 64 : 1));
  }
}
