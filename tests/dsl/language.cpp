// SPDX-License-Identifier: Apache-2.0
// What a kernel may be written with: variables, control flow, structs and functions of C++, all
// reductions, launch shapes, debugging.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "ir/print.h"
#include "run.h"

using namespace barline;
using namespace barline::dsl;

namespace {

constexpr int n = 64;

/// y[i] = body(x[i], i) over two blocks of 32, of s32.
std::vector<std::int32_t> map(const std::function<Value(Thread&, Value x, Value i)>& body) {
  Axis axis{"n"};
  In x{"x", s32, {axis}};
  Out y{"y", s32, {axis}};
  auto source = kernel("k", {x, y}, {.threads = {32}, .grid = {Blocks(axis, 32)}}, [=](Thread& t) {
    Value i = t.block().x * 32 + t.rank();
    t.store(y(i), body(t, t.load(x(i)), i));
  });
  std::vector<std::int32_t> v(n);
  std::iota(v.begin(), v.end(), -5);
  ir::Tensor in = test::host(s32, {n}, v), out(s32, {n});
  test::run(source, {in, out}, {n});
  return test::values<std::int32_t>(out);
}

void expect(const std::vector<std::int32_t>& got, const std::function<int(int x, int i)>& want) {
  for (int i = 0; i < n; ++i) {
    INFO("element " << i);
    REQUIRE(got[static_cast<std::size_t>(i)] == want(i - 5, i));
  }
}

}  // namespace

TEST_CASE("variables go through loops", "[dsl]") {
  expect(map([](Thread& t, Value x, Value i) {
           Var a = t.var(x), b = t.var(1), untouched = t.var(7);
           t.loop(0, i & 7, [&](Value k) {
             a += k;
             b *= 2;
             t.loop(1, 7, 3, {}, [&](Value j) { a -= j; });
           });
           return a.get() + b + untouched;
         }),
         [](int x, int i) {
           int b = 1;
           for (int k = 0; k < (i & 7); ++k) x += k - 1 - 4, b *= 2;
           return x + b + 7;
         });
}

TEST_CASE("variables go through branches", "[dsl]") {
  expect(map([](Thread& t, Value x, Value i) {
           Var a = t.var(x);
           t.when(
               x > 3,
               [&] {
                 t.when(
                     x > 20, [&] { a = 100; }, [&] { a += i; });
               },
               [&] { a = -a.get(); });
           return a.get();
         }),
         [](int x, int i) { return x > 20  ? 100
                                   : x > 3 ? x + i
                                           : -x; });
}

TEST_CASE("variables go through while loops", "[dsl]") {
  expect(map([](Thread& t, Value x, Value) {
           Var v = t.var(select(x < 1, 1, x)), steps = t.var(0);
           t.loop_while([&] { return v.get() != 1; },
                        [&] {
                          v = select((v.get() & 1) == 0, v.get() >> 1, v.get() * 3 + 1);
                          steps += 1;
                        });
           return steps.get();
         }),
         [](int x, int) {
           int steps = 0;
           for (int v = std::max(x, 1); v != 1; ++steps) v = v % 2 ? 3 * v + 1 : v / 2;
           return steps;
         });
}

TEST_CASE("a variable made in a loop is new in each trip", "[dsl]") {
  expect(map([](Thread& t, Value x, Value) {
           Var total = t.var(0);
           t.loop(0, 3, [&](Value k) {
             Var inner = t.var(10);
             inner += k;
             total += inner;
           });
           return total.get() + x;
         }),
         [](int x, int) { return x + 33; });
}

