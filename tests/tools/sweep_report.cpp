// SPDX-License-Identifier: Apache-2.0
// What a sweep and an audit make of recorded times: speedup, payload rate, limit, table, plot.
#include "tools/sweep_report.h"

#include <catch2/catch.hpp>

#include "kernels/kernels.h"
#include "kernels/wo/experiment.h"
#include "tests/tools/cli.h"
#include "tools/error.h"

using namespace barline;
using test::has;
using tools::Sweep;
using tools::SweepRow;

namespace {

constexpr double payload = 17'727'492;  // of 5120 x 6144, one row of x

/// A published sweep of this shape, on a device of 273 GB/s.
Sweep published() {
  Sweep s{.kernel = "wo_nvfp4", .over = "wo_split", .device = "a < b", .ceiling = 273};
  const std::pair<int, double> rows[] = {{1, 13754}, {2, 5176}, {4, 2693}, {8, 1639}};
  for (const auto& [split, us] : rows) {
    tools::TrialRun run{
        .bytes = {.payload = payload, .scratch = 1},
        .agreements = {{.reference = "split_order", .gate = true, .elements = 5120}},
        .us = {9e9, us, us, us}};
    s.rows.push_back(row_of("wo_split" + std::to_string(split), split,
                            {{"total_grid_ctas", 32}, {"active_ctas", 4 * split}}, run));
  }
  return s;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; ++at) ++n;
  return n;
}

}  // namespace

TEST_CASE("a sweep's slope and payload rate are those of its medians") {
  const Sweep s = published();
  CHECK(speedup(s, s.rows[1]) == Approx(2.66).epsilon(2e-3));
  CHECK(speedup(s, s.rows[3]) == Approx(8.39).epsilon(2e-3));
  CHECK(payload_gbps(s.rows[3]) == Approx(10.8).epsilon(5e-3));
  const std::string text = table(s);
  INFO(text);
  CHECK(has(text, "32/4"));
  CHECK(has(text, "32/32"));
  CHECK(has(text, "8.39x"));
  CHECK(count(text, "latency-limited") == 4);
  const auto json = to_json(s);
  CHECK(json["rows"][3]["wo_split"] == 8);
  CHECK(json["rows"][3]["limit"] == "latency-limited");
  CHECK(json["rows"][3]["scratch_bytes"] == 1);
}

TEST_CASE("a distance that was measured over a sample, or not at all, is said to be so") {
  Sweep s = published();
  CHECK(to_json(s)["rows"][0]["max_abs"] == 0.0);
  CHECK(to_json(s)["rows"][0]["stride"] == 1);
  CHECK(to_json(s)["rows"][0]["resumed"] == false);
  auto row = [](const tools::Agreement& gate) {
    return tools::row_of("a", 1, nlohmann::ordered_json::object(),
                         {.bytes = {payload, 0}, .agreements = {gate}, .us = {1, 1}});
  };
  s.rows = {row({.gate = true, .max_abs = 0.25, .elements = 40, .stride = 3}), row({.gate = true})};
  const auto json = to_json(s)["rows"];
  CHECK(json[0]["max_abs"] == 0.25);
  CHECK(json[0]["elements"] == 40);
  CHECK(json[0]["stride"] == 3);
  CHECK(json[1]["max_abs"].is_null());
  CHECK(json[1]["elements"] == 0);
  CHECK(has(table(s), "0.25 (1 in 3)\n"));
  CHECK(has(table(s), " -       \n"));
}

TEST_CASE("what ncu counted stands beside the counted bytes, where there is a record") {
  Sweep s = published();
  CHECK_FALSE(has(table(s), "ncu"));
  s.rows[3].counted = tools::Counters{.dram_bytes = payload * 1.25, .dram_share = 0.043};
  CHECK(has(table(s), "  1.250, 4.3 %\n"));
  CHECK(to_json(s)["rows"][3]["counted"]["dram_share"] == 0.043);
  CHECK_FALSE(to_json(s)["rows"][2].contains("counted"));
}

