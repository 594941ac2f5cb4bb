// SPDX-License-Identifier: Apache-2.0
// Attention over many queries on the simulator and on a GPU: within its bound at lengths that are
// no multiple of a tile, the same bits as written and as lowered, and what no weight may reach.
#include <catch2/catch.hpp>

#include "dsl/sample.h"
#include "ir/pipeline.h"
#include "on_device.h"
#include "problem.h"
#include "verify/compare.h"

using namespace barline;
using test::Problem;

namespace {

const char* const names[] = {"attention_prefill", "attention_prefill_causal"};

std::int64_t dim_of(const ir::Schedule& s) {
  return std::stoi(std::string(s.name.substr(s.name.rfind('D') + 1)));
}

struct Lengths {
  std::int64_t batch, heads, groups, queries, keys;
};

Problem problem(const char* name, ir::Elem type, const ir::Schedule& s, const Lengths& n) {
  Problem p(name, type, s,
            {{"B", n.batch},
             {"H", n.heads},
             {"G", n.groups},
             {"T", n.queries},
             {"S", n.keys},
             {"D", dim_of(s)}});
  p.scalars["scale"] = 0.2;
  return p;
}

/// The comparison of o with the f64 reference's bound, or "" where it holds.
std::string outside(const Problem& p, const test::Tensors& got) {
  test::Tensors tensors = p.tensors;
  auto bound = p.kernel->bound({tensors, p.scalars, p.sizes, p.config, 1}).at("o");
  const ir::Tensor& o = got.at("o");
  auto c = verify::compare_within(o, dsl::sample_places(o.count(), 1), bound.value, bound.slack);
  return c.equal ? "" : verify::bound_text(c);
}

void each(const std::function<void(const char*, ir::Elem, const ir::Schedule&)>& run) {
  for (const char* name : names)
    for (ir::Elem type : test::entry(name).types)
      for (const ir::Schedule& s : test::entry(name).schedules) run(name, type, s);
}

}  // namespace

TEST_CASE("attention is within its bound at every edge", "[kernels]") {
  each([](const char* name, ir::Elem type, const ir::Schedule& s) {
    if ((name == names[0]) == (type == ir::Elem::F16)) return;  // one type of each: time
    for (const Lengths& n : {Lengths{1, 1, 1, 1, 1}, Lengths{1, 2, 1, 17, 129},
                             Lengths{2, 1, 1, s.tile.m + 3, s.tile.n + 6}}) {
      Problem p = problem(name, type, s, n);
      test::Tensors whole = p.simulated(false), lowered = p.simulated(true);
      INFO(p.config.label << " T " << n.queries << " S " << n.keys);
      CHECK(test::first_difference(lowered, whole) == "");
      CHECK(outside(p, lowered) == "");
    }
  });
}

TEST_CASE("tensor copies bring queries once a tile, keys and values once a step, of one head",
          "[kernels]") {
  const auto& schedules = test::entry(names[1]).schedules;
  auto unit = std::find_if(schedules.begin(), schedules.end(), [](const ir::Schedule& s) {
    return s.dot.unit == ir::MatrixUnit::Wgmma;
  });
  REQUIRE(unit != schedules.end());
  Problem p = problem(names[1], ir::Elem::F16, *unit, {1, 2, 1, 8, 8});
  ir::Kernel k = dsl::instantiate(p.source, p.config);
  ir::run_pipeline(k);
  std::map<std::string, int> once, each_step;
  auto count = [&](auto& self, const ir::Region& r, bool in_loop) -> void {
    for (const ir::Operation& op : r.ops) {
      if (op.is(ir::Op::CopyTensor)) {
        CHECK(op.in.size() == 7);
        ++(in_loop ? each_step : once)[k.values[op.in[2]].name];
      }
      for (const ir::Region& sub : op.regions) self(self, sub, in_loop || op.is(ir::Op::For));
    }
  };
  count(count, k.body, false);
  const int panels = static_cast<int>(dim_of(*unit)) / 64;
  CHECK(once == std::map<std::string, int>{{"q", panels}});
  CHECK(each_step == std::map<std::string, int>{{"k", panels}, {"v", panels}});
}

TEST_CASE("a query that sees no key gives zeros, and none reads another group's values",
          "[kernels]") {
  const ir::Schedule& s = test::entry(names[1]).schedules.front();
  const std::int64_t queries = 70, keys = 20, dim = dim_of(s);
  Problem p = problem(names[1], ir::Elem::F16, s, {1, 4, 2, queries, keys});
  p.fill("v", [&](std::int64_t i) { return i < keys * dim ? 1 : 3; });
  test::Tensors got = p.simulated(true);
  std::vector<float> o(static_cast<std::size_t>(got.at("o").count()));
  for (std::size_t i = 0; i < o.size(); ++i)
    o[i] = static_cast<float>(ir::value_as_f64(got.at("o"), static_cast<std::int64_t>(i)));
  for (std::int64_t head = 0; head < 4; ++head)
    for (std::int64_t t = 0; t < queries; ++t) {
      float want = t < queries - keys ? 0 : head < 2 ? 1 : 3;
      INFO("head " << head << " query " << t);
      CHECK(o[static_cast<std::size_t>((head * queries + t) * dim)] == Approx(want).epsilon(2e-3));
    }
}

TEST_CASE("large scores of either sign give no NaN", "[kernels]") {
  for (double size : {60000.0, -60000.0})
    for (const ir::Schedule& s : test::entry(names[0]).schedules) {
      Problem p = problem(names[0], ir::Elem::F16, s, {1, 1, 1, 3, 5});
      p.fill("q", [&](std::int64_t) { return size; });
      p.fill("k", [&](std::int64_t i) { return i % 3 ? 60000.0 : -60000.0; });
      p.fill("v", [&](std::int64_t) { return 2.0; });
      CHECK(ir::value_as_f64(p.simulated(true).at("o"), 0) == Approx(2.0).epsilon(2e-3));
    }
}

TEST_CASE("attention on a GPU is within its bound and gives the same bits again", "[gpu]") {
  auto device = test::gpu();
  if (!device) return;
  jit::Runtime runtime(runtime::options_from_environment());
  each([&](const char* name, ir::Elem type, const ir::Schedule& s) {
    for (const Lengths& n : {Lengths{1, 4, 2, 130, 300}, Lengths{2, 2, 1, 300, 77}}) {
      Problem p = problem(name, type, s, n);
      test::Tensors got = test::on_device(p, type, runtime, *device);
      INFO(p.config.label << " T " << n.queries << " S " << n.keys);
      CHECK(outside(p, got) == "");
      for (int run = 0; run < 5; ++run)
        CHECK(test::first_difference(test::on_device(p, type, runtime, *device), got) == "");
    }
  });
}
