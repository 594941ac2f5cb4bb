// SPDX-License-Identifier: Apache-2.0
#include "runtime/jit/signature.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <stdexcept>

namespace barline::jit {
namespace {

constexpr std::string_view access_names[] = {"in", "out", "inout"};

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

SignatureParam parse_param(std::string_view text) {
  auto parts = split(text, ':');
  if (parts.size() != 3) refuse(text);
  SignatureParam p;
  p.name = std::string(parts[0]);
  std::string_view type = parts[2].substr(0, parts[2].find('['));
  auto elem = ir::parse_elem(type);
  if (!elem) refuse(text);
  p.elem = *elem;
  p.tensor = parts[1] != "scalar";
  if (!p.tensor) return p;
  for (int i = 0; i < 3; ++i)
    if (parts[1] == access_names[i]) p.access = static_cast<ir::Access>(i);
  std::string_view axes = parts[2].substr(type.size());
  if (axes.size() < 2 || axes.front() != '[' || axes.back() != ']') refuse(text);
  for (std::string_view a : split(axes.substr(1, axes.size() - 2), ',')) p.axes.emplace_back(a);
  return p;
}

}  // namespace

Signature signature_of(const ir::Kernel& k) {
  Signature s;
  std::vector<int> dynamic(k.axes.size(), -1);
  for (std::size_t i = 0; i < k.axes.size(); ++i) {
    if (k.axes[i].bound) continue;
    dynamic[i] = static_cast<int>(s.axes.size());
    s.axes.push_back({k.axes[i].name, k.axes[i].multiple});
  }
  for (const ir::Param& p : k.params) {
    SignatureParam q{.name = p.name,
                     .elem = p.type.elem,
                     .tensor = p.type.is_pointer(),
                     .access = p.access,
                     .axes = {}};
    for (int a : p.axes)
      q.axes.push_back(k.axes[a].bound ? fmt::format("{}={}", k.axes[a].name, *k.axes[a].bound)
                                       : k.axes[a].name);
    s.params.push_back(std::move(q));
  }
  for (int d = 0; d < 3; ++d) {
    const ir::GridDim& g = k.launch.grid[d];
    if (g.axis < 0)
      s.grid[d].count = g.count;
    else if (k.axes[g.axis].bound)
      s.grid[d].count = (*k.axes[g.axis].bound + g.per_block - 1) / g.per_block;
    else
      s.grid[d] = {dynamic[g.axis], g.per_block, 1};
  }
  return s;
}

std::string to_text(const Signature& s) {
  std::vector<std::string> params, axes, grid;
  for (const SignatureParam& p : s.params) {
    std::string type(ir::name(p.elem));
    if (p.tensor) type += fmt::format("[{}]", fmt::join(p.axes, ","));
    params.push_back(fmt::format(
        "{}:{}:{}", p.name, p.tensor ? access_names[static_cast<int>(p.access)] : "scalar", type));
  }
  for (const SignatureAxis& a : s.axes) axes.push_back(fmt::format("{}:{}", a.name, a.multiple));
  for (const SignatureGrid& g : s.grid)
    grid.push_back(g.axis < 0 ? fmt::format("{}", g.count)
                              : fmt::format("{}/{}", s.axes[g.axis].name, g.per_block));
  return fmt::format("{}|{}|{}", fmt::join(params, ";"), fmt::join(axes, ","),
                     fmt::join(grid, ","));
}

Signature parse_signature(std::string_view text) {
  std::size_t first = text.find('|'), last = text.rfind('|');
  if (first == text.npos || first == last) refuse(text);
  Signature s;
  for (std::string_view p : split(text.substr(0, first), ';')) s.params.push_back(parse_param(p));
  for (std::string_view a : split(text.substr(first + 1, last - first - 1), ',')) {
    auto parts = split(a, ':');
    if (parts.size() != 2) refuse(text);
    s.axes.push_back({std::string(parts[0]), number(parts[1])});
  }
  auto grid = split(text.substr(last + 1), ',');
  if (grid.size() != 3) refuse(text);
  for (int d = 0; d < 3; ++d) {
    auto parts = split(grid[d], '/');
    if (parts.size() == 1) {
      s.grid[d].count = number(parts[0]);
      continue;
    }
    for (std::size_t i = 0; i < s.axes.size(); ++i)
      if (s.axes[i].name == parts.at(0)) s.grid[d] = {static_cast<int>(i), number(parts.at(1)), 1};
    if (s.grid[d].axis < 0) refuse(text);
  }
  return s;
}

}  // namespace barline::jit
