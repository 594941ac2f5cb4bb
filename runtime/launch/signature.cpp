// SPDX-License-Identifier: Apache-2.0
#include "runtime/launch/signature.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace barline::runtime {
namespace {

[[noreturn]] void refuse(std::string_view text) {
  throw std::invalid_argument(
      fmt::format("launch signature '{}' is not readable; rebuild the entry", text));
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    std::size_t end = text.find(by);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size() || value < 1) refuse(text);
  return value;
}

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::string to_text(const Signature& s, const SignatureSize& size) {
  std::string text = size.axis < 0 ? fmt::format("{}", size.count) : s.axes[size.axis].name;
  for (auto [per, times] : size.rules) text += fmt::format("%{}*{}", per, times);
  return text;
}

std::string to_text(const Signature& s, const SignatureGrid& g) {
  std::vector<std::string> axes;
  for (const SignatureSize& size : g.axes) axes.push_back(to_text(s, size));
  return axes.empty() ? fmt::format("{}", g.count)
                      : fmt::format("{}/{}", fmt::join(axes, g.abreast ? "&" : "+"), g.per_block);
}

SignatureSize parse_size(const Signature& s, std::string_view text) {
  auto parts = split(text, '%');
  if (parts.empty() || parts[0].empty()) refuse(text);
  SignatureSize size;
  for (std::size_t i = 0; i < s.axes.size(); ++i)
    if (s.axes[i].name == parts[0]) size.axis = static_cast<int>(i);
  if (size.axis < 0) size.count = number(parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    auto rule = split(parts[i], '*');
    if (rule.size() != 2) refuse(text);
    size.rules.emplace_back(number(rule[0]), number(rule[1]));
  }
  return size;
}

SignatureDim parse_dim(const Signature& s, std::string_view text) {
  auto equals = text.find('=');
  std::string_view name = text.substr(0, equals);
  SignatureSize size = parse_size(s, equals == text.npos ? name : text.substr(equals + 1));
  if (name.empty()) refuse(text);
  return {std::string(name), std::move(size)};
}

SignatureParam parse_param(const Signature& s, std::string_view text) {
  auto parts = split(text, ':');
  if (parts.size() != 3) refuse(text);
  SignatureParam p;
  p.name = std::string(parts[0]);
  std::string_view type = parts[2].substr(0, parts[2].find('['));
  auto elem = parse_element(type);
  if (!elem) refuse(text);
  p.elem = *elem;
  p.tensor = parts[1] != "scalar";
  if (!p.tensor) return p;
  p.scratch = parts[1] == "scratch";
  p.read = parts[1] != "out";
  p.written = parts[1] != "in";
  std::string_view axes = parts[2].substr(type.size());
  if (axes.size() < 2 || axes.front() != '[' || axes.back() != ']') refuse(text);
  for (std::string_view a : split(axes.substr(1, axes.size() - 2), ','))
    p.axes.push_back(parse_dim(s, a));
  return p;
}

std::string to_text(const Signature& s, const SignatureDim& d) {
  bool named = d.size.axis >= 0 && d.size.rules.empty() && s.axes[d.size.axis].name == d.name;
  return named ? d.name : d.name + "=" + to_text(s, d.size);
}

std::string to_text(const Signature& s, const SignatureParam& p) {
  std::string_view type = name(p.elem);
  if (!p.tensor) return fmt::format("{}:scalar:{}", p.name, type);
  std::vector<std::string> axes;
  for (const SignatureDim& d : p.axes) axes.push_back(to_text(s, d));
  const std::string access =
      p.scratch ? "scratch" : fmt::format("{}{}", p.read ? "in" : "", p.written ? "out" : "");
  return fmt::format("{}:{}:{}[{}]", p.name, access, type, fmt::join(axes, ","));
}

