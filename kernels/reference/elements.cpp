// SPDX-License-Identifier: Apache-2.0
#include "kernels/reference/elements.h"

#include <stdexcept>

#include "ir/numerics.h"

namespace barline::kernels::reference {
namespace {

using ir::Elem;
namespace num = ir::num;

/// Calls visit with a pointer to the tensor's elements in their own type.
template <class TensorT, class Visit>
void with_elements(TensorT& t, Visit visit) {
  switch (t.elem) {
    case Elem::F32: return visit(t.template as<float>());
    case Elem::F16: return visit(t.template as<ir::f16_t>());
    case Elem::BF16: return visit(t.template as<ir::bf16_t>());
    case Elem::S8: return visit(t.template as<std::int8_t>());
    default: throw std::invalid_argument("a reference reads f32, f16, bf16 or s8");
  }
}

float widen(float x) { return num::to_f32(x); }
float widen(ir::f16_t x) { return num::to_f32(x); }
float widen(ir::bf16_t x) { return num::to_f32(x); }
float widen(std::int8_t x) { return x; }

void narrow(float x, float& to) { to = num::canonical(x); }
void narrow(float x, ir::f16_t& to) { to = num::to_f16(x); }
void narrow(float x, ir::bf16_t& to) { to = num::to_bf16(x); }
void narrow(float x, std::int8_t& to) { to = num::to_int<std::int8_t>(x, ir::Rounding::Rn); }

}  // namespace

std::vector<float> load_f32(const ir::Tensor& t, std::int64_t first, std::int64_t count) {
  std::vector<float> out(static_cast<std::size_t>(count));
  with_elements(t, [&](const auto* from) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = widen(from[first + i]);
  });
  return out;
}

void store_f32(ir::Tensor& t, std::int64_t first, std::span<const float> values) {
  with_elements(t, [&](auto* to) {
    for (std::size_t i = 0; i < values.size(); ++i) narrow(values[i], to[first + i]);
  });
}

float round_to(Elem e, float value) {
  ir::Tensor one(e, {1});
  store_f32(one, 0, value);
  return load_f32(one)[0];
}

}  // namespace barline::kernels::reference
