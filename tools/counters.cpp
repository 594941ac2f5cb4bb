// SPDX-License-Identifier: Apache-2.0
#include "tools/counters.h"

#include <fmt/format.h>

#include "tools/error.h"
#include "tools/file.h"

namespace barline::tools {

using nlohmann::json;

CounterFile::CounterFile(const std::string& path) {
  constexpr std::size_t most_bytes = 1 << 20;
  constexpr const char* fix = "write it by bench/peers/ncu_counters.py";
  std::string at = "its first line";
  try {
    const json file = json::parse(read_file(path, most_bytes));
    if (file.at("schema") != "barline.counters/1")
      throw UsageError(fmt::format("{}: schema {} is not barline.counters/1; {}", path,
                                   file.at("schema").dump(), fix));
    for (const json& row : file.at("rows")) {
      at = fmt::format("row {}", rows_.size() + 1);
      rows_.push_back({row.at("kernel"),
                       row.at("sizes"),
                       {.dram_bytes = row.at("dram_bytes"), .dram_share = row.at("dram_share")}});
    }
  } catch (const json::exception& e) {
    throw UsageError(
        fmt::format("{}: {} is no record of counters ({}); {}", path, at, e.what(), fix));
  }
}

const Counters* CounterFile::find(const std::string& kernel,
                                  const nlohmann::ordered_json& sizes) const {
  for (const Row& row : rows_)
    if (row.kernel == kernel && row.sizes == json(sizes)) return &row.counters;
  return nullptr;
}

}  // namespace barline::tools