TEST_CASE("loops of C++ unroll, loops of the device do on demand", "[dsl]") {
  for (int unroll : {0, 1, 2, 3, 4, 9})
    expect(map([=](Thread& t, Value x, Value) {
             Var a = t.var(x);
             t.loop(0, 7, {.unroll = unroll}, [&](Value k) { a = a.get() * 3 + k; });
             for (int k = 0; k < 3; ++k) a = a.get() ^ k;
             return a.get();
           }),
           [](int x, int) {
             unsigned a = static_cast<unsigned>(x);
             for (unsigned k = 0; k < 7; ++k) a = a * 3 + k;
             return static_cast<int>(a ^ 0 ^ 1 ^ 2);
           });
}

TEST_CASE("unrolled loops of a bound known at run time end where they should", "[dsl]") {
  for (Elem e : {s32, u32, s64, u64})
    for (int unroll : {2, 4, 8})
      expect(map([=](Thread& t, Value, Value i) {
               Var count = t.var(0);
               Value hi = (i & 15).to(e), lo = t.constant(e, 2);
               t.loop(lo, hi, 1, {.unroll = unroll}, [&](Value) { count += 1; });
               return count.get();
             }),
             [](int, int i) { return std::max((i & 15) - 2, 0); });
}

namespace {

struct Complex {
  Value re, im;
  Complex operator*(const Complex& o) const {
    return {re * o.re - im * o.im, re * o.im + im * o.re};
  }
};

template <class T>
T power(T base, int exponent) {
  T r = base;
  for (int i = 1; i < exponent; ++i) r = r * base;
  return r;
}

Value clamped(const Value& v, int low, int high) { return min(max(v, low), high); }

}  // namespace

TEST_CASE("a prefetch changes nothing, wherever it points", "[dsl]") {
  Axis axis{"n"};
  In x{"x", s32, {axis}};
  Out y{"y", s32, {axis}};
  auto source = kernel("k", {x, y}, {.threads = {32}, .grid = {Blocks(axis, 32)}}, [=](Thread& t) {
    Value i = t.block().x * 32 + t.rank();
    t.prefetch(x(i + 1000));
    t.prefetch_if(i < 3, x(i - 7));
    t.store(y(i), t.load(x(i)) + 1);
  });
  int hints = 0;
  for (const ir::Operation& op : dsl::instantiate(source, {}).body.ops)
    hints += op.is(ir::Op::Prefetch);
  CHECK(hints == 2);
  std::vector<std::int32_t> v(n);
  std::iota(v.begin(), v.end(), 0);
  ir::Tensor in = test::host(s32, {n}, v), out(s32, {n});
  test::run(source, {in, out}, {n});
  for (int i = 0; i < n; ++i) REQUIRE(test::values<std::int32_t>(out)[i] == i + 1);
}

TEST_CASE("structs and functions of C++ are the DSL's", "[dsl]") {
  expect(map([](Thread&, Value x, Value i) {
           Complex z = power(Complex{x, i}, 3);
           return clamped(z.re, -1000, 1000) + select(z.im > 0, 1, 0);
         }),
         [](int x, int i) {
           int re = x * x * x - 3 * x * i * i, im = 3 * x * x * i - i * i * i;
           return std::clamp(re, -1000, 1000) + (im > 0);
         });
}

TEST_CASE("conditions combine, numbers take the other side's type", "[dsl]") {
  expect(map([](Thread&, Value x, Value i) {
           Value c = (x > 0 && i < 40) || !(x != -3);
           return select(c, x, 2 * i) + select(c, 1, 2);
         }),
         [](int x, int i) {
           bool c = (x > 0 && i < 40) || x == -3;
           return (c ? x : 2 * i) + (c ? 1 : 2);
         });
}

TEST_CASE("literals choose their type: whole numbers s32, others f32", "[dsl]") {
  Axis axis{"n"};
  Out y{"y", f32, {axis}};
  instantiate(kernel("k", {y}, {.threads = {32}, .grid = {}},
                     [=](Thread& t) {
                       CHECK(t.var(0).get().elem() == s32);
                       CHECK(t.var(0.0).get().elem() == f32);
                       CHECK(t.var(1.5f).get().elem() == f32);
                       CHECK(select(t.rank() < 3, 1, 2).elem() == s32);
                       CHECK(select(t.rank() < 3, 1, 2.f).elem() == f32);
                       CHECK((t.rank().to(f16) + 1.5).elem() == f16);
                       t.store(y(0), 0);
                     }),
              {});
}

