// SPDX-License-Identifier: Apache-2.0
// y[r, :] = q[r, :] * scale[r] for signed bytes. A byte becomes a float by its bits: q xor 0x80 is
// q + 128, which in the low bits of 2^23 makes 2^23 + 128 + q; one exact subtraction leaves q.
#include "dsl/dsl.h"
#include "kernels/kernels.h"
#include "kernels/reference/elements.h"

namespace barline::kernels {
namespace {

using namespace dsl;

/// 16 bytes a load where the axis allows it.
constexpr ir::Schedule part256{.name = "part256", .threads = 256, .vec = 16, .chunks = 4};
constexpr ir::Schedule part256_d8192{
    .name = "part256_d8192", .threads = 256, .vec = 16, .chunks = 2};

KernelSource dequant_s8(Elem type) {
  Axis rows{"rows"}, d{"d"};
  In q{"q", s8, {rows, d}}, scale{"scale", f32, {rows}};
  Out y{"y", type, {rows, d}};
  return kernel("dequant_s8", {q, scale, y}, [=](Tiles& b) {
    auto row = b.index(rows);
    auto biased = (b.load(q(row, part)).as(u8) ^ 0x80).to(u32) | 0x4b000000;
    auto value = biased.as(f32) - 0x1.0001p23;
    b.store(y(row, part), value * b.at(scale(row)));
  });
}

void dequant_s8_reference(ReferenceArgs a) {
  std::int64_t rows = a.sizes.at("rows"), d = a.sizes.at("d");
  std::vector<float> scale = reference::load_f32(a.tensors.at("scale"));
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<float> v = reference::load_f32(a.tensors.at("q"), r * d, d);
    for (float& x : v) x *= scale[r];
    reference::store_f32(a.tensors.at("y"), r * d, v);
  }
}

}  // namespace

void add_dequant_s8(Registry& registry) {
  registry.add({.name = "dequant_s8",
                .doc = "y[r, :] = q[r, :] * scale[r], by bit operations",
                .types = {f32, f16, bf16},
                .schedules = {part256, part256_d8192},
                .make = dequant_s8,
                .reference = dequant_s8_reference,
                .bytes = [](Elem e, const auto& n) {
                  return n.at("rows") * (4.0 + (1.0 + ir::bytes(e)) * n.at("d"));
                }});
}

}  // namespace barline::kernels
