// SPDX-License-Identifier: Apache-2.0
#include "ir/schedule.h"

#include <fmt/format.h>

#include "ir/schedule_names_p.h"

namespace barline::ir {
namespace {

class Text {
 public:
  explicit Text(std::string prefix, std::string& out) : prefix_(std::move(prefix)), out_(out) {}

  template <class T>
  void operator()(std::string_view name, const T& value) {
    if constexpr (requires { fields(value, *this); })
      fields(value, Text(fmt::format("{}{}.", prefix_, name), out_));
    else if constexpr (requires { value.items; })
      for (const auto& item : value) (*this)(name, item);
    else if constexpr (requires { spellings(value); })
      add(name, spellings(value)[static_cast<std::size_t>(value)]);
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
