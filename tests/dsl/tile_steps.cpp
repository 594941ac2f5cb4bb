// SPDX-License-Identifier: Apache-2.0
// Products of tiles over pieces of axes: what a schedule or a text cannot mean is refused at its
// line.
#include "errors.h"

using namespace barline;
using namespace barline::dsl;

namespace {

constexpr ir::Schedule plain{.name = "plain", .tile = {.m = 32, .n = 16, .warps_m = 2}};

struct Given {
  Axis T{"T"}, S{"S"}, D{"D"};
  In q{"q", f16, {T, D}}, k{"k", f16, {S, D}}, v{"v", f16, {S, D}}, w{"w", bf16, {S, D}};
  Out o{"o", f32, {T, D}};
};

int at = 0;

/// Builds o from q, k, v (w: other types) by `body`, with D bound where `bind`.
ir::Kernel built(const std::function<void(Tiles&, const Given&)>& body,
                 const ir::Schedule& schedule = plain, bool bind = true) {
  Given g;
  auto source = kernel("k", {g.q, g.k, g.v, g.w, g.o}, [=](Tiles& b) { body(b, g); });
  Config config{.schedule = schedule};
  if (bind) config.dims["D"] = 32;
  return instantiate(source, config);
}

void refused(ir::Diag diag, const std::string& words,
             const std::function<void(Tiles&, const Given&)>& body,
             const ir::Schedule& schedule = plain, bool bind = true) {
  try {
    built(body, schedule, bind);
  } catch (const ir::Error& e) {
    INFO(e.what());
    CHECK(ir::code(e.diagnostic().diag) == ir::code(diag));
    CHECK(e.diagnostic().message.find(words) != std::string::npos);
    CHECK(e.diagnostic().loc.line == static_cast<std::uint32_t>(at));
    CHECK_FALSE(e.diagnostic().fix.empty());
    return;
  }
  FAIL("no error; expected " << words);
}

}  // namespace

TEST_CASE("rows need the schedule's tile", "[dsl]") {
  refused(ir::Diag::BadSchedule, "gives no matrix tile",
          [](Tiles& b, const Given& g) { at = __LINE__, b.rows(g.T); }, {.name = "none"});
}

TEST_CASE("an axis taken whole is bound", "[dsl]") {
  refused(
      ir::Diag::WrongAxis, "all of 'D', which is not bound",
      [](Tiles& b, const Given& g) {
        Index t = b.rows(g.T);
        at = __LINE__, b.full(t, g.D, 0.0);
      },
      plain, false);
}

TEST_CASE("a product's factors share one axis and differ in the other", "[dsl]") {
  refused(ir::Diag::WrongAxis, "not a(m, k) * b(k, n)", [](Tiles& b, const Given& g) {
    Index t = b.rows(g.T);
    at = __LINE__, b.dot(g.q(t, g.D), g.q(t, g.D));
  });
  refused(ir::Diag::WrongAxis, "not a(m, k) * b(k, n)", [](Tiles& b, const Given& g) {
    Index t = b.rows(g.T);
    Value tile = b.full(t, g.D, 0.0).to(f16);
    at = __LINE__, b.dot(g.q(t, g.D), tile);
  });
}

TEST_CASE("a tile in registers is a first factor over its own rows", "[dsl]") {
  refused(ir::Diag::WrongAxis, "not a product's first factor",
          [](Tiles& b, const Given& g) {
            Index t = b.rows(g.T);
            b.each(g.S, b.size(g.S), [&](Index s) {
              Value p = b.dot(g.q(t, g.D), g.k(s, g.D)).to(f16);
              at = __LINE__, b.dot(p, g.q(t, g.D));
            });
          },
          {.name = "wide", .tile = {.m = 32, .n = 32, .warps_m = 2}});
}

TEST_CASE("a product's factors have one type", "[dsl]") {
  refused(ir::Diag::TypeMismatch, "a product of f16 and bf16", [](Tiles& b, const Given& g) {
    Index t = b.rows(g.T);
    b.each(g.S, b.size(g.S), [&](Index s) { at = __LINE__, b.dot(g.q(t, g.D), g.w(s, g.D)); });
  });
}

TEST_CASE("a product's tile is whole atoms a warp", "[dsl]") {
  refused(ir::Diag::BadSchedule, "a product of 24 x 16 x 32 over 2 x 1 warps",
          [](Tiles& b, const Given& g) {
            Index t = b.rows(g.T);
            b.each(g.S, b.size(g.S),
                   [&](Index s) { at = __LINE__, b.dot(g.q(t, g.D), g.k(s, g.D)); });
          },
          {.name = "odd", .tile = {.m = 24, .n = 16, .warps_m = 2}});
}

TEST_CASE("a warpgroup's unit takes 64 rows for each four warps", "[dsl]") {
  for (const ir::MatrixTile& tile : {ir::MatrixTile{.m = 64, .n = 16, .warps_m = 2},
                                     ir::MatrixTile{.m = 64, .n = 16, .warps_m = 4, .warps_n = 2}})
    refused(ir::Diag::BadSchedule, "by wgmma",
            [](Tiles& b, const Given& g) {
              Index t = b.rows(g.T);
              b.each(g.S, b.size(g.S),
                     [&](Index s) { at = __LINE__, b.dot(g.q(t, g.D), g.k(s, g.D)); });
            },
            {.name = "unit", .tile = tile, .dot = {.unit = ir::MatrixUnit::Wgmma}});
}

TEST_CASE("a variable keeps the axes of its first value", "[dsl]") {
  refused(ir::Diag::TypeMismatch, "assigned to a variable", [](Tiles& b, const Given& g) {
    Index t = b.rows(g.T);
    Var rows = b.var(b.full(t, 0.0));
    at = __LINE__, rows = b.full(t, g.D, 0.0);
  });
}

TEST_CASE("a fold runs along an axis of its tile", "[dsl]") {
  refused(ir::Diag::WrongAxis, "a fold along 'S' of no tile over it", [](Tiles& b, const Given& g) {
    Index t = b.rows(g.T);
    b.each(g.S, b.size(g.S), [&](Index s) { at = __LINE__, b.max_along(s, b.constant(f32, 1.0)); });
  });
}
