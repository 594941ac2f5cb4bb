// SPDX-License-Identifier: Apache-2.0
// The measured table of README.md is what bench/results/*.json records.
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/tree/product_table.h"
#include "tests/tree/projection_table.h"
#include "tests/tree/sources.h"

using namespace barline::test;
using nlohmann::json;

namespace {

constexpr std::string_view begin_mark = "<!-- bench: written by scripts/update_docs -->\n";
constexpr std::string_view end_mark = "<!-- /bench -->";

std::vector<json> recorded(const fs::path& folder, const std::string& schema) {
  std::vector<json> out;
  std::vector<fs::path> files;
  if (fs::exists(folder))
    for (const auto& e : fs::directory_iterator(folder))
      if (e.path().extension() == ".json") files.push_back(e.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    json doc = json::parse(slurp(file));
    if (doc.value("schema", "") == schema) out.push_back(std::move(doc));
  }
  return out;
}

std::string before(const std::string& text, char mark) { return text.substr(0, text.find(mark)); }

/// "rms_norm d=8192 rows=4096": rows of one problem, whatever type and schedule.
std::string problem_of(const json& row) {
  return before(before(row.at("kernel"), '@'), '.') + " " + row.at("sizes").get<std::string>();
}

/// A peer's row has fields where a bench row has one text of sizes.
std::string peer_problem(const json& row) {
  return fmt::format("{} d={} rows={} {}", row.at("kernel").get<std::string>(),
                     row.at("d").get<long>(), row.at("rows").get<long>(),
                     row.at("dtype").get<std::string>());
}

/// The fastest bf16 row of every problem (of any type where the kernel has no bf16), in file order.
std::vector<json> best_rows(const json& bench) {
  std::vector<json> out;
  std::map<std::string, std::size_t> at;
  for (const json& row : bench.at("rows")) {
    std::string kernel = row.at("kernel");
    if (kernel.find('.') != kernel.npos && kernel.find(".bf16") == kernel.npos) continue;
    auto [place, fresh] = at.try_emplace(problem_of(row), out.size());
    if (fresh)
      out.push_back(row);
    else if (row.at("us") < out[place->second].at("us"))
      out[place->second] = row;
  }
  return out;
}

std::string table(const json& bench, const std::vector<json>& peers) {
  std::map<std::string, double> peer_us;
  std::string peer = "peer";
  for (const json& doc : peers) {
    if (doc.at("device") != bench.at("device")) continue;
    for (const json& row : doc.at("rows")) {
      if (!row.contains("d")) continue;  // a peer of products
      peer = before(doc.at("peer"), '+');
      peer_us[peer_problem(row)] = row.at("us");
    }
  }
  std::string out = fmt::format("{}, {}.\n\n", bench.at("device").get<std::string>(),
                                before(bench.at("date"), 'T'));
  out += fmt::format("| kernel | sizes | result | µs | GB/s | % of copy | {}, µs |\n", peer);
  out += "|---|---|---|---:|---:|---:|---:|\n";
  for (const json& row : best_rows(bench)) {
    auto other = peer_us.find(problem_of(row) + " bfloat16");
    out +=
        fmt::format("| `{}` | {} | {} | {:.2f} | {:.0f} | {:.0f} | {} |\n",
                    row.at("kernel").get<std::string>(), row.at("sizes").get<std::string>(),
                    row.at("verdict").get<std::string>(), row.at("us").get<double>(),
                    row.at("gb_per_s").get<double>(), 100 * row.at("share_of_copy").get<double>(),
                    other == peer_us.end() ? "" : fmt::format("{:.2f}", other->second));
  }
  return out;
}

std::string host_table(const json& bench) {
  std::string out = fmt::format("Host time, {}, {}.\n\n", bench.at("device").get<std::string>(),
                                before(bench.at("date"), 'T'));
  out +=
      "| kernel | cold compile and load, ms | warm cache to loaded, ms | found again, µs | launch, "
      "µs | above `cuLaunchKernel`, µs |\n|---|---:|---:|---:|---:|---:|\n";
  for (const json& row : bench.at("host")) {
    // A peer has no row for what only barline does.
    auto if_there = [&](const char* key) {
      return row.contains(key) ? fmt::format("{:.2f}", std::max(0.0, row.at(key).get<double>()))
                               : std::string();
    };
    out += fmt::format("| `{}` | {:.1f} | {:.2f} | {} | {:.2f} | {} |\n",
                       row.at("kernel").get<std::string>(), row.at("cold_jit_ms").get<double>(),
                       row.at("warm_disk_ms").get<double>(), if_there("memory_hit_us"),
                       row.at("launch_us").get<double>(), if_there("launch_above_driver_us"));
  }
  return out;
}

/// One paragraph of what ran on the device besides the timings.
std::string checks(const json& record) {
  std::set<std::string> kernels, tools;
  std::size_t findings = 0;
  for (const json& row : record.at("rows")) {
    kernels.insert(row.at("kernel"));
    tools.insert(row.at("tool"));
    std::string summary = row.at("summary");
    findings +=
        summary.find(" 0 errors") == summary.npos && summary.find(" 0 hazards") == summary.npos;
  }
  std::string out = fmt::format("Checked on {}, {}.", record.at("device").get<std::string>(),
                                before(record.at("date"), 'T'));
  if (record.contains("demo"))
    out += fmt::format(" `scripts/demo`: {}.", record.at("demo").get<std::string>());
  if (record.contains("gpu_tests"))
    for (const auto& [folder, text] : record.at("gpu_tests").items())
      out += fmt::format(" GPU tests of `{}`: {}.", folder, text.get<std::string>());
  return out +
         fmt::format(" compute-sanitizer ({}) on {} kernels: {}.\n", fmt::join(tools, ", "),
                     kernels.size(),
                     findings ? fmt::format("{} runs with findings", findings) : "no finding");
}

/// The newest record of every device that has something under `key`.
std::map<std::string, json> newest(const std::vector<json>& records, const char* key) {
  std::map<std::string, json> out;
  for (const json& doc : records) {
    if (!doc.contains(key) || doc.at(key).empty()) continue;
    json& kept = out[doc.at("device").get<std::string>()];
    if (kept.is_null() || kept.at("date") < doc.at("date")) kept = doc;
  }
  return out;
}

/// By device: the newest record, with each kernel's and tool's newest row of all of them.
std::map<std::string, json> all_checks(std::vector<json> records) {
  std::sort(records.begin(), records.end(),
            [](const json& a, const json& b) { return a.at("date") < b.at("date"); });
  std::map<std::string, json> out;
  std::map<std::array<std::string, 3>, json> rows;
  for (json& doc : records) {
    const std::string device = doc.at("device");
    for (const json& row : doc.at("rows")) rows[{device, row.at("kernel"), row.at("tool")}] = row;
    doc["rows"] = json::array();
    out[device] = std::move(doc);
  }
  for (const auto& [key, row] : rows) out.at(key[0])["rows"].push_back(row);
  return out;
}

/// The output projection's rows stand in docs/nvfp4.md; of the others those with a count of
/// operations are products.
enum class Of { Plain, Products, Projection };

Of kind_of(const json& row) {
  if (row.at("kernel").get<std::string>().starts_with("wo_")) return Of::Projection;
  return row.contains("flops") ? Of::Products : Of::Plain;
}

/// The records with the rows of one kind alone.
std::vector<json> rows_of(std::vector<json> records, Of kind) {
  for (json& doc : records) {
    json kept = json::array();
    for (const json& row : doc.value("rows", json::array()))
      if (kind_of(row) == kind) kept.push_back(row);
    doc["rows"] = kept;
  }
  return records;
}

std::string projection_table(const json& bench) {
  std::string out = fmt::format(
      "{}, {}, commit {}: medians of CUDA graphs, weights rotated past L2, bits equal to the "
      "reference's.\n\n| kernel | sizes | µs | weights and x, GB/s | % of copy "
      "|\n|---|---|---:|---:|---:|\n",
      bench.at("device").get<std::string>(), before(bench.at("date"), 'T'),
      bench.at("commit").get<std::string>());
  for (const json& row : bench.at("rows"))
    out += fmt::format("| `{}` | {} | {:.2f} | {:.0f} | {:.0f} |\n",
                       row.at("kernel").get<std::string>(), row.at("sizes").get<std::string>(),
                       row.at("us").get<double>(), row.at("gb_per_s").get<double>(),
                       100 * row.at("share_of_copy").get<double>());
  return out;
}

std::string timing_table(const json& record) {
  std::string out = fmt::format(
      "{}, driver {}, {}, commit {}, `{}`; %globaltimer steps by {} ns. Outputs are compared "
      "first.\n\n"
      "| kernel | sizes | untimed, µs | timed, µs | added, µs | % | regions add up to, % of a "
      "block's span |\n|---|---|---:|---:|---:|---:|---:|\n",
      record.at("device").get<std::string>(), record.at("driver").get<std::string>(),
      before(record.at("date"), 'T'), record.at("commit").get<std::string>(),
      record.at("command").get<std::string>(), record.at("globaltimer_resolution_ns").get<int>());
  for (const json& row : record.at("rows"))
    out += fmt::format("| `{}` | {} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.1f} |\n",
                       row.at("kernel").get<std::string>(), row.at("sizes").get<std::string>(),
                       row.at("untimed_us").get<double>(), row.at("timed_us").get<double>(),
                       row.at("added_us").get<double>(), 100 * row.at("share").get<double>(),
                       100 * row.at("coverage").get<double>());
  return out;
}

std::string measured(const fs::path& folder) {
  std::vector<json> records = recorded(folder, "barline.bench/1");
  std::vector<json> peers = recorded(folder, "barline.peers/1");
  std::string out;
  auto add = [&](const std::string& text) { out += (out.empty() ? "" : "\n") + text; };
  for (const auto& [device, doc] : newest(rows_of(records, Of::Plain), "rows"))
    add(table(doc, peers));
  for (const auto& [device, doc] : newest(rows_of(records, Of::Products), "rows"))
    add(product_table(doc, peers, recorded(folder, "barline.mma_peak/1")));
  for (const auto& [device, doc] : newest(records, "host")) add(host_table(doc));
  for (const auto& [device, doc] : all_checks(recorded(folder, "barline.sanitizer/1")))
    add(checks(doc));
  return out;
}

/// A page with `text` between the marks.
std::string with_table(const std::string& readme, const std::string& text) {
  std::size_t begin = readme.find(begin_mark), end = readme.find(end_mark);
  REQUIRE(begin != readme.npos);
  REQUIRE(end != readme.npos);
  begin += begin_mark.size();
  return readme.substr(0, begin) + text + readme.substr(end);
}

}  // namespace

