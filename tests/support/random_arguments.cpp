// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstring>

#include "ir/extents.h"
#include "ir/numerics.h"
#include "tests/support/random_kernel.h"
#include "tests/support/random_source.h"

namespace barline::test {
namespace {

using namespace ir;

float number(Random& rng, int odd) {
  if (rng.one_in(odd))
    return std::bit_cast<float>(rng.pick<std::uint32_t>(
        {0, 0x80000000, 0x7f800000, 0xff800000, 0x7fffffff, 1, 0x00800000, 0x7f7fffff}));
  return static_cast<float>(rng.between(-4000, 4000)) / 256.0f;
}

std::uint64_t bits_of(Elem e, Random& rng, int odd) {
  switch (e) {
    case Elem::F32: return std::bit_cast<std::uint32_t>(number(rng, odd));
    case Elem::F64: return std::bit_cast<std::uint64_t>(static_cast<double>(number(rng, odd)));
    case Elem::F16: return num::to_f16(number(rng, odd)).bits;
    case Elem::BF16: return num::to_bf16(number(rng, odd)).bits;
    default: return rng.one_in(4) ? rng.next() : static_cast<std::uint64_t>(rng.between(-20, 100));
  }
}

}  // namespace

RandomArguments random_arguments(const RandomKernel& r, std::uint64_t seed) {
  const Kernel& k = r.kernel;
  Random rng(seed);
  std::size_t next = 0;
  auto sizes = axis_sizes(k, [&](const Axis&) { return r.axis_sizes.at(next++); });
  RandomArguments out;
  for (const Param& p : k.params) {
    Elem e = p.type.elem;
    Tensor t;
    if (p.type.is_pointer()) {
      std::vector<std::int64_t> shape;
      for (int axis : p.axes) shape.push_back(sizes[static_cast<std::size_t>(axis)]);
      t = Tensor(e, shape);
      std::size_t bytes_each = static_cast<std::size_t>(bytes(e));
      for (std::int64_t i = 0; i < t.count(); ++i) {
        std::uint64_t raw = p.access == Access::Out ? 0 : bits_of(e, rng, r.odd_one_in);
        std::memcpy(t.data.data() + static_cast<std::size_t>(i) * bytes_each, &raw, bytes_each);
      }
    }
    std::uint64_t mask = bits(e) == 64 ? ~0ull : (1ull << bits(e)) - 1;
    out.scalars.push_back({e, p.type.is_scalar() ? bits_of(e, rng, r.odd_one_in) & mask : 0});
    out.tensors.push_back(std::move(t));
  }
  return out;
}

}  // namespace barline::test