TEST_CASE("a record of counters is found by config and sizes, and refused if it is none") {
  test::Cli cli;
  const std::string good =
      cli.file("c.json", R"({"schema": "barline.counters/1", "rows": [{"kernel": "k.f32@a",
                    "sizes": {"N": 4, "B": 1}, "dram_bytes": 8e6, "dram_share": 0.5}]})");
  const tools::CounterFile counters(good);
  const tools::Counters* found = counters.find("k.f32@a", {{"B", 1}, {"N", 4}});
  REQUIRE(found != nullptr);
  CHECK(*found == tools::Counters{8e6, 0.5});
  CHECK(counters.find("k.f32@a", {{"B", 2}, {"N", 4}}) == nullptr);
  CHECK(counters.find("k.f32@b", {{"B", 1}, {"N", 4}}) == nullptr);
  auto refused = [&](const char* text) {
    try {
      tools::CounterFile(cli.file("bad.json", text));
    } catch (const tools::UsageError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(has(refused("{"), "its first line is no record"));
  CHECK(has(refused(R"({"schema": "x/1", "rows": []})"), "\"x/1\" is not barline.counters/1"));
  CHECK(has(refused(R"({"schema": "barline.counters/1", "rows": [{"kernel": "k"}]})"),
            "row 1 is no record"));
  CHECK(has(refused("{"), "bench/peers/ncu_counters.py"));
}

TEST_CASE("what limits a row is its payload rate beside the measured ceiling") {
  Sweep s{.kernel = "k", .over = "n", .device = "d", .ceiling = 4000};
  for (double us : {17.0, 7.4, 7.3, 4.5})
    s.rows.push_back({.arm = "a", .bytes = {payload, 0}, .time = {.median = us}});
  CHECK(limit_of(s, s.rows[0]) == std::string("latency-limited"));
  CHECK(limit_of(s, s.rows[1]) == std::string("latency-limited"));    // 59.9 %
  CHECK(limit_of(s, s.rows[2]) == std::string("bandwidth-limited"));  // 60.7 %
  CHECK(limit_of(s, s.rows[3]) == std::string("bandwidth-limited"));
  s.rows[3].bytes.scratch = 1e9;  // re-reads make nothing faster
  CHECK(share_of_ceiling(s, s.rows[3]) == Approx(payload / 4.5 / 1e3 / 4000));
}

TEST_CASE("the plot has a point, a time and a limit for each row, and is well-formed") {
  const std::string svg = plot_svg(published());
  CHECK(count(svg, "<circle") == 4);
  CHECK(count(svg, "latency-limited") == 4);
  CHECK(has(svg, "1639.0 us"));
  CHECK(has(svg, "on a &lt; b:"));
  CHECK(svg.ends_with("</svg>\n"));
  // The first is the slowest: top left; the last bottom right.
  CHECK(has(svg, "points=\"80.0,50.0 "));
  CHECK(has(svg, "640.0,370.0 \""));
}

TEST_CASE("an audit tells the grid from the active blocks") {
  Sweep s{.kernel = "wo_nvfp4", .over = "wo_split", .device = "d", .ceiling = 1};
  for (double us : {15649.0, 13675.0, 1631.9})
    s.rows.push_back({.arm = "x", .bytes = {payload, 0}, .time = {.median = us}});
  const tools::Audit a = audit_of(s);
  CHECK(a.grid_cost == Approx(1.144).epsilon(1e-3));
  CHECK(a.active_gain == Approx(8.38).epsilon(1e-3));
  CHECK(has(table(a), "1.144x"));
}

TEST_CASE("wo_nvfp4's blocks and workspace traffic follow from its sizes") {
  const std::map<std::string, std::int64_t> sizes{
      {"B", 2}, {"N", 5120}, {"wo_split", 8}, {"slice_ctas", 16}};
  auto words = [](std::int64_t a_row) { return ir::Tensor(ir::Elem::U64, {2 * a_row}); };
  const auto b = kernels::wo_blocks(sizes, {{"counters", words(1)}});
  REQUIRE(b);
  CHECK(b->grid == 64);
  CHECK(b->active == 32);
  CHECK(b->slots == 32);
  CHECK(b->gather == 1);
  CHECK(b->scratch_bytes == 2 * 2.0 * 32 * 5120 * 4);
  // Five words: five runs of N, so that no slot is read twice.
  const auto five = kernels::wo_blocks(sizes, {{"counters", words(5)}});
  CHECK(five->gather == 5);
  CHECK(five->scratch_bytes == b->scratch_bytes);
  // With a flag a head and the word of a report.
  const ir::Tensor attention(ir::Elem::BF16, {2, 6144});
  CHECK(kernels::wo_blocks(sizes, {{"counters", words(6)}, {"attention", attention}})->gather == 1);
  CHECK_FALSE(kernels::wo_blocks({{"B", 1}, {"N", 5120}, {"K", 6144}}, {}));
}

TEST_CASE("the payload counts x, codes, scales as stored, the global scale and y once") {
  dsl::Registry registry;
  kernels::add_wo_nvfp4(registry);
  for (const char* name : {"wo_nvfp4", "wo_nvfp4_swizzled"}) {
    const dsl::KernelEntry* entry = registry.find(name);
    REQUIRE(entry);
    CHECK(entry->bytes(ir::Elem::BF16, {{"B", 1}, {"N", 5120}, {"K", 6144}}) == payload);
    CHECK(entry->bytes(ir::Elem::BF16, {{"B", 2}, {"N", 5120}, {"K", 6144}}) ==
          payload + 6144 * 2 + 5120 * 4);
  }
}
