// SPDX-License-Identifier: Apache-2.0
// Instantiates dsl/portable on the DSL's values. The ops of a function carry the place of its call:
// an author's error or a profile's line is theirs, not that of a polynomial.
#include "dsl/math.h"

#include <fmt/format.h>

#include "dsl/portable/device.h"
#include "dsl/portable/math.h"

namespace barline::dsl {
namespace {

template <class Function>
Value inlined(const char* name, const Operand& x, Function function) {
  const Value* v = x.value();
  if (!v)
    ir::fail(ir::Diag::HostValue, x.loc(), fmt::format("{} of a number or a parameter", name),
             "make it a value of the kernel first: b.constant(f32, 1)");
  if (v->elem() != f32)
    ir::fail(ir::Diag::WrongClass, x.loc(), fmt::format("{} of {}", name, ir::name(v->elem())),
             "convert it: .to(f32)");
  v->body().own(*v, x.loc());
  std::vector<ir::Operation>& ops = v->body().builder().region().ops;
  std::size_t first = ops.size();
  Value result = function(*v);
  for (std::size_t i = first; i < ops.size(); ++i) ops[i].loc = x.loc();
  return result;
}

}  // namespace

Value exp(Operand x) {
  return inlined("exp", x, [](const Value& v) { return portable::exp(v); });
}
Value exp_nonpositive(Operand x) {
  return inlined("exp_nonpositive", x, [](const Value& v) { return portable::exp_nonpositive(v); });
}
Value exp2(Operand x) {
  return inlined("exp2", x, [](const Value& v) { return portable::exp2(v); });
}
Value log(Operand x) {
  return inlined("log", x, [](const Value& v) { return portable::log(v); });
}
Value log2(Operand x) {
  return inlined("log2", x, [](const Value& v) { return portable::log2(v); });
}
Value sin(Operand x) {
  return inlined("sin", x, [](const Value& v) { return portable::sin(v); });
}
Value cos(Operand x) {
  return inlined("cos", x, [](const Value& v) { return portable::cos(v); });
}
Value rsqrt(Operand x) {
  return inlined("rsqrt", x, [](const Value& v) { return portable::rsqrt(v); });
}
Value tanh(Operand x) {
  return inlined("tanh", x, [](const Value& v) { return portable::tanh(v); });
}
Value sigmoid(Operand x) {
  return inlined("sigmoid", x, [](const Value& v) { return portable::sigmoid(v); });
}
Value silu(Operand x) {
  return inlined("silu", x, [](const Value& v) { return portable::silu(v); });
}
Value erf(Operand x) {
  return inlined("erf", x, [](const Value& v) { return portable::erf(v); });
}
Value gelu_erf(Operand x) {
  return inlined("gelu_erf", x, [](const Value& v) { return portable::gelu_erf(v); });
}
Value gelu_tanh(Operand x) {
  return inlined("gelu_tanh", x, [](const Value& v) { return portable::gelu_tanh(v); });
}

}  // namespace barline::dsl
