// SPDX-License-Identifier: Apache-2.0
#include "tools/tune_results.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "tools/error.h"
#include "tools/file.h"

namespace barline::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t max_results_bytes = std::size_t{16} << 20;
constexpr std::string_view bench_schema = "barline.bench/1", peers_schema = "barline.peers/1";
constexpr std::string_view of_barline = "barline ";  // begins the names of our rows among peers'

/// What a recorded row says; one that is not to be taken has no kernel.
struct Recorded {
  KernelName kernel{};
  dsl::Sizes sizes{};
  std::string shape{};
};

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

Recorded of_bench(const Json& row) {
  if (row.value("verdict", "") != "PASS" || row.value("mode", "plain") != "plain") return {};
  return {parse_kernel_name(row.value("kernel", "")), parse_sizes(row.value("sizes", "")),
          row.value("shape", "")};
}

/// The axes of a kernel by the register: those of its shapes, and the bound ones.
std::set<std::string> axes_of(const verify::KernelEntry& kernel, std::string_view schedule) {
  std::set<std::string> axes;
  for (const verify::Shape& shape : kernel.shapes)
    for (const verify::Dim& dim : shape.dims) axes.insert(dim.name);
  if (const verify::ScheduleEntry* s = kernel.schedule(schedule))
    for (const verify::Dim& dim : s->dims) axes.insert(dim.name);
  return axes;
}

/// A peers' row has a field an axis, and "segments" by name; nothing where one is missing.
dsl::Sizes peer_sizes(const Json& row, const std::set<std::string>& axes) {
  dsl::Sizes sizes;
  const Json segments = row.value("segments", Json::object());
  for (const std::string& axis : axes) {
    std::string segment = axis.substr(axis.find('_') + 1);
    if (row.contains(axis))
      sizes[axis] = row.at(axis).get<std::int64_t>();
    else if (segment != axis && segments.contains(segment))
      sizes[axis] = segments.at(segment).get<std::int64_t>();
    else
      return {};
  }
  return sizes;
}

/// The register's name of these sizes, or empty. A schedule may bind axes that a shape leaves out.
std::string shape_of(const verify::KernelEntry& kernel, const dsl::Sizes& sizes) {
  for (const verify::Shape& shape : kernel.shapes) {
    bool same = !shape.dims.empty();
    for (const verify::Dim& dim : shape.dims) {
      auto size = sizes.find(dim.name);
      same = same && size != sizes.end() && size->second == dim.value;
    }
    if (same) return shape.name;
  }
  return {};
}

Recorded of_peers(const Json& row, const verify::RegistryFile& registry) {
  std::string name = row.value("name", "");
  if (!name.starts_with(of_barline) || row.contains("refused") || row.contains("calls") ||
      row.value("dependent", false) || row.value("mode", "") == "sustained")
    return {};
  KernelName kernel = parse_kernel_name(name.substr(of_barline.size()));
  const verify::KernelEntry* entry = registry.kernel(kernel.family);
  if (!entry) return {};
  dsl::Sizes sizes = peer_sizes(row, axes_of(*entry, kernel.schedule));
  if (sizes.empty()) return {};
  return {kernel, sizes, shape_of(*entry, sizes)};
}

/// Keeps the row unless a faster one of the same kernel, type, target and sizes is there.
void add_if_faster(dsl::Tuned& into, dsl::TunedRow row) {
  for (const dsl::TunedRow& r : into.rows())
    if (r.kernel == row.kernel && r.type == row.type && r.target == row.target &&
        r.sizes == row.sizes && r.us <= row.us)
      return;
  into.add(std::move(row));
}

/// The number of rows that the library can launch.
int add_rows(const Json& doc, const std::string& target, const Session& session, dsl::Tuned& into) {
  bool bench = doc.value("schema", "") == bench_schema;
  Json driver = doc.value("driver", Json(""));
  int taken = 0;
  for (const Json& r : doc.value("rows", Json::array())) {
    Recorded of = bench ? of_bench(r) : of_peers(r, session.registry());
    const ir::Schedule* schedule = registered(session, of.kernel);
    if (!schedule) continue;
    double us = r.value("us", 0.0);
    add_if_faster(into, {.kernel = of.kernel.family,
                         .type = of.kernel.type,
                         .target = doc.value("target", target),
                         .shape = of.shape,
                         .sizes = of.sizes,
                         .schedule = ir::own(*schedule, schedule->name),
                         .us = us,
                         .us_min = r.value("us_min", us),
                         .us_max = r.value("us_max", us),
                         .device = doc.value("device", ""),
                         .driver = driver.is_string() ? driver.get<std::string>() : driver.dump(),
                         .date = doc.value("date", "")});
    ++taken;
  }
  return taken;
}

}  // namespace

void read_results(const std::string& path, const std::string& target, const Session& session,
                  dsl::Tuned& into) {
  Json doc = Json::parse(read_file(path, max_results_bytes), nullptr, false);
  std::string schema = doc.is_object() ? doc.value("schema", "") : "";
  if (schema != bench_schema && schema != peers_schema)
    throw UsageError(fmt::format(
        "{}: no results of barline bench; pass a file of --json-file or of bench/peers/qkv_rows.py",
        path));
  try {
    if (add_rows(doc, target, session, into)) return;
  } catch (const Json::exception& e) {
    throw UsageError(
        fmt::format("{}: a row has a field of another type ({}); record it again", path, e.what()));
  }
  throw UsageError(fmt::format(
      "{}: no row of a kernel, schedule and sizes that the register has; measure again", path));
}

}  // namespace barline::tools
