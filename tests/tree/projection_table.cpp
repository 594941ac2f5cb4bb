// SPDX-License-Identifier: Apache-2.0
#include "tests/tree/projection_table.h"

#include <fmt/format.h>

#include <tuple>
#include <vector>

namespace barline::test {
namespace {

using nlohmann::json;

struct Order {
  const char* title;
  std::vector<std::string> kernels;
};
const std::vector<Order> orders{{"fast order", {"wo_nvfp4_fast.", "wo_nvfp4_fast64."}},
                                {"fused order", {"wo_nvfp4_fused."}},
                                {"reference order", {"wo_nvfp4_chains."}}};

bool is_of(const json& row, const Order& order, bool dependent) {
  const std::string name = row.at("name");
  for (const std::string& kernel : order.kernels)
    if (name.starts_with("barline " + kernel) && row.value("dependent", false) == dependent)
      return true;
  return false;
}

/// The least time of the rows that `wanted` takes, or nothing.
template <class Wanted>
std::string fastest(const std::vector<json>& rows, Wanted wanted) {
  const json* best = nullptr;
  for (const json& row : rows)
    if (row.contains("us") && wanted(row) && (!best || row.at("us") < best->at("us"))) best = &row;
  return best ? fmt::format("{:.2f}", best->at("us").get<double>()) : "";
}

std::string line_of(const std::vector<json>& rows) {
  auto named = [&](const char* start) {
    return fastest(
        rows, [&](const json& r) { return r.at("name").get<std::string>().starts_with(start); });
  };
  const json& at = rows.front();
  std::string out = fmt::format("| {} x {} | {} | {} |", at.at("N").get<int>(),
                                at.at("K").get<int>(), at.at("B").get<int>(), named("read-only"));
  for (const Order& order : orders)
    for (bool dependent : {false, true})
      out += fmt::format(" {} |",
                         fastest(rows, [&](const json& r) { return is_of(r, order, dependent); }));
  return out + fmt::format(" {} |\n", named("torch"));
}

}  // namespace

std::string projection_peers_table(const json& record) {
  std::vector<std::vector<json>> problems;
  for (const json& row : record.at("rows")) {
    auto key = [](const json& r) { return std::tuple(r.at("N"), r.at("K"), r.at("B")); };
    if (problems.empty() || key(problems.back().front()) != key(row)) problems.emplace_back();
    problems.back().push_back(row);
  }
  std::string out = fmt::format(
      "{}, driver {}, {}, beside {}. {}. µs, the fastest schedule of each order; dependent: "
      "started "
      "beside the grid before.\n\n| N x K | B | read alone |",
      record.at("device").get<std::string>(), record.at("driver").get<std::string>(),
      record.at("date").get<std::string>().substr(0, 10), record.at("peer").get<std::string>(),
      record.at("harness").get<std::string>());
  for (const Order& order : orders) out += fmt::format(" {} | dependent |", order.title);
  out += " cuBLAS bf16 |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
  for (const auto& rows : problems) out += line_of(rows);
  return out;
}

}  // namespace barline::test
