// SPDX-License-Identifier: Apache-2.0
// Matrix products on the tensor cores.
//
//   matmul            y = x w, f16 or bf16, sums in f32
//   matmul_epilogue   y = silu(x w + bias) + residual, all but the sum in f32
//   matmul_w8a8       y = (x w^T) * x_scale[m] * w_scale[n], s8 by s8, exact sums in s32; a row of
//   w
//                     is an output's
#include <numeric>

#include "dsl/dsl.h"
#include "dsl/portable/host_math.h"
#include "kernels/kernels.h"
#include "kernels/matmul/schedules.h"
#include "kernels/reference/contraction.h"
#include "kernels/reference/elements.h"
#include "kernels/reference/tiles.h"

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

KernelSource matmul_epilogue(Elem type) {
  Axis M{"M"}, K{"K"}, N{"N"};
  In x{"x", type, {M, K}}, w{"w", type, {K, N}}, bias{"bias", f32, {N}};
  In residual{"residual", type, {M, N}};
  Out y{"y", type, {M, N}};
  return kernel("matmul_epilogue", {x, w, bias, residual, y}, [=](Tiles& b) {
    auto acc = b.sum(K, [&](Index k) { return dot(x(M, k), w(k, N)); });
    auto activated = (acc + b.tile(bias(N))).map([](const Value& v) { return silu(v); });
    b.store(y(M, N), activated + b.tile(residual(M, N)).to(f32));
  });
}

KernelSource matmul_w8a8(Elem type) {
  Axis M{"M"}, K{"K"}, N{"N"};
  In x{"x", s8, {M, K}}, w{"w", s8, {N, K}}, rows{"x_scale", f32, {M}},
      columns{"w_scale", f32, {N}};
  Out y{"y", type, {M, N}};
  return kernel("matmul_w8a8", {x, w, rows, columns, y}, [=](Tiles& b) {
    auto acc = b.sum(K, [&](Index k) { return dot(x(M, k), w(N, k)); });
    b.store(y(M, N), acc.to(f32) * b.tile(rows(M)) * b.tile(columns(N)));
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

constexpr ir::Schedule unit_128x256 =
    two_warpgroups("unit128x256", {.m = 128, .n = 256, .k = 64, .warps_m = 8, .warps_n = 1},
                   {gated("x", 4), gated("w", 4)});

/// The fillers' registers go to the scales of the end.
constexpr ir::Schedule unit_256x128_s8 = [] {
  ir::Schedule s =
      two_warpgroups("unit256x128", {.m = 256, .n = 128, .k = 128, .warps_m = 8, .warps_n = 1},
                     {gated_bytes("x", 4), gated_bytes("w", 4)});
  s.roles = {{.name = "fill", .warps = 4, .regs = 24},
             {.name = "multiply", .warps = 8, .regs = 240}};
  return s;
}();

/// Sums that leave registers for bias and residual.
constexpr ir::Schedule unit_128x128 =
    two_warpgroups("unit128x128", {.m = 128, .n = 128, .k = 64, .warps_m = 8, .warps_n = 1},
                   {gated("x", 6), gated("w", 6)});

/// Any shape: two slots that the block's lanes fill a step ahead.
constexpr ir::Schedule pair_64x64(int ctas) {
  return {.name = "pair64x64",
          .tile = {.m = 64, .n = 64, .k = 32, .warps_m = 2, .warps_n = 2},
          .streams = {{.of = "x", .store = Store::Smem, .slots = 2, .ahead = 1},
                      {.of = "w", .store = Store::Smem, .slots = 2, .ahead = 1}},
          .budget = {.ctas_per_sm = static_cast<std::uint8_t>(ctas)}};
}

const reference::Contraction plain{};

void epilogue_reference(ReferenceArgs a) {
  const ir::Tensor &x = a.tensors.at("x"), &w = a.tensors.at("w");
  std::vector<float> bias = reference::load_f32(a.tensors.at("bias"));
  std::vector<float> residual = reference::load_f32(a.tensors.at("residual"));
  std::vector<std::int64_t> places(residual.size());
  std::iota(places.begin(), places.end(), 0);
  std::vector<float> v =
      reference::mma_sums(reference::operand(x), reference::transposed(w), places);
  for (std::size_t i = 0; i < v.size(); ++i)
    v[i] = portable::silu(v[i] + bias[i % bias.size()]) + residual[i];
  reference::store_f32(a.tensors.at("y"), 0, v);
}

double matmul_bytes(Elem e, const std::map<std::string, std::int64_t>& n) {
  double m = n.at("M"), k = n.at("K"), columns = n.at("N");
  return ir::bytes(e) * (m * k + k * columns + m * columns);
}

}  // namespace

void add_matmul(Registry& registry) {
  auto flops = [](Elem, const auto& n) { return reference::contraction_flops(plain, n); };
  registry.add(
      {.name = "matmul",
       .doc = "y = x w on the tensor cores, sums in f32",
       .types = {f16, bf16},
       .schedules = {pair_64x64(5), ring_128x128, ring_128x256, unit_128x256},
       .make = matmul,
       .reference = [](ReferenceArgs a) { reference::contract(plain, a); },
       .bytes = matmul_bytes,
       .flops = flops,
       .input = {},
       .bound = [](const ReferenceArgs& a) { return reference::contract_bounds(plain, a); }});
  registry.add({.name = "matmul_epilogue",
                .doc = "y = silu(x w + bias) + residual on the tensor cores",
                .types = {f16, bf16},
                .schedules = {pair_64x64(2), unit_128x128},
                .make = matmul_epilogue,
                .reference = epilogue_reference,
                .bytes = matmul_bytes,
                .flops = flops});
  registry.add(
      {.name = "matmul_w8a8",
       .doc = "y = (x w^T) * x_scale[m] * w_scale[n], s8 by s8, exact sums",
       .types = {f32, f16},
       .schedules = {pair_64x64(4), unit_256x128_s8},
       .make = matmul_w8a8,
       .reference = [](ReferenceArgs a) { reference::contract(plain, a); },
       .bytes =
           [](Elem e, const auto& n) {
             double m = n.at("M"), k = n.at("K"), columns = n.at("N");
             return m * k + k * columns + ir::bytes(e) * m * columns;
           },
       .flops = flops,
       .input = [](const InputArgs& a) { return reference::contraction_input(plain, a); },
       .bound = [](const ReferenceArgs& a) { return reference::contract_bounds(plain, a); }});
}

}  // namespace barline::kernels