namespace {

/// Reduces x[i] over a block of 128 (or each warp of it) and gives every thread's result.
template <class T>
std::vector<T> reduced(Elem e, const std::vector<T>& x,
                       const std::function<Value(Value, Value rank)>& reduce) {
  Axis axis{"n"};
  In in{"x", e, {axis}};
  Out out{"y", e, {axis}};
  auto source = kernel("k", {in, out}, {.threads = {128}, .grid = {}}, [=](Thread& t) {
    t.store(out(t.rank()), reduce(t.load(in(t.rank())), t.rank()));
  });
  ir::Tensor a = test::host(e, {128}, x), b(e, {128});
  test::run(source, {a, b}, {128});
  return test::values<T>(b);
}

}  // namespace

TEST_CASE("reductions of integers over warps and the block", "[dsl]") {
  std::vector<std::int32_t> x(128);
  for (int i = 0; i < 128; ++i) x[static_cast<std::size_t>(i)] = (i * 37) % 101 - 50;
  auto all = [&](auto f) { return std::accumulate(x.begin() + 1, x.end(), x[0], f); };
  auto warp = [&](int w, auto f) {
    return std::accumulate(x.begin() + w * 32 + 1, x.begin() + w * 32 + 32,
                           x[static_cast<std::size_t>(w * 32)], f);
  };
  auto plus = [](int a, int b) { return a + b; };
  auto most = [](int a, int b) { return std::max(a, b); };
  auto least = [](int a, int b) { return std::min(a, b); };
  auto is = [&](auto reduce, auto want) {
    auto got = reduced<std::int32_t>(s32, x, reduce);
    for (int i = 0; i < 128; ++i) REQUIRE(got[static_cast<std::size_t>(i)] == want(i));
  };
  is([](Value v, Value) { return block_reduce_sum(v); }, [&](int) { return all(plus); });
  is([](Value v, Value) { return block_reduce_max(v); }, [&](int) { return all(most); });
  is([](Value v, Value) { return block_reduce_min(v); }, [&](int) { return all(least); });
  is([](Value v, Value) { return warp_reduce_sum(v); }, [&](int i) { return warp(i / 32, plus); });
  is([](Value v, Value) { return warp_reduce_max(v); }, [&](int i) { return warp(i / 32, most); });
  is([](Value v, Value) { return warp_reduce_min(v); }, [&](int i) { return warp(i / 32, least); });
  is(
      [](Value v, Value r) {
        return block_argmax({v, r}).index;
      },
      [&](int) { return static_cast<int>(std::max_element(x.begin(), x.end()) - x.begin()); });
  is(
      [](Value v, Value r) {
        return warp_argmax({v, r}).index;
      },
      [&](int i) {
        auto first = x.begin() + i / 32 * 32;
        return static_cast<int>(std::max_element(first, first + 32) - x.begin());
      });
  is(
      [](Value v, Value) {
        Moments m = block_reduce_moments({v, v * v});
        return m.squares - m.sum;
      },
      [&](int) { return std::inner_product(x.begin(), x.end(), x.begin(), 0) - all(plus); });
}

