// SPDX-License-Identifier: Apache-2.0
// Products of matrices are written in the DSL, as authors do, under schedules drawn at random: all
// that a schedule decides must leave the bits alone.
#include <algorithm>
#include <optional>

#include "dsl/dsl.h"
#include "ir/extents.h"
#include "tests/support/random_kernel.h"
#include "tests/support/random_source.h"

namespace barline::test {
namespace {

using namespace dsl;

enum class Weights { Plain, Transposed, Codes4, Codes8 };

class MatrixGenerator {
 public:
  explicit MatrixGenerator(std::uint64_t seed) : rng_(seed) {}

  RandomKernel run() {
    weights_ = rng_.pick({Weights::Plain, Weights::Plain, Weights::Transposed, Weights::Codes4,
                          Weights::Codes4, Weights::Codes8});
    elem_ = quantised() ? f16 : rng_.pick({f16, f16, bf16, s8});
    segmented_ = rng_.one_in(2);
    draw_tile();
    if (weights_ == Weights::Codes4) group_ = group();
    draw_streams();
    return built(product());
  }

 private:
  bool quantised() const { return weights_ == Weights::Codes4 || weights_ == Weights::Codes8; }

  void draw_tile() {
    int warps_m = rng_.between(1, 2), warps_n = rng_.between(1, 2);
    ir::MatrixTile& t = schedule_.tile;
    t.warps_m = static_cast<std::uint8_t>(warps_m);
    t.warps_n = static_cast<std::uint8_t>(warps_n);
    t.m = static_cast<std::uint16_t>(16 * warps_m * rng_.between(1, 2));
    t.n = static_cast<std::uint16_t>(8 * warps_n * rng_.pick({1, 2, 3, 4}));
    t.k = static_cast<std::uint16_t>(rng_.pick({16, 32, 32, 64}));
    if (elem_ == s8) t.k = std::max<std::uint16_t>(t.k, 32);
    packed_ = quantised() && rng_.one_in(2);
    if (packed_) {
      t.k = 64;
      t.n = static_cast<std::uint16_t>(16 * warps_n * rng_.between(1, 2));
    }
    if (segmented_ && rng_.one_in(2)) schedule_.segments = ir::Segments::Inner;
  }

  std::int64_t group() {
    std::int64_t g = rng_.pick({16, 32, 64, 128, 0});
    return g && g % schedule_.tile.k && schedule_.tile.k % g ? 0 : g;
  }

  ir::Stream stream(std::string_view of) {
    ir::Stream s{.of = of};
    s.packed = packed_ && of == "w";
    s.store = rng_.one_in(4) ? ir::Store::Reg : ir::Store::Smem;
    s.hoist = rng_.one_in(3);
    if (s.store == ir::Store::Reg) return s;
    s.slots = static_cast<std::uint8_t>(rng_.between(1, 4));
    s.ahead = static_cast<std::uint8_t>(rng_.between(0, s.slots));
    s.by = asynchronous_ && !rng_.one_in(4) ? ir::Agent::CpAsync : ir::Agent::Lane;
    s.guard = s.by == ir::Agent::CpAsync && rng_.one_in(2);
    s.multiple = rng_.one_in(3) ? 8 : 1;
    return s;
  }

  void draw_streams() {
    asynchronous_ = rng_.one_in(2);
    schedule_.name = "random";
    schedule_.streams = {stream("x"), stream("w")};
    if (group_ && rng_.one_in(2)) schedule_.streams = {stream("x"), stream("w"), stream("w_scale")};
  }

  Factor weight(const Axis& N, const Index& k, bool gate) {
    const std::optional<Tensor>& plain = gate ? gate_ : plain_;
    switch (weights_) {
      case Weights::Plain: return (*plain)(k, N);
      case Weights::Transposed: return (*plain)(N, k);
      case Weights::Codes4: return (*codes4_)(N, k);
      default: return (*codes8_)(k, N);
    }
  }

