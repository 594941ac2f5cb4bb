// SPDX-License-Identifier: Apache-2.0
// Tensor maps: what the copy engine must know of a matrix in memory to bring boxes of it. A map is
// a kernel argument of 128 bytes, made on the host without touching the device, so that making one
// is safe under graph capture.
#pragma once
#include <cstdint>
#include <string>

#include "runtime/driver/driver.h"

namespace barline::driver {

/// A row-major matrix, or several of one shape, and the box of it that one copy brings.
struct TensorBox {
  abi::TensorMapType type{};
  unsigned element_bytes = 0;
  std::uint64_t rows = 1, columns = 1;          ///< of the matrix
  std::uint64_t planes = 0;                     ///< matrices, one after the other; 0: it is one
  std::uint64_t row_bytes = 0;                  ///< from one row to the next, a multiple of 16
  std::uint32_t box_rows = 1, box_columns = 1;  ///< at most 256 each
  bool swizzled = false;                        ///< rows of 128 bytes
};

/// The map of a matrix at `address`, a multiple of 16. Elements outside the matrix are zeros in the
/// box. Throws Error{Call} that names `what`.
abi::TensorMap encode_tensor_map(const Driver& driver, abi::DevicePointer address,
                                 const TensorBox& box, const std::string& what);

}  // namespace barline::driver
