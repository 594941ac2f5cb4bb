// SPDX-License-Identifier: Apache-2.0
// docs/hopper.md is what the newest record of bench/peers/qkv_rows.py says.
#include <catch2/catch.hpp>

#include "tests/tree/hopper_table.h"
#include "tests/tree/sources.h"

using namespace barline::test;
using nlohmann::json;

namespace {

json newest_record() {
  json newest;
  for (const auto& e : fs::directory_iterator(root() / "bench/results")) {
    if (e.path().extension() != ".json") continue;
    json doc = json::parse(slurp(e.path()));
    if (doc.value("schema", "") != "barline.peers/1" || !compares(doc)) continue;
    if (newest.is_null() || newest.at("date") < doc.at("date")) newest = std::move(doc);
  }
  return newest;
}

json row(const char* name, double us) {
  return {
      {"name", name}, {"M", 16},         {"N", 12},  {"K", 8},
      {"bits", 4},    {"mode", "graph"}, {"us", us}, {"segments", {{"q", 6}, {"k", 4}, {"v", 2}}}};
}

json with(json row, const char* key, json value) {
  row[key] = std::move(value);
  return row;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("docs/hopper.md is what the record says") {
  json record = newest_record();
  REQUIRE_FALSE(record.is_null());
  CHECK(differs("docs/hopper.md", hopper_page(record)) == "");
}

TEST_CASE("a projection's row has the fastest of each kind, and the ratio of plain to the peer") {
  json fast = row("barline p.f16@b", 2.0);
  json record = {{"rows",
                  {row("read-only kernel", 1.0), row("peer one", 5.0), row("peer two", 4.0),
                   with(row("peer of integers", 0.5), "dtype", "s8"), row("barline p.f16@a", 3.0),
                   fast, with(row("barline p.f16@c", 1.5), "dependent", true),
                   with(row("barline p.f16@b as three calls", 1.2), "calls", 3)}}};
  std::string page = hopper_page(record);
  CHECK(has(page,
            "| int4 | 6 + 4 + 2 | 8 | 16 | `b` 2.00 | `c` 1.50 | 1.00 | peer two 4.00 | "
            "2.00 |\n"));
  CHECK(has(page, "| int4 | 6 + 4 + 2 | 8 | 16 | `c` 1.50, dependent | `b` 1.20 | 0.80 |\n"));
}

TEST_CASE("modes and sizes are groups of their own; a row that refused is in none") {
  json slow = with(with(row("barline p.f16@a", 8.0), "mode", "sustained"), "tflop_per_s", 10.0);
  json quick = with(with(row("barline p.f16@a", 5.0), "mode", "burst"), "tflop_per_s", 16.0);
  json refused = with(with(row("peer", 1.0), "mode", "burst"), "refused", "no");
  std::string page = hopper_page({{"rows", {quick, slow, refused}}});
  CHECK(has(page, "| int4 | 6 + 4 + 2 | 8 | 16 | burst | `a` 5.00 | 16 |  |  |  |\n"));
  CHECK(has(page, "| int4 | 6 + 4 + 2 | 8 | 16 | sustained | `a` 8.00 | 10 |  |  |  |\n"));
}

TEST_CASE("a product stands beside all its peers") {
  auto product = [](const char* name, double us) {
    return json{{"name", name}, {"kernel", "matmul f16"}, {"M", 2},  {"N", 3},
                {"K", 4},       {"mode", "burst"},        {"us", us}};
  };
  json record = {{"rows",
                  {product("p one", 3.0), product("p two", 2.0),
                   with(product("barline matmul.f16@u", 1.0), "tflop_per_s", 7.4)}}};
  CHECK(has(hopper_page(record),
            "| matmul f16 | M=2 N=3 K=4 | burst | `matmul.f16@u` 1.00 | 7 | p one 3.00; p two "
            "2.00 | 2.00 |\n"));
  record["rows"].erase(2);
  CHECK(has(hopper_page(record), "| burst | not timed |  | p one 3.00; p two 2.00 |  |\n"));
}
