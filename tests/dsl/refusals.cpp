// SPDX-License-Identifier: Apache-2.0
// Mistakes of a kernel's author, each refused at the line where it was made.
#include "errors.h"
#include "ir/check.h"
#include "ir/pipeline.h"

using namespace barline;
using namespace barline::dsl;
using test::build;

namespace {

/// Line of the mistake inside a body: set on the line itself.
int at = 0;

/// Builds a kernel whose body sets `at` on the line of its mistake, and expects the error there.
void refused(ir::Diag diag, const std::string& words, std::vector<std::int32_t> threads,
             const std::function<void(Thread&, const Tensor&)>& body) {
  try {
    at = 0;
    build(std::move(threads), body);
  } catch (const ir::Error& e) {
    INFO(e.what());
    CHECK(ir::code(e.diagnostic().diag) == ir::code(diag));
    CHECK(e.diagnostic().message.find(words) != std::string::npos);
    CHECK(e.diagnostic().loc.line == static_cast<std::uint32_t>(at));
    CHECK(e.diagnostic().loc.file == __FILE__);
    CHECK_FALSE(e.diagnostic().fix.empty());
    return;
  }
  FAIL("no error; expected " << ir::code(diag) << ": " << words);
}

}  // namespace

TEST_CASE("a warp operation needs whole warps, by its line", "[dsl]") {
  struct {
    std::vector<std::int32_t> threads;
    const char* words;
  } shapes[] = {{{16}, "16 x 1 x 1 = 16 threads"},
                {{4, 4}, "4 x 4 x 1 = 16 threads"},
                {{8, 6}, "8 x 6 x 1 = 48 threads"}};
  for (const auto& s : shapes) {
    refused(ir::Diag::PartialWarp, s.words, s.threads, [](Thread& t, const Tensor& y) {
      Value v = t.load(y(0));
      at = __LINE__, v = warp_reduce_sum(v);
      t.store(y(0), v);
    });
    refused(ir::Diag::PartialWarp, "shuffle", s.threads, [](Thread& t, const Tensor& y) {
      Value v = t.load(y(0));
      at = __LINE__, v = t.shuffle_xor(v, 1);
      t.store(y(0), v);
    });
    refused(ir::Diag::PartialWarp, "lane_id", s.threads,
            [](Thread& t, const Tensor& y) { at = __LINE__, t.store(y(0), t.lane().to(f32)); });
  }
}

TEST_CASE("a convergent operation under divergent control flow is refused", "[dsl]") {
  refused(ir::Diag::DivergentConvergent, "its warp", {64}, [](Thread& t, const Tensor& y) {
    Value i = t.rank();
    t.when(i < 7, [&] {
      Value v = t.load(y(i));
      at = __LINE__, v = warp_reduce_max(v);
      t.store(y(i), v);
    });
  });
  refused(ir::Diag::DivergentConvergent, "its block", {64}, [](Thread& t, const Tensor& y) {
    t.when(t.warp() == 0, [&] {
      Value v = t.load(y(t.rank()));
      at = __LINE__, v = block_reduce_sum(v);
      t.store(y(t.rank()), v);
    });
  });
  refused(ir::Diag::DivergentConvergent, "vote", {64}, [](Thread& t, const Tensor& y) {
    t.loop(0, t.rank(), [&](Value i) {
      Value some = i == 3;
      at = __LINE__, some = t.any_of(some);
      t.store(y(i), select(some, 1.f, 0.f));
    });
  });
}

