// SPDX-License-Identifier: Apache-2.0
// Barriers a step of the library's tensor-core kernels: as many as the schedules promise, each one
// needed, where hands write one more; and docs/cadence.md, whose pictures are these.
#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>
#include <regex>

#include "ir/pipeline.h"
#include "problem.h"
#include "tests/support/goldens.h"
#include "tests/support/xml.h"
#include "verify/cadence/render.h"

using namespace barline;
using namespace barline::verify;

namespace {

/// "qkv_w4a16@sp", lowered.
ir::Kernel lowered(const std::string& name) {
  std::size_t at = name.find('@');
  const dsl::KernelEntry& e = test::entry(name.substr(0, at));
  auto schedule = std::find_if(e.schedules.begin(), e.schedules.end(),
                               [&](auto& s) { return s.name == name.substr(at + 1); });
  REQUIRE(schedule != e.schedules.end());
  ir::Kernel k = dsl::instantiate(e.make(e.types[0]), {.schedule = *schedule, .label = name});
  ir::run_pipeline(k);
  return k;
}

/// Puts a barrier into the body of the kernel's step loop, in front of op `at`.
template <class Choose>
ir::Kernel with_barrier(ir::Kernel k, Choose at) {
  auto loop = std::find_if(k.body.ops.begin(), k.body.ops.end(),
                           [](const ir::Operation& op) { return op.is(ir::Op::For); });
  REQUIRE(loop != k.body.ops.end());
  std::vector<ir::Operation>& ops = loop->regions[0].ops;
  ir::Operation barrier;
  barrier.op = ir::Op::Barrier;
  ops.insert(at(ops), barrier);
  return k;
}

struct Certified {
  CadenceLoop loop;
  std::vector<BarrierNeed> needs;
  std::string text;
  int needless() const {
    return static_cast<int>(std::count_if(needs.begin(), needs.end(), [](const BarrierNeed& n) {
      return n.kind == BarrierNeed::Needless;
    }));
  }
};

Certified certified(const ir::Kernel& k) {
  ProofOptions options;
  options.minimal = options.costs = false;
  ProofReport proof = prove(k, options);
  INFO(to_string(proof));
  REQUIRE(proof.verdict == Verdict::Proved);
  Cadence c = cadence_of(k);
  REQUIRE(c.loops.size() == 1);
  CHECK(test::xml_error(cadence_svg(c)) == "");
  std::vector<BarrierNeed> needs = certify_barriers(k, proof);
  std::string text = cadence_text(c, needs);
  return {std::move(c.loops[0]), std::move(needs), std::move(text)};
}

using Ops = std::vector<ir::Operation>;

/// After the last product of the step: before the next step's first fill.
auto at_the_end = [](Ops& ops) { return std::prev(ops.end()); };

/// After x's fragments are in registers, before the first of w is read.
auto after_hoist = [](Ops& ops) {
  auto is = [](const ir::Operation& op) { return op.is(ir::Op::LoadMatrix); };
  return std::find_if(ops.rbegin(), ops.rend(), is).base();
};

/// Source lines and sizes are left out: they change for reasons of their own.
std::string for_page(std::string text) {
  text = std::regex_replace(text, std::regex(", [^ ,\n]+\\.cpp:[0-9]+"), "");
  return std::regex_replace(text, std::regex(" \\(with [^)]*\\)"), "");
}

/// The page with what stands in each fence "```text KERNEL@SCHEDULE" written anew.
std::string written_anew(const std::string& page) {
  static const std::regex fence("```text ([a-z0-9_@]+)\n[^`]*```");
  std::string out;
  auto at = page.cbegin();
  for (std::smatch m; std::regex_search(at, page.cend(), m, fence); at = m.suffix().first)
    out += m.prefix().str() + "```text " + m[1].str() + "\n" +
           for_page(certified(lowered(m[1])).text) + "```";
  return out + std::string(at, page.cend());
}

}  // namespace

TEST_CASE("barriers a step are those of the schedule, and each is needed", "[kernels][cadence]") {
  const std::pair<const char*, int> cadences[] = {
      {"qkv_w4a16@s", 6},           {"qkv_w4a16@sp", 3},
      {"qkv_w8a16@s", 6},           {"qkv_w8a16@sp", 3},
      {"qkv_w8a16_columns@s", 6},   {"qkv_w8a16_columns@sp", 3},
      {"qkv_w4a16@ring128x128", 1}, {"qkv_w4a16@ring64x128", 1},
      {"qkv_w8a16@ring64x128", 1},  {"qkv_w8a16_columns@ring64x128", 1},
      {"qkv_w4a16@ring64x64", 1},   {"qkv_w8a16@ring64x64", 1},
      {"qkv_w8a16@s56", 6},         {"matmul_w4a16@ring64x128", 1},
      {"matmul@ring128x128", 1}};
  for (auto [name, barriers] : cadences) {
    Certified c = certified(lowered(name));
    INFO(name << "\n" << c.text);
    CHECK(c.loop.epochs() == barriers);
    for (const CadenceBarrier& b : c.loop.barriers) {
      CHECK(c.needs[b.number].kind == BarrierNeed::Needed);
      CHECK(!b.alone.empty());  // the picture's reason, found apart from the proof
    }
  }
}

TEST_CASE("of the barriers that hands put, one a step is needless", "[kernels][cadence]") {
  for (const char* family : {"qkv_w4a16", "qkv_w8a16"}) {
    Certified s = certified(with_barrier(lowered(std::string(family) + "@s"), at_the_end));
    INFO(s.text);
    CHECK(s.loop.epochs() == 7);
    CHECK(s.needless() == 1);
    CHECK(s.needs[s.loop.barriers[6].number].kind == BarrierNeed::Needless);
    Certified sp = certified(with_barrier(lowered(std::string(family) + "@sp"), after_hoist));
    INFO(sp.text);
    CHECK(sp.loop.epochs() == 4);
    CHECK(sp.needless() == 1);
    CHECK(sp.needs[sp.loop.barriers[1].number].kind == BarrierNeed::Needless);
  }
}

TEST_CASE("docs/cadence.md shows the library's cadences", "[kernels][cadence]") {
  const std::string path = BARLINE_SOURCE_DIR "/docs/cadence.md";
  std::string page = test::read_file(path), want = written_anew(page);
  std::size_t pictures = 0;
  for (auto at = page.find("```text"); at != page.npos; at = page.find("```text", at + 1))
    ++pictures;
  CHECK(pictures == 3);
  CHECK(test::golden_difference(path, want) == "");
}