TEST_CASE("the README's measurements are the recorded ones") {
  std::string readme = slurp(root() / "README.md");
  CHECK(differs("README.md", with_table(readme, measured(root() / "bench/results"))) == "");
}

TEST_CASE("the table takes the fastest schedule of a problem and the peer of the device") {
  json row = {{"kernel", "k.bf16@a"}, {"sizes", "d=8 rows=4"}, {"verdict", "PASS"}, {"us", 2.0},
              {"gb_per_s", 100.0},    {"share_of_copy", 0.5}};
  json faster = row, other_type = row;
  faster["kernel"] = "k.bf16@b";
  faster["us"] = 1.5;
  other_type["kernel"] = "k.f16@b";
  other_type["us"] = 0.5;
  json bench = {
      {"device", "D"}, {"date", "2026-01-02T03:04:05Z"}, {"rows", {row, faster, other_type}}};
  json peer_row = {{"kernel", "k"}, {"d", 8}, {"rows", 4}, {"dtype", "bfloat16"}, {"us", 3.25}};
  json peer = {{"device", "D"}, {"peer", "torch 1.0+cu1"}, {"rows", {peer_row}}};
  json elsewhere = {{"device", "E"}, {"peer", "other 1"}, {"rows", {peer_row}}};
  CHECK(table(bench, {peer, elsewhere}) ==
        "D, 2026-01-02.\n\n"
        "| kernel | sizes | result | µs | GB/s | % of copy | torch 1.0, µs |\n"
        "|---|---|---|---:|---:|---:|---:|\n"
        "| `k.bf16@b` | d=8 rows=4 | PASS | 1.50 | 100 | 50 | 3.25 |\n");
}

