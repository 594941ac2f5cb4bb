// SPDX-License-Identifier: Apache-2.0
#include "kernels/wo/inputs_p.h"

namespace barline::kernels {

using formats::LinearScales;
using formats::nvfp4_group;

LinearScales random_scales(const dsl::InputArgs& a) {
  constexpr ir::e4m3_t instead_of_nan{0x40};
  const std::int64_t rows = a.sizes.at("N"), groups = a.sizes.at("K") / nvfp4_group;
  const ir::Tensor bytes = a.random(dsl::u8, {rows, groups}, "w_scale");
  LinearScales scales(rows, groups);
  for (std::int64_t i = 0; i < rows * groups; ++i) {
    const ir::e4m3_t s{static_cast<std::uint8_t>(bytes.as<std::uint8_t>()[i] & 0x7f)};
    scales.set(i / groups, i % groups, s.bits == ir::Format<ir::e4m3_t>::nan ? instead_of_nan : s);
  }
  return scales;
}

formats::Nvfp4Matrix<formats::ScaleOrder::Linear> random_weights(const dsl::InputArgs& a) {
  return {a.random(dsl::e2m1, {a.sizes.at("N"), a.sizes.at("K")}, "w"), random_scales(a)};
}

double image_payload(const std::map<std::string, std::int64_t>& n) {
  const double weights = n.at("N") * n.at("K") * (0.5 + 1.0 / nvfp4_group);
  return weights + n.at("B") * (2.0 * n.at("K") + 4.0 * n.at("N")) + 4;
}

double projection_flops(const std::map<std::string, std::int64_t>& n) {
  return 2.0 * n.at("B") * n.at("N") * n.at("K");
}

}  // namespace barline::kernels
