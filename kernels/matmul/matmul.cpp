// SPDX-License-Identifier: Apache-2.0
// Matrix products on the tensor cores: y = a b of f16 or bf16, sums in f32.
#include "dsl/dsl.h"
#include "kernels/kernels.h"
#include "kernels/matmul/schedules.h"
#include "kernels/reference/contraction.h"

namespace barline::kernels {
namespace {

using namespace dsl;

KernelSource matmul(Elem type) {
  Axis M{"M"}, K{"K"}, N{"N"};
  In x{"x", type, {M, K}}, w{"w", type, {K, N}};
  Out y{"y", type, {M, N}};
  return kernel("matmul", {x, w, y}, [=](Tiles& b) {
    auto acc = b.sum(K, [&](Index k) { return dot(x(M, k), w(k, N)); });
    b.store(y(M, N), acc);
  });
}

constexpr ir::Schedule ring(std::string_view name, ir::MatrixTile tile, int slots, int ctas) {
  return {.name = name,
          .tile = tile,
          .streams = {ring_of("x", slots), ring_of("w", slots)},
          .budget = {.ctas_per_sm = static_cast<std::uint8_t>(ctas)}};
}

constexpr ir::Schedule ring_128x128 =
    ring("ring128x128", {.m = 128, .n = 128, .k = 64, .warps_m = 2, .warps_n = 2}, 3, 2);
constexpr ir::Schedule ring_128x256 =
    ring("ring128x256", {.m = 128, .n = 256, .k = 64, .warps_m = 2, .warps_n = 4}, 3, 1);

const reference::Contraction plain{};

}  // namespace

void add_matmul(Registry& registry) {
  registry.add(
      {.name = "matmul",
       .doc = "y = x w on the tensor cores, sums in f32",
       .types = {f16, bf16},
       .schedules = {ring_128x128, ring_128x256},
       .make = matmul,
       .reference = [](ReferenceArgs a) { reference::contract(plain, a); },
       .bytes =
           [](Elem, const auto& n) {
             double m = n.at("M"), k = n.at("K"), columns = n.at("N");
             return 2 * (m * k + k * columns + m * columns);
           },
       .flops = [](Elem, const auto& n) { return reference::contraction_flops(plain, n); },
       .input = {},
       .bound = [](const ReferenceArgs& a) { return reference::contract_bounds(plain, a); }});
}

}  // namespace barline::kernels