TEST_CASE("what a team agrees on may stand around a convergent operation", "[dsl]") {
  auto fine = [](std::vector<std::int32_t> threads, auto body) {
    ir::Kernel k = build(std::move(threads), body);
    CHECK_NOTHROW(ir::run_pipeline(k));
  };
  fine({64}, [](Thread& t, const Tensor& y) {
    t.when(t.warp() == 0, [&] { t.store(y(t.lane()), warp_reduce_sum(t.load(y(t.lane())))); });
  });
  fine({64}, [](Thread& t, const Tensor& y) {
    t.when(t.block().x == 0, [&] { t.store(y(0), block_reduce_sum(t.load(y(t.rank())))); });
  });
  // The condition follows from a reduction: still uniform when the reduction is expanded.
  fine({64}, [](Thread& t, const Tensor& y) {
    Value total = block_reduce_sum(t.load(y(t.rank())));
    t.when(total > 0, [&] { t.store(y(0), block_reduce_max(t.load(y(t.rank())))); });
  });
  fine({32}, [](Thread& t, const Tensor& y) {
    Value total = block_reduce_sum(t.load(y(t.rank())));
    t.when(total > 0, [&] { t.store(y(0), block_reduce_max(t.load(y(t.rank())))); });
  });
  fine({64}, [](Thread& t, const Tensor& y) {
    Value total = warp_reduce_sum(t.load(y(t.rank())));
    t.when(total > 0, [&] { t.store(y(0), warp_reduce_max(t.load(y(t.rank())))); });
  });
  // Rows of 32: a warp has one y.
  fine({32, 4}, [](Thread& t, const Tensor& y) {
    t.when(t.thread().y < 2, [&] { t.store(y(0), warp_reduce_sum(t.load(y(t.rank())))); });
  });
}

TEST_CASE("operands of two types are refused, never converted", "[dsl]") {
  refused(ir::Diag::TypeMismatch, "add of f32 and s32", {64}, [](Thread& t, const Tensor& y) {
    Value v = t.load(y(0)), i = t.rank();
    at = __LINE__, v = v + i;
    t.store(y(0), v);
  });
  refused(ir::Diag::TypeMismatch, "fma of f32 and f16", {64}, [](Thread& t, const Tensor& y) {
    Value v = t.load(y(0)), h = v.to(f16);
    at = __LINE__, v = fma(v, h, h);
    t.store(y(0), v);
  });
  refused(ir::Diag::TypeMismatch, "store of", {64},
          [](Thread& t, const Tensor& y) { at = __LINE__, t.store(y(0), t.rank()); });
  refused(ir::Diag::TypeMismatch, "f32 bits read as s64", {64}, [](Thread& t, const Tensor& y) {
    Value v = t.load(y(0));
    at = __LINE__, t.store(y(0), v.as(s64).to(f32));
  });
  refused(ir::Diag::TypeMismatch, "assigned to a variable of s32", {64},
          [](Thread& t, const Tensor& y) {
            Var count = t.var(0);
            at = __LINE__, count = t.load(y(0));
          });
}

TEST_CASE("a number must be one of its type", "[dsl]") {
  refused(ir::Diag::TypeMismatch, "the number 1.5 as s32", {64}, [](Thread& t, const Tensor& y) {
    Value i = t.rank();
    at = __LINE__, i = i + 1.5;
    t.store(y(i), 0);
  });
  refused(ir::Diag::TypeMismatch, "the number 300 as u8", {64}, [](Thread& t, const Tensor& y) {
    Value b = t.rank().to(u8);
    at = __LINE__, b = b + 300;
    t.store(y(0), b.to(f32));
  });
  refused(ir::Diag::TypeMismatch, "as s64", {64}, [](Thread& t, const Tensor& y) {
    Value i = t.rank().to(s64);
    at = __LINE__, i = i + 1e30;
    t.store(y(i), 0);
  });
  // Bits of the type, with a sign or without, and -1 of an unsigned type are numbers of it.
  build({64}, [](Thread& t, const Tensor& y) {
    Value i = t.rank();
    Value u = (i & 0xffffffffu).as(u32) ^ -1;
    t.store(y(0), u.to(f32));
  });
}

TEST_CASE("an operation takes the types of its row", "[dsl]") {
  refused(ir::Diag::WrongClass, "operand 'a' of and is a f32", {64},
          [](Thread& t, const Tensor& y) {
            Value v = t.load(y(0));
            at = __LINE__, v = v & v;
            t.store(y(0), v);
          });
  refused(ir::Diag::WrongClass, "sqrt", {64},
          [](Thread& t, const Tensor& y) { at = __LINE__, t.store(y(0), sqrt(t.rank()).to(f32)); });
  refused(ir::Diag::WrongClass, "a condition of type s32", {64}, [](Thread& t, const Tensor& y) {
    Value i = t.rank(), c = i == 0;
    at = __LINE__, c = c && i;
    t.store(y(0), select(c, 1.f, 0.f));
  });
  refused(ir::Diag::WrongClass, "a condition of type s32", {64}, [](Thread& t, const Tensor& y) {
    Value i = t.rank(), c = i == 0;
    at = __LINE__, c = !i;
    t.store(y(0), select(c, 1.f, 0.f));
  });
  refused(ir::Diag::WrongClass, "a coordinate of type f32", {64}, [](Thread& t, const Tensor& y) {
    Value v = t.load(y(0));
    at = __LINE__, t.store(y(v), 0);
  });
  refused(ir::Diag::WrongClass, "popc of u8", {64}, [](Thread& t, const Tensor& y) {
    Value b = t.rank().to(u8);
    at = __LINE__, t.store(y(0), popc(b).to(f32));
  });
}