  KernelSource product() {
    Axis M{"M"}, K{"K"}, N{"N"}, B{"B"};
    if (segmented_) N = Axis{"N", {"q", "k", "v"}};
    batched_ = rng_.one_in(5);
    bool turned = !quantised() && rng_.one_in(6);  // x is k by m
    std::vector<Axis> x_axes = turned ? std::vector{K, M} : std::vector{M, K};
    if (batched_) x_axes.insert(x_axes.begin(), B);
    In x{"x", elem_, x_axes};
    ParamList list{x};
    std::vector<ParamRef>& params = list.items;
    if (weights_ == Weights::Plain) plain_ = In{"w", elem_, {K, N}};
    if (weights_ == Weights::Transposed) plain_ = In{"w", elem_, {N, K}};
    if (weights_ == Weights::Codes4) codes4_ = Int4{"w", {N, K}, group_};
    if (weights_ == Weights::Codes8) codes8_ = Int8{"w", {K, N}};
    if (plain_) params.emplace_back(*plain_);
    if (plain_ && rng_.one_in(5)) gate_ = In{"u", elem_, plain_->axes};
    if (gate_) params.emplace_back(*gate_);
    if (codes4_) params.emplace_back(*codes4_);
    if (codes8_) params.emplace_back(*codes8_);

    Arg a{"a", f32, N};
    In columns{"c", f32, {N}}, bias{"b", f16, {N}}, rows{"r", f32, {M}}, residual{"z", f16, {M, N}};
    bool by_arg = rng_.one_in(3), by_column = rng_.one_in(3), by_bias = rng_.one_in(3);
    bool by_row = rng_.one_in(4), by_residual = rng_.one_in(3), by_silu = rng_.one_in(4);
    if (by_arg) params.emplace_back(a);
    if (by_column) params.emplace_back(columns);
    if (by_bias) params.emplace_back(bias);
    if (by_row) params.emplace_back(rows);
    if (by_residual) params.emplace_back(residual);
    Out y{"y", elem_ == s8 ? f32 : rng_.pick({f32, f16}), {M, N}};
    if (batched_) y.axes.insert(y.axes.begin(), B);
    params.emplace_back(y);
    return kernel("random_product", std::move(list), [=, this](Tiles& b) {
      Value batch;
      if (batched_) batch = b.index(B);
      auto sum = [&](bool gate) {
        return b.sum(K, [&](Index k) {
          Factor left =
              batched_ ? (turned ? x(batch, k, M) : x(batch, M, k)) : (turned ? x(k, M) : x(M, k));
          return dot(left, weight(N, k, gate));
        });
      };
      Tile v = sum(false);
      v = v.to(f32);
      if (gate_) v = v * sum(true).to(f32).map([](const Value& t) { return silu(t); });
      if (by_arg) v = v * a;
      if (by_column) v = v * b.tile(columns(N));
      if (by_bias) v = v + b.tile(bias(N)).to(f32);
      if (by_row) v = v * b.tile(rows(M));
      if (by_residual) v = v + b.tile(residual(M, N)).to(f32);
      if (by_silu) v = v.map([](const Value& t) { return silu(t); });
      b.store(batched_ ? y(batch, M, N) : y(M, N), v);
    });
  }

  /// What every row length is a multiple of, so that no promise of a stream is broken.
  int multiples() const {
    int most = 1;
    for (const ir::Stream& s : schedule_.streams) most = std::max<int>(most, s.multiple);
    return most;
  }

  /// Sizes of what a launch decides: ragged, up to two tiles and a bit.
  std::int64_t size(const ir::Axis& a) {
    const ir::MatrixTile& t = schedule_.tile;
    std::int64_t most = a.name == "M" ? 2 * t.m : a.name == "K" ? 4 * t.k : 2 * t.n;
    if (a.name == "B") most = 2;
    std::int64_t n = rng_.between(1, static_cast<int>(most) + 5);
    if (rng_.one_in(3)) n = (n + 15) / 16 * 16;
    return (n + a.multiple - 1) / a.multiple * a.multiple;
  }

  RandomKernel built(const KernelSource& source) {
    Config c{.schedule = schedule_, .dims = {}, .label = "random_product"};
    if (rng_.one_in(4)) c.dims["K"] = 16 * rng_.between(1, 9);
    if (rng_.one_in(4) && !segmented_)
      c.dims["N"] = multiples() * rng_.between(1, 40 / multiples());
    RandomKernel r{instantiate(source, c), {}, 3000};
    for (const ir::Axis& a : r.kernel.axes)
      if (ir::is_dynamic(a)) r.axis_sizes.push_back(size(a));
    return r;
  }

  Random rng_;
  ir::Schedule schedule_;
  Weights weights_ = Weights::Plain;
  Elem elem_ = f16;
  bool segmented_ = false, packed_ = false, batched_ = false, asynchronous_ = false;
  std::int64_t group_ = 0;
  std::optional<Tensor> plain_, gate_;  ///< gate: of a second sum over the same x
  std::optional<Int4> codes4_;
  std::optional<Int8> codes8_;
};

}  // namespace

RandomKernel random_matrix_kernel(std::uint64_t seed) { return MatrixGenerator(seed).run(); }

}  // namespace barline::test
