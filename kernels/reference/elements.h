// SPDX-License-Identifier: Apache-2.0
// Elements of host tensors as the kernels see them: floats widened to f32, results rounded to the
// tensor's type.
#pragma once

#include <span>
#include <vector>

#include "ir/tensor.h"

namespace barline::kernels::reference {

/// Elements [first, first + count) as f32: floats widened, 8-bit integers converted.
std::vector<float> load_f32(const ir::Tensor& t, std::int64_t first, std::int64_t count);
inline std::vector<float> load_f32(const ir::Tensor& t) { return load_f32(t, 0, t.count()); }

/// Writes `values` from element `first` on, each rounded to the tensor's float type.
void store_f32(ir::Tensor& t, std::int64_t first, std::span<const float> values);
inline void store_f32(ir::Tensor& t, std::int64_t at, float value) {
  store_f32(t, at, std::span{&value, 1});
}

/// Rounded to `e` and widened again.
float round_to(ir::Elem e, float value);

}  // namespace barline::kernels::reference
