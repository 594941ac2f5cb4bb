// SPDX-License-Identifier: Apache-2.0
#include "formats/e2m1.h"

#include <fmt/format.h>
#include <stdexcept>

namespace barline::formats {

std::vector<std::byte> pack_e2m1(std::span<const ir::e2m1_t> codes) {
  std::vector<std::byte> packed((codes.size() + 1) / 2);
  for (std::size_t i = 0; i < codes.size(); ++i)
    set_e2m1(packed.data(), static_cast<std::int64_t>(i), codes[i]);
  return packed;
}

std::vector<ir::e2m1_t> unpack_e2m1(std::span<const std::byte> packed, std::int64_t count) {
  if (count < 0 || count > static_cast<std::int64_t>(packed.size()) * 2)
    throw std::invalid_argument(fmt::format(
        "unpack_e2m1: {} codes from {} bytes, which hold {}; pass ceil(count / 2) bytes", count,
        packed.size(), packed.size() * 2));
  std::vector<ir::e2m1_t> codes(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) codes[i] = e2m1_at(packed.data(), i);
  return codes;
}

}  // namespace barline::formats
