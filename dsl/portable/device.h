// SPDX-License-Identifier: Apache-2.0
// The operation set of dsl/portable/ops.h for values of the device. What has an operator or a name
// in dsl/value.h already is not repeated.
#pragma once

#include "dsl/body.h"

namespace barline::dsl {

inline Value constant(const Value& like, float v) {
  return Operand(v).in(like.body(), like.elem());
}
inline Value constant(const Value& like, std::int32_t v) {
  return Operand(v).in(like.body(), like.elem());
}
inline Value constant(const Value& like, std::uint32_t v) {
  return Operand(v).in(like.body(), like.elem());
}
inline Value bitcast_s32(const Value& v) { return v.as(s32); }
inline Value bitcast_u32(const Value& v) { return v.as(u32); }
inline Value bitcast_f32(const Value& v) { return v.as(f32); }
inline Value to_f32(const Value& v) { return v.to(f32); }

/// Both sides are pure: computing both and selecting costs no branch.
template <class F, class G>
Value choose(const Value& p, F&& f, G&& g) {
  return select(p, f(), g());
}

}  // namespace barline::dsl
