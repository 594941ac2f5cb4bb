// SPDX-License-Identifier: Apache-2.0
#include "ir/tensor.h"

#include "ir/half.h"

namespace barline::ir {

double value_as_f64(const Tensor& t, std::int64_t i) {
  switch (t.elem) {
    case Elem::F64: return t.as<double>()[i];
    case Elem::F32: return t.as<float>()[i];
    case Elem::F16: return num::to_f32(f16_t{t.as<std::uint16_t>()[i]});
    case Elem::BF16: return num::to_f32(bf16_t{t.as<std::uint16_t>()[i]});
    case Elem::S64: return static_cast<double>(t.as<std::int64_t>()[i]);
    case Elem::U64: return static_cast<double>(t.as<std::uint64_t>()[i]);
    case Elem::S32: return t.as<std::int32_t>()[i];
    case Elem::U32: return t.as<std::uint32_t>()[i];
    case Elem::S16: return t.as<std::int16_t>()[i];
    case Elem::U16: return t.as<std::uint16_t>()[i];
    case Elem::S8: return t.as<std::int8_t>()[i];
    case Elem::E4M3: return num::to_f32(e4m3_t{t.as<std::uint8_t>()[i]});
    case Elem::E5M2: return num::to_f32(e5m2_t{t.as<std::uint8_t>()[i]});
    default: return t.as<std::uint8_t>()[i];
  }
}

}  // namespace barline::ir
