// SPDX-License-Identifier: Apache-2.0
// The gate of a gated MLP: y = silu(gate) * up, silu(x) = x / (1 + e^-x).
#include "dsl/dsl.h"
#include "dsl/portable/host_math.h"
#include "kernels/kernels.h"
#include "kernels/reference/elements.h"
#include "kernels/schedules.h"

namespace barline::kernels {
namespace {

using namespace dsl;

KernelSource silu_mul(Elem type) {
  Axis n{"n"};
  In gate{"gate", type, {n}}, up{"up", type, {n}};
  Out y{"y", type, {n}};
  return kernel("silu_mul", {gate, up, y}, [=](Tiles& b) {
    auto g = b.stripe(gate(part)), u = b.stripe(up(part));
    b.store(y(part), silu(g) * u);
  });
}

void silu_mul_reference(ReferenceArgs a) {
  std::vector<float> gate = reference::load_f32(a.tensors.at("gate"));
  std::vector<float> up = reference::load_f32(a.tensors.at("up"));
  for (std::size_t i = 0; i < up.size(); ++i) up[i] = portable::silu(gate[i]) * up[i];
  reference::store_f32(a.tensors.at("y"), 0, up);
}

}  // namespace

void add_silu_mul(Registry& registry) {
  registry.add({.name = "silu_mul",
                .doc = "y = gate / (1 + e^-gate) * up",
                .types = {f32, f16, bf16},
                .schedules = {flat256},
                .make = silu_mul,
                .reference = silu_mul_reference,
                .bytes = [](Elem e, const auto& n) { return ir::bytes(e) * 3.0 * n.at("n"); }});
}

}  // namespace barline::kernels
