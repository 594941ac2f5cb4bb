// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "verify/gate/registry_reader_p.h"
#include "verify/gate/suggest.h"

namespace barline::verify {

void RegistryReader::fail(Mark at, std::string_view rule, std::string_view fix) const {
  throw FileError(file_, at, rule, fix);
}

void RegistryReader::need_map(const YamlNode& node, std::string_view what, bool or_null) const {
  if (node.is_map() || (or_null && node.is_null())) return;
  fail(node.at, fmt::format("{} is a map of keys to values", what),
       "write one `key: value` a line, or {key: value}");
}

void RegistryReader::check_section(const YamlNode& node, Section section,
                                   std::string_view what) const {
  need_map(node, what);
  std::vector<std::string> known = keys_of(section);
  for (const YamlNode::Entry& e : node.entries) {
    if (std::find(known.begin(), known.end(), e.key) == known.end()) {
      fail(e.at, fmt::format("unknown key '{}' in {}", e.key, what), did_you_mean(e.key, known));
    }
  }
  for (const KeyInfo& k : registry_keys()) {
    if (k.section != section) continue;
    const YamlNode* value = node.find(k.key);
    if (value && k.kind == ValueKind::Count) integer(*value, k.key, k.least, k.most);
    if (k.required && !value) {
      fail(node.at, fmt::format("{} has no '{}'", what, k.key),
           fmt::format("add `{}:` ({})", k.key, k.doc));
    }
  }
}

void RegistryReader::check_name(const YamlNode::Entry& entry, std::string_view what) const {
  auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-+/").find(c) != std::string_view::npos;
  };
  if (entry.key.empty() || entry.key.size() > 64 ||
      !std::all_of(entry.key.begin(), entry.key.end(), good)) {
    fail(entry.at, fmt::format("'{}' is no name of a {}", entry.key.substr(0, 64), what),
         "use 1 to 64 letters, digits, _ - + /");
  }
}

std::string RegistryReader::text(const YamlNode& node, std::string_view what) const {
  if (node.kind != YamlNode::Kind::Scalar || node.text.empty()) {
    fail(node.at, fmt::format("{} is a text", what), "write a single value after the colon");
  }
  return node.text;
}

std::int64_t RegistryReader::integer(const YamlNode& node, std::string_view what,
                                     std::int64_t least, std::int64_t most) const {
  std::int64_t value = 0;
  const char *first = node.text.data(), *last = first + node.text.size();
  bool good = node.kind == YamlNode::Kind::Scalar && !node.quoted;
  if (good) {
    auto [end, error] = std::from_chars(first, last, value);
    good = error == std::errc() && end == last;
  }
  if (!good || value < least || value > most) {
    fail(node.at, fmt::format("{} is an integer from {} to {}", what, least, most),
         "write decimal digits without quotes");
  }
  return value;
}

int RegistryReader::count(const YamlNode& node, std::string_view what) const {
  return static_cast<int>(integer(node, what, 0, std::numeric_limits<int>::max()));
}

double RegistryReader::number(const YamlNode& node, std::string_view what) const {
  double value = 0;
  const char *first = node.text.data(), *last = first + node.text.size();
  bool good = node.kind == YamlNode::Kind::Scalar && !node.quoted;
  if (good) {
    auto [end, error] = std::from_chars(first, last, value);
    good = error == std::errc() && end == last && std::isfinite(value);
  }
  if (!good) fail(node.at, fmt::format("{} is a number", what), "write it as 1e-6 or 0.5");
  return value;
}

std::vector<std::string> RegistryReader::names(const YamlNode& node, std::string_view kind,
                                               const std::vector<std::string>& known) const {
  if (node.kind != YamlNode::Kind::List || node.items.empty()) {
    fail(node.at, fmt::format("expected a list of {}s that is not empty", kind), "write [a, b, c]");
  }
  std::vector<std::string> out;
  for (const YamlNode& item : node.items) {
    std::string name = text(item, kind);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      fail(item.at, fmt::format("unknown {} '{}'", kind, name), did_you_mean(name, known));
    }
    if (std::find(out.begin(), out.end(), name) != out.end()) {
      fail(item.at, fmt::format("{} '{}' stands twice in the list", kind, name), "delete one");
    }
    out.push_back(std::move(name));
  }
  return out;
}

std::vector<std::string> RegistryReader::notes(const YamlNode& node) const {
  if (node.kind != YamlNode::Kind::List || node.items.empty()) {
    fail(node.at, "expected a list of notes that is not empty", "write [C7510]");
  }
  std::vector<std::string> out;
  for (const YamlNode& item : node.items) {
    std::string code = text(item, "a note");
    if (code.size() < 2 || code[0] != 'C' ||
        code.find_first_not_of("0123456789", 1) != std::string::npos) {
      fail(item.at, fmt::format("'{}' is no code of a note", code),
           "write the code that ptxas prints in brackets, as in C7510");
    }
    if (std::find(out.begin(), out.end(), code) != out.end()) {
      fail(item.at, fmt::format("note '{}' stands twice in the list", code), "delete one");
    }
    out.push_back(std::move(code));
  }
  return out;
}

Dims RegistryReader::dims(const YamlNode& node) const {
  need_map(node, "a set of dims");
  Dims out;
  for (const YamlNode::Entry& e : node.entries) {
    check_name(e, "dim");
    out.push_back({e.key, integer(e.value, "a dim", 1, largest_dim)});
  }
  return out;
}

}  // namespace barline::verify
