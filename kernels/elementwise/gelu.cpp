// SPDX-License-Identifier: Apache-2.0
// GELU, exact (erf) and by tanh: both finite for every finite input.
#include "dsl/dsl.h"
#include "dsl/portable/host_math.h"
#include "kernels/kernels.h"
#include "kernels/reference/elements.h"
#include "kernels/schedules.h"

namespace barline::kernels {
namespace {

using namespace dsl;

/// y = function(x).
KernelSource map(std::string name, Elem type, Value (*function)(Operand)) {
  Axis n{"n"};
  In x{"x", type, {n}};
  Out y{"y", type, {n}};
  return kernel(std::move(name), {x, y},
                [=](Tiles& b) { b.store(y(part), function(b.stripe(x(part)))); });
}

void map_reference(ReferenceArgs a, float (*function)(float)) {
  std::vector<float> v = reference::load_f32(a.tensors.at("x"));
  for (float& x : v) x = function(x);
  reference::store_f32(a.tensors.at("y"), 0, v);
}

KernelEntry entry(std::string name, std::string doc, Value (*device)(Operand),
                  float (*host)(float)) {
  return {.name = name,
          .doc = std::move(doc),
          .types = {f32, f16, bf16},
          .schedules = {flat256},
          .make = [=](Elem type) { return map(name, type, device); },
          .reference = [=](ReferenceArgs a) { map_reference(a, host); },
          .bytes = [](Elem e, const auto& n) { return ir::bytes(e) * 2.0 * n.at("n"); }};
}

}  // namespace

void add_gelu(Registry& registry) {
  registry.add(
      entry("gelu_erf", "y = x / 2 * (1 + erf(x / sqrt 2))", gelu_erf, portable::gelu_erf));
  registry.add(entry("gelu_tanh", "y = x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))",
                     gelu_tanh, portable::gelu_tanh));
}

}  // namespace barline::kernels