TEST_CASE("checks are counted over all records, each kernel's newest") {
  const auto record = [](const char* date, const char* kernel, const char* summary) {
    return json{
        {"device", "gpu"},
        {"date", date},
        {"rows", json::array({{{"kernel", kernel}, {"tool", "memcheck"}, {"summary", summary}}})}};
  };
  const char *bad = "ERROR SUMMARY: 2 errors", *good = "ERROR SUMMARY: 0 errors";
  const auto all = all_checks({record("2026-02-02T", "a", good), record("2026-01-01T", "a", bad),
                               record("2026-01-02T", "b", good)});
  REQUIRE(all.size() == 1);
  const std::string text = checks(all.at("gpu"));
  INFO(text);
  CHECK(text.find("Checked on gpu, 2026-02-02.") == 0);
  CHECK(text.find("on 2 kernels: no finding") != text.npos);
}

TEST_CASE("a finding of a sanitizer is counted") {
  json clean = {{"kernel", "k"}, {"tool", "memcheck"}, {"summary", "ERROR SUMMARY: 0 errors"}};
  json racy = {{"kernel", "k"}, {"tool", "racecheck"}, {"summary", "RACECHECK SUMMARY: 3 hazards"}};
  json record = {{"device", "D"}, {"date", "2026-01-02T03:04:05Z"}, {"rows", {clean}}};
  CHECK(checks(record) ==
        "Checked on D, 2026-01-02. compute-sanitizer (memcheck) on 1 kernels: no finding.\n");
  record["rows"].push_back(racy);
  CHECK(checks(record).find("1 runs with findings") != std::string::npos);
}