TEST_CASE("slots are used as they were declared", "[dsl]") {
  refused(ir::Diag::SlotMisuse, "a f32 stored in slot 's' of s32", {64},
          [](Thread& t, const Tensor& y) {
            Shared s = t.shared("s", s32, 64);
            Value v = t.load(y(0));
            at = __LINE__, t.store(s, t.rank(), v);
          });
  refused(ir::Diag::SlotMisuse, "element 64 of slot 's' of 64", {64},
          [](Thread& t, const Tensor& y) {
            Shared s = t.shared("s", f32, 64);
            t.store(s, t.rank(), t.load(y(0)));
            at = __LINE__, t.store(y(0), t.load(s, 64));
          });
  refused(ir::Diag::SlotMisuse, "two slots 's'", {64}, [](Thread& t, const Tensor& y) {
    Shared s = t.shared("s", f32, 64);
    t.store(s, t.rank(), t.load(y(0)));
    at = __LINE__, t.shared("s", f32, 32);
  });
  refused(ir::Diag::SlotMisuse, "0 elements", {64},
          [](Thread& t, const Tensor&) { at = __LINE__, t.shared("s", f32, 0); });
  refused(ir::Diag::BadName, "slot 'my slot'", {64}, [](Thread& t, const Tensor& y) {
    Shared s = (at = __LINE__, t.shared("my slot", f32, 64));
    t.store(s, t.rank(), t.load(y(0)));
  });
  Shared kept;
  build({64}, [&](Thread& t, const Tensor& y) {
    kept = t.shared("s", f32, 64);
    t.store(kept, t.rank(), t.load(y(0)));
    refused(ir::Diag::SlotMisuse, "slot 's' of another kernel", {64},
            [&](Thread& other, const Tensor& z) {
              at = __LINE__, other.store(z(0), other.load(kept, 0));
            });
  });
}

TEST_CASE("values stay in the kernel and the region that made them", "[dsl]") {
  build({64}, [&](Thread& t, const Tensor& y) {
    Value foreign = t.load(y(0));
    t.store(y(0), foreign);
    refused(ir::Diag::ForeignValue, "a value of another kernel", {64},
            [&](Thread& other, const Tensor& z) {
              Value own = other.load(z(0));
              at = __LINE__, own = own + foreign;
              other.store(z(0), own);
            });
  });
  refused(ir::Diag::ForeignValue, "a value of a loop or branch that is done", {64},
          [](Thread& t, const Tensor& y) {
            Value last;
            t.loop(0, 4, [&](Value i) { last = t.load(y(i)); });
            at = __LINE__, t.store(y(0), last);
          });
  refused(ir::Diag::ForeignValue, "a value of a loop or branch that is done", {64},
          [](Thread& t, const Tensor& y) {
            Value inner;
            t.when(t.rank() == 0, [&] { inner = t.load(y(0)); });
            at = __LINE__, inner = inner + 1;
          });
  refused(ir::Diag::ForeignValue, "a variable of a loop or branch", {64},
          [](Thread& t, const Tensor& y) {
            std::optional<Var> inner;
            t.loop(0, 4, [&](Value) { inner.emplace(t.var(0.f)); });
            Var other = t.var(1.f);  // must not be taken for the one that is gone
            at = __LINE__, t.store(y(0), *inner + other);
          });
  refused(ir::Diag::HostValue, "a Value that no kernel made", {64}, [](Thread& t, const Tensor& y) {
    Value none, v = t.load(y(0));
    at = __LINE__, v = v + none;
    t.store(y(0), v);
  });
}

