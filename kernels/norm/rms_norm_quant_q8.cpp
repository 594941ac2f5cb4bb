// SPDX-License-Identifier: Apache-2.0
// The entry of a decode layer in one launch: sum = x + r, y = rms_norm(sum), and y in Q8: groups of
// 32 neighbours with scale = max|y| / 127 (f32) and q = rn(y * (1 / scale)). Where the scale is 0
// or subnormal the codes are 0. A NaN takes code 0 and no part in the scale.
//
// A thread takes 8 neighbours, so a group lies in 4 lanes and its maximum is two shuffles away. A
// row whose length is bound stays in registers; otherwise it is read a second time.
#include <algorithm>

#include "dsl/dsl.h"
#include "dsl/portable/host_math.h"
#include "ir/numerics.h"
#include "kernels/kernels.h"
#include "kernels/reference/elements.h"
#include "kernels/reference/ordered.h"
#include "kernels/schedules.h"

namespace barline::kernels {
namespace {

using namespace dsl;

constexpr int group = 32, share = 8;
constexpr float least_scale = 0x1p-126f;

/// `share` neighbours from place(0) on, by accesses of at most 16 bytes.
template <class PlaceAt>
std::vector<Value> load_share(Thread& t, Elem e, PlaceAt place) {
  int lanes = std::min(share, 16 / ir::bytes(e));
  std::vector<Value> v;
  for (int i = 0; i < share; i += lanes)
    for (const Value& x : t.load_vec(place(i), lanes).elements) v.push_back(x);
  return v;
}

template <class PlaceAt>
void store_share(Thread& t, Elem e, PlaceAt place, const std::vector<Value>& v) {
  int lanes = std::min(share, 16 / ir::bytes(e));
  for (int i = 0; i < share; i += lanes)
    t.store_vec(place(i), Vec{{v.begin() + i, v.begin() + i + lanes}});
}

/// A thread's part of one chunk of the row. Past the row's end it repeats the last elements.
struct Chunk {
  Value at, active;
  std::vector<Value> sum, weight;
};

/// Kernel parameters, and the steps of its body.
struct Fused {
  Elem type;
  Axis rows{"rows"}, d{"d", group}, groups{"groups"};
  In x{"x", type, {rows, d}}, r{"r", type, {rows, d}}, w{"w", type, {d}};
  Out total{"sum", type, {rows, d}}, q{"q", s8, {rows, d}}, scale{"scale", f32, {rows, groups}};
  Arg eps{"eps"};

  Chunk read(Thread& t, const Value& row, Operand first, bool weights) const {
    auto at = t.rank() * share + first;
    Chunk c{at, at < d, {}, {}};
    auto safe = min(at, t.size(d) - share);
    auto a = load_share(t, type, [&](int i) { return x(row, safe + i); });
    auto b = load_share(t, type, [&](int i) { return r(row, safe + i); });
    for (int i = 0; i < share; ++i) c.sum.push_back((a[i].to(f32) + b[i].to(f32)).to(type));
    if (weights) c.weight = load_share(t, type, [&](int i) { return w(safe + i); });
    return c;
  }

  void add_squares(Thread& t, const Value& row, const Chunk& c, std::vector<Var>& chains) const {
    t.when(c.active, [&] {
      store_share(
          t, type, [&](int i) { return total(row, c.at + i); }, c.sum);
    });
    for (int i = 0; i < share; ++i) {
      auto v = c.sum[i].to(f32);
      chains[i] = select(c.active, chains[i] + v * v, chains[i]);
    }
  }

  void quantise(Thread& t, const Value& row, const Chunk& c, const Value& inv) const {
    std::vector<Value> y, codes;
    for (int i = 0; i < share; ++i) y.push_back(c.sum[i].to(f32) * inv * c.weight[i].to(f32));
    auto most = abs(y[0]);
    for (int i = 1; i < share; ++i) most = max(most, abs(y[i]));
    for (int lanes = 1; lanes < group / share; lanes *= 2)
      most = max(most, t.shuffle_xor(most, lanes));
    auto step = most / 127;
    auto inverse = select(step >= least_scale, 1 / step, 0);
    for (const Value& v : y) codes.push_back((v * inverse).to(s8));
    auto in_row = c.at / group;
    t.when(c.active, [&] {
      store_share(
          t, s8, [&](int i) { return q(row, c.at + i); }, codes);
    });
    t.when(c.active & (c.at % group == 0) & (in_row < groups),
           [&] { t.store(scale(row, in_row), step); });
  }

