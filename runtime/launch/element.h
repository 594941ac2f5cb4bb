// SPDX-License-Identifier: Apache-2.0
// Element types as a host meets them: named as launch signatures spell them (PTX's names), numbered
// as DLPack numbers them, so that a tensor of any framework is compared without a table of its own.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace barline::runtime {

/// DLPack's DLDataTypeCode, of the types that kernels take.
enum class ElementCode : std::uint8_t {
  Int = 0,
  UInt = 1,
  Float = 2,
  Bfloat = 4,
  Bool = 6,
  Float8E4M3 = 10,
  Float8E5M2 = 12,
  Float4E2M1 = 17,
};

struct Element {
  ElementCode code = ElementCode::Float;
  std::uint8_t bits = 32;  ///< in memory; i1 takes a byte
  friend bool operator==(const Element&, const Element&) = default;
};

namespace element {
inline constexpr Element s32{ElementCode::Int, 32}, s64{ElementCode::Int, 64};
inline constexpr Element u32{ElementCode::UInt, 32}, u64{ElementCode::UInt, 64};
inline constexpr Element f32{ElementCode::Float, 32}, f64{ElementCode::Float, 64};
}  // namespace element

/// "bf16"; "?" for one that has no name here.
std::string_view name(Element element);
std::optional<Element> parse_element(std::string_view name);

}  // namespace barline::runtime
