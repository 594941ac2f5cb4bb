// SPDX-License-Identifier: Apache-2.0
#include "runtime/driver/tensor_map.h"

#include <fmt/format.h>

namespace barline::driver {

abi::TensorMap encode_tensor_map(const Driver& driver, abi::DevicePointer address,
                                 const TensorBox& box, const std::string& what) {
  // Dimensions count from the innermost one; its stride is the element's size.
  const std::uint64_t extents[] = {box.columns, box.rows, box.planes};
  const std::uint64_t strides[] = {box.row_bytes, box.row_bytes * box.rows};
  const std::uint32_t boxes[] = {box.box_columns, box.box_rows, 1}, every[] = {1, 1, 1};
  abi::TensorMap map;
  const abi::Result result = driver.api().cuTensorMapEncodeTiled(
      &map, box.type, box.planes ? 3 : 2, reinterpret_cast<void*>(address), extents, strides, boxes,
      every, abi::TensorMapInterleave::None,
      box.swizzled ? abi::TensorMapSwizzle::Bytes128 : abi::TensorMapSwizzle::None,
      abi::TensorMapL2::Bytes128, abi::TensorMapFill::Zeros);
  if (result != abi::Result::Success) [[unlikely]]
    driver.fail(result, "cuTensorMapEncodeTiled",
                fmt::format("{}: {} x {} elements of {} bytes at {:#x}, rows {} bytes apart, boxes "
                            "of {} x {}",
                            what, box.rows, box.columns, box.element_bytes, address, box.row_bytes,
                            box.box_rows, box.box_columns));
  return map;
}

}  // namespace barline::driver
