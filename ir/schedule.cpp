// SPDX-License-Identifier: Apache-2.0
#include "ir/schedule.h"

#include <fmt/format.h>

#include "ir/attr.h"

namespace barline::ir {
namespace {

std::string_view spelling(Segments s) { return s == Segments::Grid ? "grid" : "inner"; }
std::string_view spelling(Store s) {
  constexpr std::string_view names[] = {"smem", "reg", "none"};
  return names[static_cast<std::size_t>(s)];
}
std::string_view spelling(MatrixUnit u) { return u == MatrixUnit::Mma ? "mma" : "wgmma"; }
std::string_view spelling(Walk w) { return w == Walk::Grid ? "grid" : "persistent"; }
std::string_view spelling(Merge m) {
  constexpr std::string_view names[] = {"none", "smem", "dsmem"};
  return names[static_cast<std::size_t>(m)];
}
std::string_view spelling(Agent a) {
  return spellings(AttrKind::AgentKind)[static_cast<std::size_t>(a)];
}
std::string_view spelling(Team t) {
  constexpr std::string_view names[] = {"thread", "warp", "warpgroup", "cta", "cluster", "grid"};
  return names[static_cast<std::size_t>(t)];
}

class Text {
 public:
  explicit Text(std::string prefix, std::string& out) : prefix_(std::move(prefix)), out_(out) {}

  template <class T>
  void operator()(std::string_view name, const T& value) {
    if constexpr (requires { fields(value, *this); })
      fields(value, Text(fmt::format("{}{}.", prefix_, name), out_));
    else if constexpr (requires { value.items; })
      for (const auto& item : value) (*this)(name, item);
    else if constexpr (requires { spelling(value); })
      add(name, spelling(value));
    else
      add(name, value);
  }

 private:
  template <class T>
  void add(std::string_view name, const T& value) {
    out_ += fmt::format("{}{}{}={}", out_.empty() ? "" : " ", prefix_, name, value);
  }

  std::string prefix_;
  std::string& out_;
};

}  // namespace

std::string text(const Schedule& s) {
  std::string out;
  fields(s, Text("", out));
  return out;
}

}  // namespace barline::ir
