// SPDX-License-Identifier: Apache-2.0
// Ten thousand damaged cubins: the reader refuses, or what it returns lies inside the bytes. Each
// input has an allocation of exactly its size, so that a sanitizer sees any step outside.
#include <catch2/catch.hpp>
#include <memory>
#include <random>

#include "codegen/cubin/frames.h"
#include "codegen/sass/skeleton.h"
#include "tests/codegen/assembler_fixture.h"

using namespace barline::codegen;
using namespace barline::codegen::test;

namespace {

using Random = std::mt19937_64;
using Bytes = std::vector<std::byte>;

std::size_t below(Random& random, std::size_t n) { return n ? random() % n : 0; }

// Half of the damage goes where structure is: the header and the tables at the end.
std::size_t place(const Bytes& bytes, Random& random) {
  switch (below(random, 4)) {
    case 0: return below(random, std::min<std::size_t>(bytes.size(), 64));
    case 1: return bytes.size() - 1 - below(random, std::min<std::size_t>(bytes.size(), 1600));
    default: return below(random, bytes.size());
  }
}

void damage(Bytes& bytes, Random& random) {
  if (bytes.empty()) return;
  constexpr unsigned edges[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
  std::size_t at = place(bytes, random);
  switch (below(random, 8)) {
    case 0: bytes.resize(at); break;
    case 1: bytes.insert(bytes.end(), below(random, 64), std::byte{0}); break;
    case 2: bytes[at] ^= static_cast<std::byte>(1u << below(random, 8)); break;
    case 3:  // a whole word to all ones or zero
      for (std::size_t i = at & ~std::size_t{7};
           i < std::min(bytes.size(), (at & ~std::size_t{7}) + 8); ++i)
        bytes[i] = static_cast<std::byte>(random() & 1 ? 0xff : 0);
      break;
    case 4: bytes[at] = static_cast<std::byte>(edges[below(random, std::size(edges))]); break;
    default: bytes[at] = static_cast<std::byte>(random());
  }
}

bool inside(std::span<const std::byte> part, const std::byte* begin, std::size_t size) {
  return part.empty() || (part.data() >= begin && part.data() + part.size() <= begin + size);
}

// 1 when the bytes were accepted.
int read_one(const std::byte* begin, std::size_t size, const Calibration& calibration) {
  try {
    Cubin cubin = Cubin::parse({begin, size});
    for (const Section& section : cubin.sections()) REQUIRE(inside(section.bytes, begin, size));
    for (const KernelRecord& kernel : cubin.kernels()) {
      REQUIRE(inside(kernel.text, begin, size));
      REQUIRE(inside(std::as_bytes(std::span(kernel.name)), begin, size));
      REQUIRE(kernel.registers.value_or(0) >= 0);
      skeleton_of_code(kernel.text, calibration);
      const int frame = deepest_frame(cubin, kernel).value_or(0);
      REQUIRE(frame >= 0);
    }
    return 1;
  } catch (const CubinError&) {
    return 0;
  }
}

}  // namespace

TEST_CASE("damaged cubins are read without harm") {
  std::vector<Bytes> seeds;
  for (const char* name :
       {"small.sm_80.cubin", "small.sm_90.cubin", "small.sm_120.cubin", "calls.sm_80.cubin",
        "calls.sm_90.cubin", "small.nvjitlink.sm_80.cubin", "small.nvjitlink.sm_121.cubin",
        "calls.nvjitlink.sm_90.cubin", "deep.sm_80.cubin", "deep.sm_90.cubin"})
    seeds.push_back(read_file(cubin_path(name)));
  Calibration calibration;
  calibration.set(0x947, SassOp::Bra);
  Random random(7);
  int accepted = 0;
  for (int i = 0; i < 10'000; ++i) {
    Bytes bytes = seeds[below(random, seeds.size())];
    for (std::size_t n = 1 + below(random, 4); n > 0; --n) damage(bytes, random);
    auto exact = std::make_unique<std::byte[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), exact.get());
    accepted += read_one(exact.get(), bytes.size(), calibration);
  }
  CHECK(accepted > 500);
  CHECK(accepted < 9'500);
}