TEST_CASE("the output projection's measurements are the recorded ones") {
  const fs::path results = root() / "bench/results";
  std::string text;
  for (const auto& [device, doc] : newest(recorded(results, "barline.projection_peers/1"), "rows"))
    text += projection_peers_table(doc) + "\n";
  const std::vector<json> records = recorded(results, "barline.bench/1");
  for (const auto& [device, doc] : newest(rows_of(records, Of::Projection), "rows"))
    text += projection_table(doc);
  CHECK(differs("docs/nvfp4.md", with_table(slurp(root() / "docs/nvfp4.md"), text)) == "");
}

TEST_CASE("what timing costs is what was recorded") {
  std::string text;
  for (const auto& [device, doc] :
       newest(recorded(root() / "bench/results", "barline.regions_cost/1"), "rows"))
    text += timing_table(doc);
  CHECK(differs("docs/regions.md", with_table(slurp(root() / "docs/regions.md"), text)) == "");
}

TEST_CASE("a projection's line has the fastest schedule of each order") {
  auto row = [](const char* name, double us, bool dependent = false) {
    return json{{"name", name}, {"B", 2},   {"N", 40},
                {"K", 64},      {"us", us}, {"dependent", dependent}};
  };
  const json record = {
      {"device", "D"},
      {"driver", "1"},
      {"date", "2026-01-02T03:04:05Z"},
      {"peer", "torch 1"},
      {"harness", "h"},
      {"rows",
       {row("read-only kernel", 1), row("torch F.linear bf16", 9),
        row("barline wo_nvfp4_fast.bf16@a", 3), row("barline wo_nvfp4_fast.bf16@b", 2),
        row("barline wo_nvfp4_fast.bf16@b", 1.5, true), row("barline wo_nvfp4_chains.bf16@c", 4)}}};
  const std::string text = projection_peers_table(record);
  CHECK(text.find("| 40 x 64 | 2 | 1.00 | 2.00 | 1.50 |  |  | 4.00 |  | 9.00 |\n") != text.npos);
}
