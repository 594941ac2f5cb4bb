// SPDX-License-Identifier: Apache-2.0
#include "tests/tree/product_table.h"

#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <sstream>

using nlohmann::json;

namespace barline::test {
namespace {

/// "K=4096 M=64 .." as a map.
std::map<std::string, long> sizes_of(const json& row) {
  std::map<std::string, long> out;
  std::istringstream words(row.at("sizes").get<std::string>());
  for (std::string word; words >> word;)
    out[word.substr(0, word.find('='))] = std::stol(word.substr(word.find('=') + 1));
  return out;
}

std::string family(const json& row) {
  std::string kernel = row.at("kernel");
  return kernel.substr(0, kernel.find('.'));
}

std::string schedule(const json& row) {
  std::string kernel = row.at("kernel");
  return kernel.substr(kernel.find('@') + 1);
}

/// PyTorch's fastest row for the same problem: the projections as one f16 product, attention by any
/// backend; 0: none recorded.
double peer_us(const json& row, const std::vector<json>& peers) {
  auto n = sizes_of(row);
  std::string kernel = family(row);
  bool causal = kernel.ends_with("_causal"), attention = kernel.starts_with("attention");
  bool qkv = kernel.starts_with("qkv") && n["N_k"] == 4096;
  double best = 0;
  for (const json& doc : peers)
    for (const json& p : doc.at("rows")) {
      std::string name = p.value("kernel", "");
      bool same = attention ? name.starts_with("sdpa") && p.at("causal") == causal &&
                                  p.at("D") == n["D"] && p.at("T") == n["T"]
                  : qkv ? name == "mm_qkv" && p.at("M") == n["M"]
                        : kernel == "matmul" && name == "mm" && p.at("M") == n["M"];
      if (same && p.contains("us") && (best == 0 || p.at("us") < best)) best = p.at("us");
    }
  return best;
}

bool shown(const json& row) {
  std::string kernel = row.at("kernel");
  bool type = kernel.find(family(row).starts_with("attention") ? ".bf16" : ".f16") != kernel.npos;
  return type && (family(row) == "matmul" || family(row) == "qkv_w4a16" ||
                  family(row) == "qkv_w8a16" || family(row).starts_with("attention"));
}

}  // namespace

std::string product_table(const json& bench, const std::vector<json>& peers,
                          const std::vector<json>& peaks) {
  double peak = 0;
  for (const json& doc : peaks)
    for (const json& row : doc.at("rows"))
      if (doc.at("device") == bench.at("device")) peak = std::max<double>(peak, row.at("tflops"));
  std::string out = fmt::format(
      "Products, {}; µs by schedule, the best one's TFLOP/s (`mma.sync` from registers: {:.0f}), "
      "PyTorch's µs (f16, fastest backend):\n\n",
      bench.at("device").get<std::string>(), peak);
  out += "| kernel | sizes | µs | TFLOP/s | PyTorch, µs |\n|---|---|---|---:|---:|\n";
  std::vector<std::pair<std::string, std::vector<json>>> problems;  // in the order of the record
  for (const json& row : bench.at("rows")) {
    if (!shown(row)) continue;
    std::string problem = family(row) + "|" + row.at("sizes").get<std::string>();
    auto at = std::find_if(problems.begin(), problems.end(),
                           [&](const auto& p) { return p.first == problem; });
    if (at == problems.end()) at = problems.insert(problems.end(), {problem, {}});
    at->second.push_back(row);
  }
  for (const auto& [problem, rows] : problems) {
    std::string times;
    double best = 0;
    for (const json& row : rows) {
      times += fmt::format("{}{} {:.1f}", times.empty() ? "" : ", ", schedule(row),
                           row.at("us").get<double>());
      best = std::max<double>(best, row.at("tflop_per_s"));
    }
    double peer = peer_us(rows[0], peers);
    out += fmt::format("| `{}` | {} | {} | {:.0f} | {} |\n", family(rows[0]),
                       rows[0].at("sizes").get<std::string>(), times, best,
                       peer == 0 ? "" : fmt::format("{:.1f}", peer));
  }
  return out;
}

}  // namespace barline::test