TEST_CASE("a device value is no condition of the host", "[dsl]") {
  STATIC_REQUIRE_FALSE(std::is_constructible_v<bool, Value>);
  refused(ir::Diag::HostValue, "exp of a number", {64}, [](Thread& t, const Tensor& y) {
    Arg a{"a"};
    at = __LINE__, t.store(y(0), exp(a));
  });
  refused(ir::Diag::HostValue, "numbers, parameters and axes alone", {64},
          [](Thread& t, const Tensor& y) {
            Arg a{"a"};
            at = __LINE__, t.store(y(0), a + 1);
          });
}

TEST_CASE("accesses name their tensor's axes", "[dsl]") {
  Axis r{"r"}, d{"d"};
  InOut y{"y", f32, {r, d}};
  auto in_kernel = [&](auto body) {
    return instantiate(kernel("k", {y}, {.threads = {64}, .grid = {Blocks(r)}}, body), {});
  };
  EXPECT_ERROR(WrongRank, "1 coordinates in 'y', which has 2 axes",
               in_kernel([=](Thread& t) { t.store(y(0), 1); }));
  EXPECT_ERROR(WrongRank, "3 coordinates in 'y'",
               in_kernel([=](Thread& t) { t.store(y(0, 1, 2), 1); }));
  EXPECT_ERROR(WrongRank, "a whole axis of 'y'",
               in_kernel([=](Thread& t) { t.store(y(0, all), 1); }));
  auto tiles = [&](auto body) { return instantiate(kernel("k", {y}, body), {}); };
  EXPECT_ERROR(WrongAxis, "spread along axis 'r'",
               tiles([=](Tiles& b) { b.store(y(all, 0), b.stripe(y(all, 0))); }));
  EXPECT_ERROR(WrongAxis, "at one position",
               tiles([=](Tiles& b) { b.store(y(0, 0), b.stripe(y(0, 0))); }));
  EXPECT_ERROR(WrongRank, "a scalar stored along an axis",
               tiles([=](Tiles& b) { b.store(y(0, all), 1.f); }));
  EXPECT_ERROR(WrongAxis, "axis 'q' is on no listed parameter",
               tiles([=](Tiles& b) { b.index(Axis{"q"}); }));
}

TEST_CASE("tiles of different axes do not mix", "[dsl]") {
  Axis d{"d"}, e{"e"};
  In x{"x", f32, {d}}, w{"w", f32, {e}};
  Out y{"y", f32, {d}}, z{"z", s32, {d}};
  auto tiles = [&](ParamList list, auto body) {
    return instantiate(kernel("k", std::move(list), body), {});
  };
  EXPECT_ERROR(WrongAxis, "tiles over different axes", tiles({x, w, y}, [=](Tiles& b) {
                 b.store(y(all), b.stripe(x(all)) + b.stripe(w(all)));
               }));
  EXPECT_ERROR(WrongAxis, "a tile over 'e' stored along 'd'",
               tiles({w, y}, [=](Tiles& b) { b.store(y(all), b.stripe(w(all))); }));
  EXPECT_ERROR(WrongAxis, "reduce of", tiles({x, w, z}, [=](Tiles& b) {
                 Value p = b.positions(b.stripe(w(all)));
                 b.store(z(0), argmax(b.stripe(x(all)), p).index);
               }));
  EXPECT_ERROR(WrongClass, "a reduction over threads of a tile",
               tiles({x, y}, [=](Tiles& b) { b.store(y(0), block_reduce_sum(b.stripe(x(all)))); }));
  EXPECT_ERROR(WrongClass, "over a thread's elements of a scalar",
               tiles({x, y}, [=](Tiles& b) { b.store(y(0), sum(b.at(x(0)))); }));
  EXPECT_ERROR(WrongClass, "a variable of tile type",
               tiles({x, y}, [=](Tiles& b) { b.var(b.stripe(x(all))); }));
}

