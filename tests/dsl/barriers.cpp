// SPDX-License-Identifier: Apache-2.0
// The barriers that kernels get: exactly as many as they need, counted in the code and in a run.
#include "run.h"

using namespace barline;
using namespace barline::dsl;
using test::Ran;

namespace {

constexpr int threads = 128;

/// Barriers of a kernel y[n] = body over blocks of 128.
Ran barriers(const std::function<void(Thread&, const Tensor&)>& body, int n = 256) {
  Axis axis{"n"};
  InOut y{"y", f32, {axis}};
  auto source = kernel("k", {y}, {.threads = {threads}, .grid = {Blocks(axis, threads)}},
                       [=](Thread& t) { body(t, y); });
  std::vector<float> v(static_cast<std::size_t>(n), 0.5f);
  ir::Tensor data = test::host(f32, {n}, v);
  return test::run(source, {data}, {n});
}

Value mine(Thread& t) { return t.block().x * threads + t.rank(); }

}  // namespace

TEST_CASE("n block reductions in a row take n barriers", "[dsl][barriers]") {
  for (int n : {1, 2, 3, 5}) {
    Ran r = barriers([=](Thread& t, const Tensor& y) {
      Value i = mine(t), v = t.load(y(i));
      for (int k = 0; k < n; ++k) v = block_reduce_sum(v) * 0.25f;
      t.store(y(i), v);
    });
    CHECK(r.barriers == n);
    CHECK(r.barriers_a_block == n);
  }
}

TEST_CASE("a block reduction in a loop takes one barrier a trip, two take two", "[dsl][barriers]") {
  for (int n : {1, 2, 3})
    for (int trips : {1, 4, 5}) {
      Ran r = barriers([=](Thread& t, const Tensor& y) {
        Value i = mine(t);
        Var v = t.var(t.load(y(i)));
        t.loop(0, trips, [&](Value) {
          for (int k = 0; k < n; ++k) v = block_reduce_sum(v) * 0.25f;
        });
        t.store(y(i), v);
      });
      INFO(n << " a trip, " << trips << " trips");
      CHECK(r.barriers == n);
      CHECK(r.barriers_a_block == n * trips);
    }
}

TEST_CASE("reductions before, in and after a loop share their scratch", "[dsl][barriers]") {
  Ran r = barriers([](Thread& t, const Tensor& y) {
    Value i = mine(t);
    Var v = t.var(block_reduce_sum(t.load(y(i))));
    t.loop(0, 3, [&](Value) { v = block_reduce_max(v) + 1; });
    t.store(y(i), block_reduce_sum(v));
  });
  CHECK(r.barriers == 3);
  CHECK(r.barriers_a_block == 5);
}

TEST_CASE("a reduction over components takes one barrier", "[dsl][barriers]") {
  CHECK(barriers([](Thread& t, const Tensor& y) {
          Value i = mine(t), v = t.load(y(i));
          Moments m = block_reduce_moments({v, v * v});
          t.store(y(i), m.sum + m.squares);
        }).barriers == 1);
  CHECK(barriers([](Thread& t, const Tensor& y) {
          Value i = mine(t);
          t.store(y(i), block_argmax({t.load(y(i)), t.rank()}).value);
        }).barriers == 1);
}

TEST_CASE("a transpose takes one barrier", "[dsl][barriers]") {
  Axis n{"n"};
  In x{"x", f32, {n, n}};
  Out y{"y", f32, {n, n}};
  auto source = kernel("transpose", {x, y}, {.threads = {32, 32}, .grid = {}}, [=](Thread& t) {
    Shared tile = t.shared("tile", f32, 32 * 33);
    auto id = t.thread();
    t.store(tile, id.y * 33 + id.x, t.load(x(id.y, id.x)));
    t.store(y(id.y, id.x), t.load(tile, id.x * 33 + id.y));
  });
  std::vector<float> v(1024);
  for (int i = 0; i < 1024; ++i) v[static_cast<std::size_t>(i)] = static_cast<float>(i);
  ir::Tensor in = test::host(f32, {32, 32}, v), out(f32, {32, 32});
  CHECK(test::run(source, {in, out}, {32}).barriers == 1);
  CHECK(test::values<float>(out)[32 * 3 + 7] == 32 * 7 + 3);
}

TEST_CASE("a slot that every trip writes and reads takes two barriers, two copies one",
          "[dsl][barriers]") {
  for (int copies : {1, 2, 3}) {
    Ran r = barriers([=](Thread& t, const Tensor& y) {
      Shared s = t.shared("s", f32, threads, copies);
      Value i = mine(t);
      Var v = t.var(t.load(y(i)));
      t.loop(0, 6, [&](Value trip) {
        Shared now = copies == 1 ? s : t.at_use(s, trip);
        t.store(now, t.rank(), v);
        v = t.load(now, threads - 1 - t.rank()) + 1;
      });
      t.store(y(i), v);
    });
    INFO(copies << " copies");
    CHECK(r.barriers == (copies == 1 ? 2 : 1));
    CHECK(r.barriers_a_block == (copies == 1 ? 12 : 6));
  }
}

TEST_CASE("no barrier stands where none is needed", "[dsl][barriers]") {
  CHECK(barriers([](Thread& t, const Tensor& y) {
          Shared s = t.shared("s", f32, threads);
          t.store(s, t.rank(), t.load(y(mine(t))));
          t.store(y(mine(t)), t.load(s, t.rank()));
        }).barriers == 0);
  CHECK(barriers([](Thread& t, const Tensor& y) {
          Shared s = t.shared("s", f32, threads);
          t.store(s, t.rank(), t.load(y(mine(t))));
          t.warp_sync();
          t.store(y(mine(t)), t.load(s, t.rank() ^ 5));
        }).barriers == 0);
  CHECK(barriers([](Thread& t, const Tensor& y) {
          t.store(y(mine(t)), warp_reduce_sum(t.load(y(mine(t)))));
        }).barriers == 0);
}
