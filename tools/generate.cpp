// SPDX-License-Identifier: Apache-2.0
#include "tools/generate.h"

#include <bit>

#include "ir/half.h"

namespace barline::tools {
namespace {

std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9u;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

/// The bits of one element.
std::uint64_t element(ir::Elem elem, std::uint64_t u) {
  using enum ir::Elem;
  double value = static_cast<double>(u >> 40) / (1 << 22) - 2;
  constexpr std::uint64_t wide = std::uint64_t{1} << 21;
  switch (elem) {
    case F16: return ir::num::to_f16(value).bits;
    case BF16: return ir::num::to_bf16(value).bits;
    case F32: return std::bit_cast<std::uint32_t>(static_cast<float>(value));
    case F64: return std::bit_cast<std::uint64_t>(value);
    case E4M3: return ir::num::to_e4m3(value).bits;
    case E5M2: return ir::num::to_e5m2(value).bits;
    case E2M1: return ir::num::to_e2m1(value).bits;
    case S32:
    case S64: return u % wide - wide / 2;
    case U32:
    case U64: return u % wide;
    case I1: return u & 1;
    default: return u;
  }
}

}  // namespace

ir::Tensor generate(ir::Elem elem, std::vector<std::int64_t> shape, std::uint64_t seed,
                    std::string_view name) {
  ir::Tensor t(elem, std::move(shape));
  std::uint64_t stream = mix(seed) ^ fnv1a(name);
  const int bits = elem == ir::Elem::I1 ? 8 : ir::bits(elem);
  const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  for (std::int64_t i = 0, n = t.count(); i < n; ++i) {
    auto step = static_cast<std::uint64_t>(i);
    std::uint64_t value = element(elem, mix(stream + step * 0x9e3779b97f4a7c15u)) & mask;
    if (bits < 8) {
      t.data[step * static_cast<unsigned>(bits) / 8] |=
          std::byte(value << step * static_cast<unsigned>(bits) % 8);
    } else {  // little endian, as the device and this host are
      std::memcpy(t.data.data() + step * static_cast<unsigned>(bits / 8), &value,
                  static_cast<std::size_t>(bits / 8));
    }
  }
  return t;
}

}  // namespace barline::tools