  void body(Thread& t) const {
    auto row = t.block().x;
    int pitch = share * t.schedule().threads;
    auto bound = t.kernel().axes[t.axis_index(d, {})].bound;
    std::int64_t chunks = bound ? (*bound + pitch - 1) / pitch : 0;
    bool in_registers = bound && chunks * share <= t.schedule().stripe_cap;
    std::vector<Chunk> held;
    for (int i = 0; in_registers && i < chunks; ++i) held.push_back(read(t, row, i * pitch, true));
    auto each = [&](bool weights, const std::function<void(const Chunk&)>& use) {
      for (const Chunk& c : held) use(c);
      if (!in_registers)
        t.loop(0, d, pitch, {}, [&](Value first) { use(read(t, row, first, weights)); });
    };

    std::vector<Var> chains;
    for (int i = 0; i < share; ++i) chains.push_back(t.var(f32, 0));
    each(false, [&](const Chunk& c) { add_squares(t, row, c, chains); });
    std::vector<Value> sums(chains.begin(), chains.end());
    auto mine = ir::fold_pairwise(sums.data(), share, [](auto a, auto b) { return a + b; });
    auto inv = rsqrt(block_reduce_sum(mine) / d + eps);
    each(true, [&](const Chunk& c) { quantise(t, row, c, inv); });
  }
};

KernelSource rms_norm_quant_q8(Elem type) {
  Fused f{.type = type};
  return kernel("rms_norm_quant_q8", {f.x, f.r, f.w, f.total, f.q, f.scale, f.eps},
                LaunchShape{.grid = {f.rows}}, [f](Thread& t) { f.body(t); });
}

void quantise_group(const float* y, std::int8_t* codes, float& scale) {
  float most = ir::num::abs(y[0]);
  for (int i = 1; i < group; ++i) most = ir::num::max(most, ir::num::abs(y[i]));
  scale = most / 127;
  float inverse = scale >= least_scale ? 1 / scale : 0;
  for (int i = 0; i < group; ++i)
    codes[i] = ir::num::to_int<std::int8_t>(y[i] * inverse, Rounding::Rn);
}

void rms_norm_quant_q8_reference(ReferenceArgs a) {
  std::int64_t rows = a.sizes.at("rows"), d = a.sizes.at("d"), groups = a.sizes.at("groups");
  ir::StripeShape stripe{.vec = share, .threads = a.config.schedule.threads};
  auto eps = static_cast<float>(a.scalars.at("eps"));
  std::vector<float> w = reference::load_f32(a.tensors.at("w"));
  for (std::int64_t row = 0; row < rows; ++row) {
    std::vector<float> v = reference::load_f32(a.tensors.at("x"), row * d, d);
    std::vector<float> r = reference::load_f32(a.tensors.at("r"), row * d, d);
    for (std::int64_t i = 0; i < d; ++i) v[i] += r[i];
    reference::store_f32(a.tensors.at("sum"), row * d, v);
    v = reference::load_f32(a.tensors.at("sum"), row * d, d);
    float total = reference::sum_row(stripe, d, [&](std::int64_t i) { return v[i] * v[i]; });
    float inv = portable::rsqrt(total / static_cast<float>(d) + eps);
    for (std::int64_t i = 0; i < d; ++i) v[i] = v[i] * inv * w[i];
    for (std::int64_t g = 0; g < d / group; ++g) {
      float scale = 0;
      quantise_group(&v[g * group], a.tensors.at("q").as<std::int8_t>() + row * d + g * group,
                     scale);
      if (g < groups) reference::store_f32(a.tensors.at("scale"), row * groups + g, scale);
    }
  }
}

}  // namespace

void add_rms_norm_quant_q8(Registry& registry) {
  registry.add(
      {.name = "rms_norm_quant_q8",
       .doc = "sum = x + r; rms_norm(sum) in groups of 32 codes with a scale (groups = d / 32)",
       .types = {f32, f16, bf16},
       .schedules = {row256, row640_d5120},
       .make = rms_norm_quant_q8,
       .reference = rms_norm_quant_q8_reference,
       .bytes = [](Elem e, const auto& n) {
         double d = n.at("d"), rows = n.at("rows");
         return ir::bytes(e) * (3 * rows + 1) * d + rows * d * (1 + 4.0 / group);
       }});
}

}  // namespace barline::kernels
