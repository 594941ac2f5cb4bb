// SPDX-License-Identifier: Apache-2.0
// Host tensors: what a kernel reads and writes on this side of the device; shared by references,
// the simulator, the runtime's tools and .npy files. Row-major, dense.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <vector>

#include "ir/type.h"

namespace barline::ir {

struct Tensor {
  Elem elem = Elem::F32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> data;  ///< packed: ceil(count * bits / 8) bytes; i1 takes a byte

  Tensor() = default;
  Tensor(Elem elem, std::vector<std::int64_t> shape) : elem(elem), shape(std::move(shape)) {
    data.resize(static_cast<std::size_t>(byte_size()));
  }
  std::int64_t count() const {
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  }
  std::int64_t byte_size() const {
    return elem == Elem::I1 ? count() : (count() * bits(elem) + 7) / 8;
  }
  /// The elements as the native type of their width (float for f32, std::uint16_t for f16, ...).
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(data.data());
  }
  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(data.data());
  }
};

/// A scalar kernel argument: its bits in the parameter's type.
struct Scalar {
  Elem elem = Elem::F32;
  std::uint64_t bits = 0;
};

/// Element i widened to double (integers and floats of at least 8 bits).
double value_as_f64(const Tensor& t, std::int64_t i);

}  // namespace barline::ir
