// SPDX-License-Identifier: Apache-2.0
// Hardware approximations. The stand-in here is the double result rounded once to the type: closer
// to the truth than the hardware, so results are compared within the op's bound, never bit for bit.
#include <cmath>

#include "verify/interp/elementwise.h"

namespace barline::verify::sim {
namespace {

template <double (*F)(double)>
struct ApproxLane {
  float operator()(float a) const { return num::to_f32(F(a)); }
  double operator()(double a) const { return num::canonical(F(a)); }
  template <ir::SmallFloat T>
  T operator()(T a) const {
    return num::from_f64<T>(F(num::widen(a)));
  }
};

/// Without numbers below the normal ones.
double ex2(double x) {
  const double y = std::exp2(x);
  return y < 0x1p-126 ? 0 : y;
}
double lg2(double x) { return std::log2(x); }
double rcp(double x) { return 1 / x; }
double rsqrt(double x) { return 1 / std::sqrt(x); }
double sine(double x) { return std::sin(x); }
double cosine(double x) { return std::cos(x); }
double hyperbolic_tangent(double x) { return std::tanh(x); }

}  // namespace

void mean(Tag<Op::Ex2Approx>, Compiler& c, const Operation& op) { unary<ApproxLane<ex2>>(c, op); }
void mean(Tag<Op::Lg2Approx>, Compiler& c, const Operation& op) { unary<ApproxLane<lg2>>(c, op); }
void mean(Tag<Op::RcpApprox>, Compiler& c, const Operation& op) { unary<ApproxLane<rcp>>(c, op); }
void mean(Tag<Op::RsqrtApprox>, Compiler& c, const Operation& op) {
  unary<ApproxLane<rsqrt>>(c, op);
}
void mean(Tag<Op::SinApprox>, Compiler& c, const Operation& op) { unary<ApproxLane<sine>>(c, op); }
void mean(Tag<Op::CosApprox>, Compiler& c, const Operation& op) {
  unary<ApproxLane<cosine>>(c, op);
}
void mean(Tag<Op::TanhApprox>, Compiler& c, const Operation& op) {
  unary<ApproxLane<hyperbolic_tangent>>(c, op);
}

}  // namespace barline::verify::sim
