// SPDX-License-Identifier: Apache-2.0
#include "kernels/matmul/int8.h"

#include "ir/packing.h"

namespace barline::kernels {
namespace {

constexpr ir::Packing image_of{.code = ir::Elem::S8};

}  // namespace

ir::Tensor pack_int8(const ir::Tensor& codes) {
  std::int64_t k = codes.shape[0], n = codes.shape[1];
  std::int64_t whole = (k + ir::Packing::unit_k - 1) / ir::Packing::unit_k * ir::Packing::unit_k;
  const auto* from = codes.as<std::int8_t>();
  return ir::pack(image_of, n, whole, [=](std::int64_t column, std::int64_t at) {
    return at < k ? int{from[at * n + column]} : 0;
  });
}

ir::Tensor unpack_int8(const ir::Tensor& image, std::int64_t n, std::int64_t k) {
  ir::Tensor codes(ir::Elem::S8, {k, n});
  for (std::int64_t at = 0; at < k; ++at)
    for (std::int64_t column = 0; column < n; ++column)
      codes.as<std::int8_t>()[at * n + column] =
          static_cast<std::int8_t>(ir::unpack(image_of, image, column, at));
  return codes;
}

}  // namespace barline::kernels