TEST_CASE("reductions of every type that computes", "[dsl]") {
  std::vector<std::uint32_t> u(128);
  std::iota(u.begin(), u.end(), 4000000000u);
  CHECK(reduced<std::uint32_t>(u32, u, [](Value v, Value) { return block_reduce_max(v); })[77] ==
        4000000127u);
  std::vector<double> d(128, 0.1);
  CHECK(reduced<double>(f64, d, [](Value v, Value) { return block_reduce_sum(v); })[5] ==
        Approx(12.8));
  for (Elem e : {f16, bf16}) {
    std::vector<std::uint16_t> h(128, e == f16 ? 0x3c00 : 0x3f80);  // 1.0
    CHECK(reduced<std::uint16_t>(e, h, [](Value v, Value) { return block_reduce_sum(v); })[9] ==
          (e == f16 ? 0x5800 : 0x4300));
  }
  std::vector<float> f(128, 1.0f);
  f[70] = -3;
  CHECK(reduced<float>(f32, f, [](Value v, Value) { return block_reduce_min(v); })[127] == -3);
}

TEST_CASE("a team agrees on its largest even among NaNs", "[dsl]") {
  const float nan = std::nanf("");
  std::vector<float> x(128, nan);
  auto index = [&] {
    return reduced<float>(f32, x, [](Value v, Value r) {
      return warp_argmax({v, r}).index.to(f32);
    });
  };
  auto none = index();
  for (float v : none) REQUIRE(v == none[0]);  // one answer, whatever it is
  x[40] = -1e30f;
  x[45] = -1e30f;
  auto some = index();
  for (int i = 32; i < 64; ++i) REQUIRE(some[static_cast<std::size_t>(i)] == 40);
}

TEST_CASE("launch shapes of one, two and three dimensions", "[dsl]") {
  struct Shape {
    std::vector<std::int32_t> threads;
    std::vector<Blocks> grid;
  };
  const Shape shapes[] = {{{24}, {1}},      {{4, 3}, {2}},    {{2, 3, 4}, {1}},
                          {{2, 2}, {2, 3}}, {{2}, {2, 2, 3}}, {{1}, {24, 1, 1}}};
  for (const Shape& s : shapes) {
    Axis axis{"n"};
    Out y{"y", s32, {axis}};
    auto source = kernel("k", {y}, {.threads = s.threads, .grid = s.grid}, [=](Thread& t) {
      auto [x, b, g] = std::tuple(t.thread(), t.block(), t.grid());
      Value block = b.x + g.x * (b.y + g.y * b.z);
      int block_threads = 1;
      for (std::int32_t e : s.threads) block_threads *= e;
      t.store(y(block * block_threads + t.rank()),
              100 * b.z + 10 * b.y + b.x + 1000 * (x.x + 10 * x.y + 100 * x.z));
    });
    ir::Tensor out(s32, {24});
    test::run(source, {out}, {24});
    std::vector<std::int32_t> want;
    auto at = [](const auto& v, std::size_t i, int otherwise) {
      return i < v.size() ? static_cast<int>(v[i]) : otherwise;
    };
    std::vector<int> grid;
    for (const Blocks& b : s.grid) grid.push_back(static_cast<int>(b.count));
    for (int bz = 0; bz < at(grid, 2, 1); ++bz)
      for (int by = 0; by < at(grid, 1, 1); ++by)
        for (int bx = 0; bx < at(grid, 0, 1); ++bx)
          for (int z = 0; z < at(s.threads, 2, 1); ++z)
            for (int yy = 0; yy < at(s.threads, 1, 1); ++yy)
              for (int x = 0; x < at(s.threads, 0, 1); ++x)
                want.push_back(100 * bz + 10 * by + bx + 1000 * (x + 10 * yy + 100 * z));
    CHECK(test::values<std::int32_t>(out) == want);
  }
}