SignatureGrid parse_grid(const Signature& s, std::string_view text) {
  auto parts = split(text, '/');
  SignatureGrid g;
  if (parts.size() == 1) {
    g.count = number(parts[0]);
    return g;
  }
  if (parts.size() != 2 || parts[0].find_last_of("+&") + 1 == parts[0].size()) refuse(text);
  g.abreast = parts[0].find('&') != text.npos;
  for (std::string_view axis : split(parts[0], g.abreast ? '&' : '+'))
    g.axes.push_back(parse_size(s, axis));
  g.per_block = number(parts[1]);
  return g;
}

std::string to_text(const Signature& s, const SignatureMap& m) {
  std::string text = fmt::format("{}:{}x{}{}:{}:{}", s.params[m.param].name, m.rows, m.columns,
                                 m.swizzled ? "s" : "", to_text(s, m.height), to_text(s, m.width));
  for (const SignatureSize& size : m.planes) text += ":" + to_text(s, size);
  return text;
}

SignatureMap parse_map(const Signature& s, std::string_view text) {
  auto parts = split(text, ':');
  if (parts.size() < 4) refuse(text);
  SignatureMap m;
  auto named = [&](const SignatureParam& p) { return p.tensor && p.name == parts[0]; };
  auto param = std::find_if(s.params.begin(), s.params.end(), named);
  if (param == s.params.end()) refuse(text);
  m.param = static_cast<int>(param - s.params.begin());
  m.swizzled = parts[1].ends_with('s');
  auto box = split(parts[1].substr(0, parts[1].size() - m.swizzled), 'x');
  if (box.size() != 2) refuse(text);
  m.rows = number(box[0]);
  m.columns = number(box[1]);
  m.height = parse_size(s, parts[2]);
  m.width = parse_size(s, parts[3]);
  for (std::size_t i = 4; i < parts.size(); ++i) m.planes.push_back(parse_size(s, parts[i]));
  return m;
}

}  // namespace

std::int64_t SignatureSize::of(std::span<const std::int64_t> sizes) const {
  std::int64_t size = axis < 0 ? count : sizes[axis];
  for (auto [per, times] : rules) size = ceil_div(size, per) * times;
  return size;
}

std::int64_t SignatureGrid::blocks(std::span<const std::int64_t> sizes) const {
  if (axes.empty()) return count;
  std::int64_t n = 0;
  for (const SignatureSize& axis : axes) {
    std::int64_t more = ceil_div(axis.of(sizes), per_block);
    n = abreast ? std::max(n, more) : n + more;
  }
  return n;
}

std::string to_text(const Signature& s) {
  std::vector<std::string> params, axes, grid, maps;
  for (const SignatureParam& p : s.params) params.push_back(to_text(s, p));
  for (const SignatureAxis& a : s.axes) axes.push_back(fmt::format("{}:{}", a.name, a.multiple));
  for (const SignatureGrid& g : s.grid) grid.push_back(to_text(s, g));
  for (const SignatureMap& m : s.maps) maps.push_back(to_text(s, m));
  return fmt::format("{}|{}|{}{}{}", fmt::join(params, ";"), fmt::join(axes, ","),
                     fmt::join(grid, ","), maps.empty() ? "" : "|", fmt::join(maps, ";"));
}

Signature parse_signature(std::string_view text) {
  auto section = split(text, '|');
  if (section.size() != 3 && section.size() != 4) refuse(text);
  Signature s;
  for (std::string_view a : split(section[1], ',')) {
    auto parts = split(a, ':');
    if (parts.size() != 2) refuse(text);
    s.axes.push_back({std::string(parts[0]), number(parts[1])});
  }
  for (std::string_view p : split(section[0], ';')) s.params.push_back(parse_param(s, p));
  auto grid = split(section[2], ',');
  if (grid.size() != 3) refuse(text);
  for (int d = 0; d < 3; ++d) s.grid[d] = parse_grid(s, grid[d]);
  if (section.size() == 4)
    for (std::string_view m : split(section[3], ';')) s.maps.push_back(parse_map(s, m));
  return s;
}

}  // namespace barline::runtime