TEST_CASE("parameters are listed, used, and accessed as declared", "[dsl]") {
  Axis n{"n"};
  In x{"x", f32, {n}};
  Out y{"y", f32, {n}};
  const int line_of_a = __LINE__ + 1;
  Arg a{"a"};
  LaunchShape launch{.threads = {32}, .grid = {Blocks(n, 32)}};
  auto in_kernel = [&](ParamList list, auto body) {
    return instantiate(kernel("k", std::move(list), launch, body), {});
  };
  EXPECT_ERROR(UnlistedParam, "tensor 'x' is not in the kernel's list",
               in_kernel({y}, [=](Thread& t) { t.store(y(0), t.load(x(0))); }));
  EXPECT_ERROR(UnlistedParam, "scalar 'a' is not in the kernel's list",
               in_kernel({x, y}, [=](Thread& t) { t.store(y(0), t.load(x(0)) * a); }));
  EXPECT_ERROR(WriteToInput, "store to 'x'", in_kernel({x, y}, [=](Thread& t) {
                 t.store(x(0), 1);
                 t.store(y(0), 1);
               }));
  EXPECT_ERROR(ReadOfOutput, "load of 'y'",
               in_kernel({x, y}, [=](Thread& t) { t.store(y(0), t.load(x(0)) + t.load(y(0))); }));
  try {
    in_kernel({x, y, a}, [=](Thread& t) { t.store(y(0), t.load(x(0))); });
    FAIL("an unused parameter was accepted");
  } catch (const ir::Error& e) {
    CHECK(ir::code(e.diagnostic().diag) == "unused-param");
    CHECK(e.diagnostic().loc.line == line_of_a);
  }
  try {
    In twice{"y", f32, {n}};
    in_kernel({y, twice}, [=](Thread& t) { t.store(y(0), 1); });
    FAIL("two parameters of one name were accepted");
  } catch (const ir::Error& e) {
    CHECK(ir::code(e.diagnostic().diag) == "bad-param");
  }
}

TEST_CASE("a tile kernel's block is whole warps, or a part of one", "[dsl]") {
  Axis d{"d"};
  In x{"x", f32, {d}};
  Out y{"y", f32, {d}};
  auto tiles = [&](std::uint16_t threads, auto body) {
    return instantiate(kernel("k", {x, y}, body), {.schedule = {.name = "s", .threads = threads}});
  };
  EXPECT_ERROR(PartialWarp, "tile_load in a block of 200 threads",
               tiles(200, [=](Tiles& b) { b.store(y(all), b.stripe(x(all))); }));
  for (std::uint16_t threads : {16, 32, 192, 224})
    CHECK_NOTHROW(tiles(threads, [=](Tiles& b) { b.store(y(all), b.stripe(x(all))); }));
}

TEST_CASE("a launch and a schedule are within their ranges, or refused at the kernel", "[dsl]") {
  Axis n{"n"};
  Out y{"y", f32, {n}};
  auto with = [&](LaunchShape launch, Config config = {}, const char* name = "k",
                  Here here = Here::current()) {
    return instantiate(
        kernel(
            name, {y}, std::move(launch), [=](Thread& t) { t.store(y(0), 1); }, here),
        config);
  };
  EXPECT_ERROR(BadLaunch, "2048x1x1 threads", with({.threads = {2048}}));
  EXPECT_ERROR(BadLaunch, "64x32x1 threads", with({.threads = {64, 32}}));
  EXPECT_ERROR(BadLaunch, "1x1x65 threads", with({.threads = {1, 1, 65}}));
  EXPECT_ERROR(BadLaunch, "0x1x1 threads", with({.threads = {0}}));
  EXPECT_ERROR(BadLaunch, "more than three dimensions", with({.threads = {2, 2, 2, 2}}));
  EXPECT_ERROR(BadLaunch, "a grid dimension of no blocks", with({.threads = {32}, .grid = {0}}));
  EXPECT_ERROR(BadSchedule, "vec 3",
               with({.threads = {32}}, {.schedule = {.name = "s", .vec = 3}}));
  EXPECT_ERROR(BadDim, "dimension 'q' = 4", with({.threads = {32}}, {.dims = {{"q", 4}}}));
  EXPECT_ERROR(BadName, "kernel '9lives'", with({.threads = {32}}, {}, "9lives"));
  EXPECT_ERROR(WrongAxis, "axis 'q'", with({.threads = {32}, .grid = {Blocks(Axis{"q"}, 32)}}));
  try {
    with({.threads = {32}}, {.dims = {{"n", 0}}});
    FAIL("an axis was bound to 0");
  } catch (const ir::Error& e) {
    CHECK(ir::code(e.diagnostic().diag) == "bad-dim");
    CHECK(e.diagnostic().loc.file == __FILE__);
  }
}

