// SPDX-License-Identifier: Apache-2.0
#include "tools/tune_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "tools/error.h"
#include "tools/file.h"

namespace barline::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t max_results_bytes = std::size_t{16} << 20;

std::size_t width_of(const std::vector<Tried>& space) {
  std::size_t width = 9;
  for (const Tried& t : space) width = std::max(width, t.candidate.name().size());
  return width;
}

std::string figures(const Tried& t) {
  return fmt::format("{:>3} regs {:>6} B smem {:>4} threads {:>2} blocks/SM", t.registers, t.smem,
                     t.threads, t.blocks_per_sm);
}

/// "K=4096 M=16" as sizes.
dsl::Sizes parse_sizes(std::string_view text) {
  dsl::Sizes sizes;
  while (!text.empty()) {
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    std::size_t eq = word.find('=');
    if (eq == word.npos) continue;
    std::int64_t n = 0;
    std::from_chars(word.data() + eq + 1, word.data() + word.size(), n);
    sizes[std::string(word.substr(0, eq))] = n;
  }
  return sizes;
}

const ir::Schedule* registered(const Session& session, const KernelName& name) {
  const dsl::KernelEntry* entry = session.library().find(name.family);
  if (!entry) return nullptr;
  for (const ir::Schedule& s : entry->schedules)
    if (s.name == name.schedule) return &s;
  return nullptr;
}

/// Keeps the row unless a faster one of the same kernel, type, target and sizes is there.
void add_if_faster(dsl::Tuned& into, dsl::TunedRow row) {
  for (const dsl::TunedRow& r : into.rows())
    if (r.kernel == row.kernel && r.type == row.type && r.target == row.target &&
        r.sizes == row.sizes && r.us <= row.us)
      return;
  into.add(std::move(row));
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

void read_results(const std::string& path, const std::string& target, const Session& session,
                  dsl::Tuned& into) {
  Json doc = Json::parse(read_file(path, max_results_bytes), nullptr, false);
  if (!doc.is_object() || doc.value("schema", "") != "barline.bench/1")
    throw UsageError(
        fmt::format("{}: no results of barline bench; pass a file of --json-file", path));
  Json driver = doc.value("driver", Json(""));
  for (const Json& r : doc.value("rows", Json::array())) {
    if (r.value("verdict", "") != "PASS" || r.value("mode", "plain") != "plain") continue;
    KernelName name = parse_kernel_name(r.value("kernel", ""));
    const ir::Schedule* schedule = registered(session, name);
    if (!schedule) continue;
    double us = r.value("us", 0.0);
    add_if_faster(into, {.kernel = name.family,
                         .type = name.type,
                         .target = doc.value("target", target),
                         .shape = r.value("shape", ""),
                         .sizes = parse_sizes(r.value("sizes", "")),
                         .schedule = ir::own(*schedule, schedule->name),
                         .us = us,
                         .us_min = r.value("us_min", us),
                         .us_max = r.value("us_max", us),
                         .device = doc.value("device", ""),
                         .driver = driver.is_string() ? driver.get<std::string>() : driver.dump(),
                         .date = doc.value("date", "")});
  }
}

}  // namespace barline::tools
