// SPDX-License-Identifier: Apache-2.0
#include "tools/tune_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace barline::tools {
namespace {

using Json = nlohmann::ordered_json;

std::size_t width_of(const std::vector<Tried>& space) {
  std::size_t width = 9;
  for (const Tried& t : space) width = std::max(width, t.candidate.name().size());
  return width;
}

std::string figures(const Tried& t) {
  return fmt::format("{:>3} regs {:>6} B smem {:>4} threads {:>2} blocks/SM", t.registers, t.smem,
                     t.threads, t.blocks_per_sm);
}

}  // namespace

std::string table(const std::vector<Tried>& space) {
  std::size_t width = width_of(space);
  std::string out;
  for (const Tried& t : space)
    out += fmt::format("{:<{}}  {}  {}\n", t.candidate.name(), width,
                       t.filter == "build" ? std::string(51, ' ') : figures(t),
                       t.stands() ? "ok" : fmt::format("out at {}: {}", t.filter, t.why));
  return out;
}

std::string table(const TunedShape& shape) {
  std::string out = fmt::format("{}:", shape.shape);
  for (const auto& [axis, n] : shape.sizes) out += fmt::format(" {}={}", axis, n);
  out += '\n';
  for (const Timed& t : shape.rows) {
    std::string time = t.why.empty() ? fmt::format("{:>9.2f} us ({:.2f}..{:.2f})", t.time.median_us,
                                                   t.time.min_us, t.time.max_us)
                                     : "out: " + t.why;
    out += fmt::format("  {:<44}  {}  {}\n", t.tried->candidate.name(), figures(*t.tried), time);
  }
  return out;
}

Json to_json(const Tried& t) {
  return {{"schedule", t.candidate.name()},
          {"seed", t.candidate.seed},
          {"registered", t.candidate.registered},
          {"fields", ir::text(t.config.schedule)},
          {"order_class", order_class(t.config.schedule)},
          {"verdict", t.stands() ? "ok" : "out"},
          {"filter", t.filter},
          {"why", t.why},
          {"registers", t.registers},
          {"smem", t.smem},
          {"threads", t.threads},
          {"blocks_per_sm", t.blocks_per_sm},
          {"occupancy", t.occupancy}};
}

Json to_json(const TunedShape& shape) {
  Json rows = Json::array();
  for (const Timed& t : shape.rows) {
    Json row{{"schedule", t.tried->candidate.name()}};
    if (t.why.empty())
      row.update({{"us", t.time.median_us}, {"us_min", t.time.min_us}, {"us_max", t.time.max_us}});
    else
      row["why"] = t.why;
    rows.push_back(std::move(row));
  }
  return {{"shape", shape.shape}, {"sizes", shape.sizes}, {"rows", std::move(rows)}};
}

}  // namespace barline::tools
