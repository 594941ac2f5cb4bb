// SPDX-License-Identifier: Apache-2.0
// Tile kernels are written in the DSL, as authors do: layouts, launch and masks follow from the
// schedule.
#include <vector>

#include "dsl/dsl.h"
#include "tests/support/random_kernel.h"
#include "tests/support/random_source.h"

namespace barline::test {
namespace {

using namespace dsl;

class TileGenerator {
 public:
  explicit TileGenerator(std::uint64_t seed) : rng_(seed) {}

  RandomKernel run() {
    schedule_ = {.name = "random",
                 .threads = static_cast<std::uint16_t>(rng_.pick({32, 64, 96, 128})),
                 .vec = static_cast<std::uint8_t>(rng_.pick({1, 2, 4, 8})),
                 .stripe_cap = static_cast<std::uint16_t>(rng_.pick({8, 16, 64})),
                 .chunks = static_cast<std::uint8_t>(rng_.between(1, 2)),
                 .unroll = static_cast<std::uint8_t>(rng_.between(1, 2))};
    return rng_.one_in(3) ? map() : rows();
  }

 private:
  Config config(std::int64_t d) {
    Config c{.schedule = schedule_, .dims = {}, .label = "random_tiles"};
    if (rng_.one_in(2)) c.dims["d"] = d;
    return c;
  }
  RandomKernel built(const KernelSource& source, std::vector<std::int64_t> sizes) {
    std::int64_t d = sizes.back();
    RandomKernel r{instantiate(source, config(d)), {}};
    for (std::size_t i = 0; i < r.kernel.axes.size(); ++i)
      if (!r.kernel.axes[i].bound) r.axis_sizes.push_back(sizes[i]);
    return r;
  }
  Elem elem() { return rng_.pick({f32, f16, bf16}); }

  /// One axis, split over the grid.
  RandomKernel map() {
    Axis d{"d"};
    In x{"x", elem(), {d}}, w{"w", elem(), {d}};
    Out y{"y", elem(), {d}};
    Arg a{"a", f32};
    auto source = kernel("random_map", {x, w, y, a}, [&](Tiles& b) {
      std::vector<Value> tiles{b.stripe(x(part)), b.stripe(w(part))};
      Value v = tiles[0] * a;
      expressions(tiles, {v});
      b.store(y(part), tiles.back());
    });
    return built(source, {rng_.between(1, 1500)});
  }

  /// A block a row: reductions and what follows from them.
  RandomKernel rows() {
    Axis r{"r"}, d{"d"};
    In x{"x", elem(), {r, d}}, w{"w", elem(), {d}};
    Out y{"y", elem(), {r, d}}, z{"z", f32, {r}};
    Arg a{"a", f32};
    auto source = kernel("random_rows", {x, w, y, z, a}, [&](Tiles& b) {
      Value row = b.index(r);
      std::vector<Value> tiles{b.stripe(x(row, all)), b.stripe(w(all))};
      std::vector<Value> scalars{tiles.empty() ? Value() : b.constant(f32, 0.5)};
      for (int n = rng_.between(1, 3); n > 0; --n) {
        expressions(tiles, scalars);
        scalars.push_back(reduced(b, rng_.pick(tiles)));
      }
      Value last = scalars.back() + a;
      b.store(z(row), last);
      b.store(y(row, all), rng_.pick(tiles) + last);
    });
    return built(source, {rng_.between(1, 3), rng_.between(1, 700)});
  }

  Value reduced(Tiles& b, const Value& t) {
    switch (rng_.below(4)) {
      case 0: return block_reduce_max(max(t));
      case 1: {
        Moments m = block_reduce_moments(moments(t));
        return m.sum * m.squares;
      }
      case 2: {
        Indexed best = block_argmax(argmax(t, b.positions(t)));
        return best.value + best.index.to(f32);
      }
      default: return block_reduce_sum(sum(t));
    }
  }

  void expressions(std::vector<Value>& tiles, const std::vector<Value>& scalars) {
    for (int n = rng_.between(1, 4); n > 0; --n) {
      Value t = rng_.pick(tiles), u = rng_.one_in(2) ? rng_.pick(tiles) : rng_.pick(scalars);
      switch (rng_.below(6)) {
        case 0: tiles.push_back(t + u); break;
        case 1: tiles.push_back(t * u); break;
        case 2: tiles.push_back(min(t, u)); break;
        case 3: tiles.push_back(fma(t, u, t)); break;
        case 4: tiles.push_back(select(t < u, t, -t)); break;
        default: tiles.push_back(t.to(f16).to(f32)); break;
      }
    }
  }

  Random rng_;
  ir::Schedule schedule_;
};

}  // namespace

RandomKernel random_tile_kernel(std::uint64_t seed) { return TileGenerator(seed).run(); }

RandomKernel random_kernel(std::uint64_t seed) {
  return seed % 10 == 9 ? random_tile_kernel(seed) : random_thread_kernel(seed);
}

}  // namespace barline::test
