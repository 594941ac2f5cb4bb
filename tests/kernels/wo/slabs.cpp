// SPDX-License-Identifier: Apache-2.0
// Images of slabs: where codes and scales stand, and which values they keep.
#include "kernels/wo/slabs.h"

#include <catch2/catch.hpp>
#include <set>

#include "kernels/wo/words.h"
#include "tests/kernels/reference/wo_operands.h"

using namespace barline;
using namespace barline::kernels;

namespace {

/// One row of K = 1024: lane = k / 32, one warp, one slab.
SlabPlace in_a_row(std::int64_t, std::int64_t k) { return {.lane = k / 32, .code = k % 32}; }
constexpr Slabs one{.warps = 1, .count = 1};

}  // namespace

TEST_CASE("runs of scales are 8 slabs, and what remains in halves", "[kernels][wo]") {
  const Slabs slabs{.warps = 16, .count = 15};
  std::vector<Slabs::Run> runs;
  for (std::int64_t slab = 0; slab < slabs.count; slab += runs.back().slabs) {
    runs.push_back(slabs.run_of(slab));
    CHECK(runs.back().first == slab);
    CHECK(slabs.run_of(slab + runs.back().slabs - 1) == runs.back());
  }
  CHECK(runs == std::vector<Slabs::Run>{{0, 8}, {8, 4}, {12, 2}, {14, 1}});
}

TEST_CASE("slabs and the scales of their runs fill an image without a gap", "[kernels][wo]") {
  const Slabs slabs{.warps = 20, .count = 13};
  std::set<std::int64_t> words;
  auto take = [&](std::int64_t from, std::int64_t count) {
    for (std::int64_t i = from; i < from + count; ++i) CHECK(words.insert(i).second);
  };
  for (std::int64_t slab = 0; slab < slabs.count; ++slab) {
    take(slabs.codes_at(slab), slabs.warps * Slabs::warp_codes);
    const Slabs::Run run = slabs.run_of(slab);
    if (run.first == slab) take(slabs.scales_at(run), slabs.warps * Slabs::warp_scales * run.slabs);
  }
  CHECK(words.size() == static_cast<std::size_t>(slabs.words()));
  CHECK(*words.rbegin() == slabs.words() - 1);
}

TEST_CASE("a scale without its sign comes back from UE5M3, NaN too", "[kernels][wo]") {
  for (int bits = 0; bits < 0x100; ++bits) {
    const ir::e4m3_t scale{static_cast<std::uint8_t>(bits)};
    CHECK(int{from_ue5m3(to_ue5m3(scale)).bits} == (bits & 0x7f));
  }
}

TEST_CASE("an image keeps every value of code and scale, of any sign", "[kernels][wo]") {
  test::Matrix w = test::matrix(1, 1024, 1);
  for (std::int64_t g = 0; g < 64; ++g)
    w.scales.set(0, g, {static_cast<std::uint8_t>(g % 2 ? 0x80 | g : g % 4 ? 0x7f : g)});
  for (std::int64_t k = 0; k < 1024; ++k)
    formats::set_e2m1(w.codes.data.data(), k, {static_cast<std::uint8_t>(k * 7 % 16)});
  const ir::Tensor image = pack_slabs(w, 1, one, in_a_row);
  const test::Matrix back = unpack_slabs(image, 1, 1024, 1, one, in_a_row);
  for (std::int64_t k = 0; k < 1024; ++k) {
    const float before = w.value(0, k), after = back.value(0, k);
    CHECK(std::bit_cast<std::uint32_t>(before) == std::bit_cast<std::uint32_t>(after));
  }
}