TEST_CASE("print and check speak in debug builds alone", "[dsl]") {
  Axis axis{"n"};
  Out y{"y", s32, {axis}};
  int line = 0;
  auto source = kernel("k", {y}, {.threads = {32}, .grid = {}}, [&](Thread& t) {
    t.when(t.rank() == 3, [&] { line = __LINE__, t.print("at three", {t.rank(), t.rank() * 2}); });
    t.check(t.rank() < 31, "rank 31 is not welcome");
    t.store(y(t.rank()), 0);
  });
  for (bool debug : {false, true}) {
    ir::Kernel k = instantiate(source, {.debug = debug});
    ir::run_pipeline(k);
    CHECK((ir::print(k).find("at three") != std::string::npos) == debug);
    std::string printed;
    ir::Tensor out(s32, {32});
    verify::SimOptions options;
    options.print = [&](std::string_view text) { printed += text; };
    verify::SimReport r = verify::simulate(k, std::vector<verify::SimArgument>{out},
                                           std::vector<std::int64_t>{32}, options);
    CHECK(r.finding.has_value() == debug);
    CHECK(printed.empty() == !debug);
    if (!debug) continue;
    CHECK_THAT(printed, Catch::Contains("at three") && Catch::Contains("3") &&
                            Catch::Contains("6") &&
                            Catch::Contains("language.cpp:" + std::to_string(line)));
    CHECK_THAT(r.finding->message, Catch::Contains("rank 31 is not welcome"));
  }
}

TEST_CASE("every op stands at a line of the author's source", "[dsl]") {
  Axis r{"r"}, d{"d"};
  In x{"x", f16, {r, d}};
  InOut z{"z", f32, {r}};
  Arg a{"a"};
  auto tiles = kernel("k", {x, z, a}, [=](Tiles& b) {
    Value row = b.index(r), v = b.stripe(x(row, all));
    Moments m = block_reduce_moments(moments(v));
    Indexed best = block_argmax(argmax(v, b.positions(v)));
    b.store(z(row), rsqrt(m.sum * a) + best.value + exp(m.squares));
  });
  auto threads = kernel("k", {x, z, a}, {.threads = {64}, .grid = {}}, [=](Thread& t) {
    Var v = t.var(warp_reduce_sum(t.load(x(0, t.rank())).to(f32)));
    t.loop(0, 3, [&](Value i) { v += t.load_if(i < 2, x(i, 0)).to(f32); });
    t.when(v > 0, [&] { v *= a; });
    t.store(z(0), v);
  });
  for (const KernelSource& source : {tiles, threads}) {
    ir::Kernel k = instantiate(source, {});
    ir::walk(k.body, [&](const ir::Operation& op) {
      INFO(ir::name(op.op) << " at " << ir::to_string(op.loc));
      CHECK(op.loc.file == __FILE__);
    });
  }
}

TEST_CASE("tile schedules give the same results, in registers, in loops and over the grid",
          "[dsl]") {
  Axis d{"d"};
  In x{"x", f32, {d}};
  Out y{"y", f32, {d}}, z{"z", f32, {d}};
  auto split =
      kernel("split", {x, y}, [=](Tiles& b) { b.store(y(part), b.stripe(x(part)) * 2 + 1); });
  auto whole = kernel("whole", {x, y}, [=](Tiles& b) {
    Value v = b.stripe(x(all));
    b.store(y(all), v - block_reduce_max(max(v)));
  });
  for (std::int64_t size : {1, 7, 64, 1000}) {
    std::vector<float> v(static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>((i * 7) % 13);
    float top = *std::max_element(v.begin(), v.end());
    for (std::uint8_t vec : {1, 4})
      for (bool bound : {false, true}) {
        Config config{.schedule = {.name = "s", .threads = 64, .vec = vec, .stripe_cap = 8}};
        if (bound) config.dims["d"] = size;
        std::vector<std::int64_t> sizes;
        if (!bound) sizes.push_back(size);
        ir::Tensor in = test::host(f32, {size}, v), out(f32, {size});
        test::run(split, {in, out}, sizes, config);
        for (std::size_t i = 0; i < v.size(); ++i)
          REQUIRE(test::values<float>(out)[i] == v[i] * 2 + 1);
        test::run(whole, {in, out}, sizes, config);
        for (std::size_t i = 0; i < v.size(); ++i)
          REQUIRE(test::values<float>(out)[i] == v[i] - top);
      }
  }
}