TEST_CASE("a call says what it takes", "[dsl]") {
  refused(ir::Diag::BadCall, "a vector of 3 elements", {64},
          [](Thread& t, const Tensor& y) { at = __LINE__, t.load_vec(y(0), 3); });
  refused(ir::Diag::BadCall, "a vector of 8 elements of f32", {64},
          [](Thread& t, const Tensor& y) { at = __LINE__, t.load_vec(y(0), 8); });
  refused(ir::Diag::BadCall, "a vector of 3 elements", {64}, [](Thread& t, const Tensor& y) {
    Vec v = t.load_vec(y(0), 4);
    v.elements.pop_back();
    at = __LINE__, t.store_vec(y(0), v);
  });
  refused(ir::Diag::BadAttr, "store with order acquire", {64}, [](Thread& t, const Tensor& y) {
    at = __LINE__, t.store(y(0), 1, {.order = MemOrder::Acquire});
  });
  refused(ir::Diag::WrongClass, "atomic of f32", {64},
          [](Thread& t, const Tensor& y) { at = __LINE__, t.atomic(ir::RmwKind::Max, y(0), 1.f); });
}

TEST_CASE("what a kernel of another language would be refused for", "[dsl]") {
  // A parameter that is no number, a warp sum of the wrong type, a loop without an end.
  Axis n{"n"};
  Out y{"y", f32, {n}};
  auto with = [&](Elem e) {
    Arg a{"a", e};
    return instantiate(
        kernel("k", {y, a}, {.threads = {32}, .grid = {}},
               [=](Thread& t) { t.store(y(0), select(t.rank() == 0, a, a).to(f32)); }),
        {});
  };
  CHECK_NOTHROW(with(f32));
  CHECK_THROWS_WITH(with(i1), Catch::Contains("bad-param") && Catch::Contains("'a' of type i1"));
  refused(ir::Diag::WrongClass, "a reduction of i1", {64}, [](Thread& t, const Tensor& z) {
    Value c = t.rank() == 3;
    at = __LINE__, c = warp_reduce_sum(c);
    t.store(z(0), select(c, 1.f, 0.f));
  });
  refused(ir::Diag::WrongClass, "a reduction of e4m3", {64}, [](Thread& t, const Tensor& z) {
    Value v = t.load(z(0)).to(e4m3);
    at = __LINE__, v = block_reduce_max(v);
    t.store(z(0), v.to(f32));
  });
  for (int step : {0, -1})
    refused(ir::Diag::BadCall, "a loop of step", {64}, [=](Thread& t, const Tensor& z) {
      at = __LINE__, t.loop(0, 4, step, {}, [&](Value i) { t.store(z(i), 1); });
    });
}

TEST_CASE("a target without a feature refuses the operation at its line", "[dsl]") {
  int line = 0;
  ir::Kernel k = build({64}, [&](Thread& t, const Tensor& y) {
    line = __LINE__, t.fence(MemScope::Cluster);
    t.store(y(0), 1);
  });
  CHECK_NOTHROW(ir::check_for(k, *ir::find_target("sm_90a")));
  try {
    ir::check_for(k, *ir::find_target("sm_80"));
    FAIL("a cluster fence was accepted on sm_80");
  } catch (const ir::Error& e) {
    CHECK(ir::code(e.diagnostic().diag) == "target-feature");
    CHECK(e.diagnostic().loc.line == static_cast<std::uint32_t>(line));
  }
  ir::Kernel big = build({64}, [&](Thread& t, const Tensor& y) {
    Shared s = t.shared("s", f32, 40000);
    t.store(s, t.rank(), t.load(y(0)));
  });
  CHECK_NOTHROW(ir::check_for(big, *ir::find_target("sm_90a")));
  CHECK_THROWS_WITH(ir::check_for(big, *ir::find_target("sm_86")), Catch::Contains("160000 bytes"));
}
