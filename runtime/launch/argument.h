// SPDX-License-Identifier: Apache-2.0
// One argument of a launch, with its type, so that a launch can check it.
#pragma once
#include <bit>
#include <cstdint>

#include "runtime/launch/element.h"

namespace barline::runtime {

/// A device pointer or a scalar of the parameter's type.
class Argument {
 public:
  static Argument pointer(std::uint64_t address) { return {element::u64, true, address}; }
  Argument(float v) : Argument(element::f32, false, std::bit_cast<std::uint32_t>(v)) {}
  Argument(double v) : Argument(element::f64, false, std::bit_cast<std::uint64_t>(v)) {}
  Argument(std::int32_t v) : Argument(element::s32, false, static_cast<std::uint32_t>(v)) {}
  Argument(std::uint32_t v) : Argument(element::u32, false, v) {}
  Argument(std::int64_t v) : Argument(element::s64, false, static_cast<std::uint64_t>(v)) {}
  Argument(std::uint64_t v) : Argument(element::u64, false, v) {}
  /// A scalar of another type (f16, s8, ...) by its bits.
  static Argument bits(Element element, std::uint64_t bits) { return {element, false, bits}; }

  Element element() const { return element_; }
  bool is_pointer() const { return pointer_; }
  const std::uint64_t& value() const { return bits_; }

 private:
  Argument(Element element, bool pointer, std::uint64_t bits)
      : bits_(bits), element_(element), pointer_(pointer) {}
  std::uint64_t bits_;
  Element element_;
  bool pointer_;
};

}  // namespace barline::runtime
