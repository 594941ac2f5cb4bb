// SPDX-License-Identifier: Apache-2.0
#include "tools/tuned_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "tools/file.h"
#include "tools/yaml_reader.h"
#include "verify/gate/registry_file.h"

namespace barline::tools {
namespace {

using verify::FileError;
using verify::YamlNode;
using Fields = std::vector<std::pair<std::string, std::string>>;

/// The fields of an aggregate in flow style.
class Flow {
 public:
  template <class T>
  void operator()(std::string_view name, const T& value) {
    out_ += fmt::format("{}{}: ", out_.empty() ? "" : ", ", name);
    if constexpr (requires { fields(value, *this); }) {
      out_ += of(value);
    } else if constexpr (requires { value.items; }) {
      std::string items;
      for (const auto& item : value) items += (items.empty() ? "" : ", ") + of(item);
      out_ += "[" + items + "]";
    } else {
      out_ += leaf(name, value);
    }
  }

  template <class T>
  static std::string of(const T& aggregate) {
    Flow inside;
    fields(aggregate, inside);
    return "{" + inside.out_ + "}";
  }

 private:
  template <class T>
  static std::string leaf(std::string_view, const T& value) {
    if constexpr (std::is_enum_v<T>)
      return std::string(ir::spelling(value));
    else if constexpr (std::is_same_v<T, std::string_view>)
      return value.empty() ? "\"\"" : std::string(value);
    else
      return fmt::format("{}", value);
  }

  std::string out_;
};

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string to_yaml(const dsl::TunedRow& r) {
  std::string sizes;
  for (const auto& [axis, n] : r.sizes)
    sizes += fmt::format("{}{}: {}", sizes.empty() ? "" : ", ", axis, n);
  std::string out = fmt::format("  - kernel: {}\n", r.kernel);
  if (!r.type.empty()) out += fmt::format("    type: {}\n", r.type);
  out += fmt::format("    target: {}\n", r.target);
  if (!r.shape.empty()) out += fmt::format("    shape: {}\n", r.shape);
  out += fmt::format(
      "    sizes: {{{}}}\n    us: {:.3f}\n    us_range: [{:.3f}, {:.3f}]\n    device: {}\n"
      "    driver: {}\n    date: {}\n    name: {}\n    schedule: {}\n",
      sizes, r.us, r.us_min, r.us_max, quoted(r.device), quoted(r.driver), quoted(r.date),
      quoted(std::string(r.schedule.value.name)), Flow::of(r.schedule.value));
  return out;
}

/// Reads one row; what() of every error names the file and the line.
class RowReader {
 public:
  RowReader(const std::string& file, const YamlNode& row) : file_(file), row_(row) {
    if (!row.is_map()) throw FileError(file, row.at, "a tuned row is a map", "write kernel: ..");
    constexpr std::string_view known[] = {"kernel", "type", "target",   "shape",
                                          "sizes",  "us",   "us_range", "device",
                                          "driver", "date", "name",     "schedule"};
    for (const YamlNode::Entry& e : row.entries)
      if (std::find(std::begin(known), std::end(known), e.key) == std::end(known))
        throw FileError(file, e.at, fmt::format("a tuned row has no key '{}'", e.key), "remove it");
  }

  dsl::TunedRow read() const {
    dsl::TunedRow r{.kernel = text("kernel"),
                    .type = text("type", false),
                    .target = text("target"),
                    .shape = text("shape", false),
                    .us = number(need("us")),
                    .device = text("device"),
                    .driver = text("driver", false),
                    .date = text("date", false)};
    r.us_min = r.us_max = r.us;
    if (const YamlNode* range = row_.find("us_range"); range && range->items.size() == 2) {
      r.us_min = number(range->items[0]);
      r.us_max = number(range->items[1]);
    }
    for (const YamlNode::Entry& e : need("sizes").entries)
      r.sizes[e.key] = static_cast<std::int64_t>(number(e.value));
    const YamlNode& schedule = need("schedule");
    Fields flat;
    flatten(schedule, "", flat);
    try {
      r.schedule = ir::parse_schedule(text("name"), flat);
    } catch (const std::invalid_argument& e) {
      throw FileError(file_, schedule.at, e.what(), "tune again, or correct the field");
    }
    return r;
  }

 private:
  const YamlNode& need(std::string_view key) const {
    if (const YamlNode* n = row_.find(key)) return *n;
    throw FileError(file_, row_.at, fmt::format("a tuned row needs '{}'", key), "add it");
  }
  std::string text(std::string_view key, bool needed = true) const {
    const YamlNode* n = needed ? &need(key) : row_.find(key);
    return n ? n->text : std::string();
  }
  double number(const YamlNode& n) const {
    double value = 0;
    auto [end, error] = std::from_chars(n.text.data(), n.text.data() + n.text.size(), value);
    if (error != std::errc() || end != n.text.data() + n.text.size())
      throw FileError(file_, n.at, fmt::format("'{}' is not a number", n.text), "write a number");
    return value;
  }
  static void flatten(const YamlNode& node, const std::string& path, Fields& out) {
    if (node.kind == YamlNode::Kind::Map)
      for (const YamlNode::Entry& e : node.entries)
        flatten(e.value, path.empty() ? e.key : path + "." + e.key, out);
    else if (node.kind == YamlNode::Kind::List)
      for (const YamlNode& item : node.items) flatten(item, path, out);
    else
      out.emplace_back(path, node.text);
  }

  const std::string& file_;
  const YamlNode& row_;
};

}  // namespace

std::string to_yaml(const dsl::Tuned& tuned) {
  std::string out =
      "# The fastest schedule of each kernel, shape and target, as `barline tune` measured it.\n"
      "version: 1\ntuned:\n";
  for (const dsl::TunedRow& r : tuned.rows()) out += to_yaml(r);
  return out;
}

void read_tuned(const std::string& path, dsl::Tuned& into) {
  YamlNode tree = read_yaml(read_file(path, verify::max_registry_bytes), path);
  const YamlNode *version = tree.find("version"), *rows = tree.find("tuned");
  if (!version || version->text != "1")
    throw FileError(path, tree.at, "no 'version: 1'", "write it with barline tune --write");
  if (!rows) throw FileError(path, tree.at, "no 'tuned:' list", "add one");
  for (const YamlNode& row : rows->items) into.add(RowReader(path, row).read());
}

}  // namespace barline::tools
