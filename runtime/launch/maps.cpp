// SPDX-License-Identifier: Apache-2.0
#include "runtime/launch/maps.h"

#include <fmt/format.h>

#include <optional>
#include <stdexcept>

namespace barline::runtime {
namespace {

using driver::abi::TensorMapType;

constexpr std::int64_t unit = 16;  // bytes that the copy engine counts rows in

/// The type that fills with zeros and moves the same bits.
std::optional<TensorMapType> map_type(Element e) {
  if (e == Element{ElementCode::Bfloat, 16}) return TensorMapType::BF16;
  if (e.code == ElementCode::Float && e.bits == 16) return TensorMapType::F16;
  if (e == element::f32) return TensorMapType::F32;
  if (e == element::f64) return TensorMapType::F64;
  if (e == element::s32) return TensorMapType::S32;
  if (e == element::s64) return TensorMapType::S64;
  switch (e.bits) {
    case 8: return TensorMapType::U8;
    case 16: return TensorMapType::U16;
    case 32: return TensorMapType::U32;
    case 64: return TensorMapType::U64;
    default: return std::nullopt;
  }
}

[[noreturn]] void refuse(std::string_view kernel, const std::string& what) {
  throw std::invalid_argument(fmt::format("launch of '{}': {}", kernel, what));
}

driver::TensorBox box_of(std::string_view kernel, const Signature& s, const SignatureMap& m,
                         std::span<const std::int64_t> sizes) {
  const SignatureParam& p = s.params[m.param];
  const std::int64_t rows = m.height.of(sizes), columns = m.width.of(sizes);
  std::int64_t planes = m.planes.empty() ? 0 : 1;
  for (const SignatureSize& size : m.planes) planes *= size.of(sizes);
  const std::int64_t each = p.elem.bits / 8, bytes = columns * each;
  if ((rows > 1 || planes > 1) && bytes % unit != 0) [[unlikely]]
    refuse(kernel, fmt::format("tensor '{}' has rows of {} elements of {}, {} bytes; a kernel that "
                               "copies boxes takes rows of a multiple of 16 bytes: pad axis '{}'",
                               p.name, columns, name(p.elem), bytes, p.axes.back().name));
  return {.type = *map_type(p.elem),
          .element_bytes = static_cast<unsigned>(each),
          .rows = static_cast<std::uint64_t>(rows),
          .columns = static_cast<std::uint64_t>(columns),
          .planes = static_cast<std::uint64_t>(planes),
          .row_bytes = static_cast<std::uint64_t>((bytes + unit - 1) / unit * unit),
          .box_rows = static_cast<std::uint32_t>(m.rows),
          .box_columns = static_cast<std::uint32_t>(m.columns),
          .swizzled = m.swizzled};
}

}  // namespace

void check_maps(std::string_view kernel, const Signature& s) {
  if (s.maps.size() > max_maps)
    refuse(kernel,
           fmt::format("{} tensor maps; a launch has at most {}: copy boxes of fewer shapes",
                       s.maps.size(), max_maps));
  for (const SignatureMap& m : s.maps)
    if (const SignatureParam& p = s.params[m.param]; !map_type(p.elem))
      refuse(kernel,
             fmt::format("tensor '{}' of {} is copied in boxes; elements of whole bytes are: "
                         "declare it as words",
                         p.name, name(p.elem)));
}

void encode_maps(const driver::Device& device, std::string_view kernel, const Signature& s,
                 std::span<const std::uint64_t> addresses, std::span<const std::int64_t> sizes,
                 Maps& maps) {
  driver::ContextScope scope(device);  // the driver encodes for the current context's device
  for (std::size_t i = 0; i < s.maps.size(); ++i) {
    const SignatureMap& m = s.maps[i];
    maps[i] = driver::encode_tensor_map(device.driver(), addresses[m.param],
                                        box_of(kernel, s, m, sizes), s.params[m.param].name);
  }
}

}  // namespace barline::runtime
