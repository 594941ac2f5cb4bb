// SPDX-License-Identifier: Apache-2.0
// y = a + b, rounded once.
#include "dsl/dsl.h"
#include "kernels/kernels.h"
#include "kernels/reference/elements.h"
#include "kernels/schedules.h"

namespace barline::kernels {
namespace {

using namespace dsl;

KernelSource vector_add(Elem type) {
  Axis n{"n"};
  In left{"a", type, {n}}, right{"b", type, {n}};
  Out y{"y", type, {n}};
  return kernel("vector_add", {left, right, y},
                [=](Tiles& b) { b.store(y(part), b.stripe(left(part)) + b.stripe(right(part))); });
}

void vector_add_reference(ReferenceArgs args) {
  std::vector<float> a = reference::load_f32(args.tensors.at("a"));
  std::vector<float> b = reference::load_f32(args.tensors.at("b"));
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  reference::store_f32(args.tensors.at("y"), 0, a);
}

}  // namespace

void add_vector_add(Registry& registry) {
  registry.add({.name = "vector_add",
                .doc = "y = a + b",
                .types = {f32, f16, bf16},
                .schedules = {flat256},
                .make = vector_add,
                .reference = vector_add_reference,
                .bytes = [](Elem e, const auto& n) { return ir::bytes(e) * 3.0 * n.at("n"); }});
}

}  // namespace barline::kernels
