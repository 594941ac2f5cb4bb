// SPDX-License-Identifier: Apache-2.0
#include "ir/schedule_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <vector>

#include "ir/schedule_names_p.h"

namespace barline::ir {
namespace {

/// A field that is not read yet: its path, of which `prefix` is behind us, and its value.
struct Token {
  std::string_view path, value;
};
using Tokens = std::vector<Token>;
using Names = std::deque<std::string>;

[[noreturn]] void refuse(std::string_view path, std::string_view value, const std::string& rule) {
  throw std::invalid_argument(fmt::format("schedule field {}={}: {}", path, value, rule));
}

/// Fills an aggregate from the tokens below `prefix` and takes them out of the list.
class Reader {
 public:
  Reader(std::string prefix, Tokens& tokens, Names& names)
      : prefix_(std::move(prefix)), tokens_(tokens), names_(names) {}

  /// `fields` hands out const references; what it visits here is never const.
  template <class T>
  void operator()(std::string_view name, const T& field) {
    T& to = const_cast<T&>(field);
    std::string path = prefix_ + std::string(name);
    if constexpr (requires { fields(to, *this); }) {
      fields(to, Reader(path + ".", tokens_, names_));
    } else if constexpr (requires { to.items; }) {
      read_list(path + ".", to);
    } else {
      auto at = std::find_if(tokens_.begin(), tokens_.end(),
                             [&](const Token& t) { return t.path == path; });
      if (at == tokens_.end()) return;
      read(*at, to);
      tokens_.erase(at);
    }
  }

 private:
  template <class T, int N>
  void read_list(const std::string& prefix, List<T, N>& to) {
    to = {};
    std::vector<Tokens> items;
    std::string_view first;
    for (const Token& t : tokens_) {
      if (!t.path.starts_with(prefix)) continue;
      if (items.empty()) first = t.path;
      if (t.path == first) items.emplace_back();
      items.back().push_back(t);
    }
    std::erase_if(tokens_, [&](const Token& t) { return t.path.starts_with(prefix); });
    for (Tokens& item : items) {
      if (to.count == N)
        refuse(prefix.substr(0, prefix.size() - 1), "..", fmt::format("a list of at most {}", N));
      fields(to.items[static_cast<std::size_t>(to.count++)], Reader(prefix, item, names_));
      tokens_.insert(tokens_.end(), item.begin(), item.end());  // what no field took
    }
  }

  void read(const Token& t, std::string_view& to) { to = names_.emplace_back(t.value); }
  void read(const Token& t, bool& to) {
    if (t.value != "true" && t.value != "false") refuse(t.path, t.value, "write true or false");
    to = t.value == "true";
  }
  template <class T>
  requires std::is_enum_v<T>
  void read(const Token& t, T& to) {
    Spellings all = spellings(to);
    auto at = std::find(all.begin(), all.end(), t.value);
    if (at == all.end())
      refuse(t.path, t.value, fmt::format("write one of {}", fmt::join(all, ", ")));
    to = static_cast<T>(at - all.begin());
  }
  template <class T>
  requires std::is_unsigned_v<T>
  void read(const Token& t, T& to) {
    unsigned value = 0;
    auto [end, error] = std::from_chars(t.value.data(), t.value.data() + t.value.size(), value);
    if (error != std::errc() || end != t.value.data() + t.value.size() || T(value) != value)
      refuse(t.path, t.value, fmt::format("write a whole number up to {}", T(-1)));
    to = static_cast<T>(value);
  }

  std::string prefix_;
  Tokens& tokens_;
  Names& names_;
};

OwnedSchedule read(std::string_view name, Tokens tokens) {
  auto names = std::make_shared<Names>();
  OwnedSchedule out;
  out.value.name = names->emplace_back(name);
  fields(out.value, Reader("", tokens, *names));
  if (!tokens.empty())
    refuse(tokens.front().path, tokens.front().value, "a schedule has no such field");
  out.names = std::move(names);
  return out;
}

template <class E>
std::string_view spelled(E e) {
  return spellings(e)[static_cast<std::size_t>(e)];
}

}  // namespace

std::string_view spelling(MatrixUnit unit) { return spelled(unit); }
std::string_view spelling(Walk walk) { return spelled(walk); }
std::string_view spelling(Merge merge) { return spelled(merge); }
std::string_view spelling(Segments segments) { return spelled(segments); }
std::string_view spelling(Store store) { return spelled(store); }
std::string_view spelling(Agent agent) { return spelled(agent); }
std::string_view spelling(Team team) { return spelled(team); }

OwnedSchedule parse_schedule(std::string_view name, FieldTexts texts) {
  Tokens tokens;
  for (const auto& [path, value] : texts) tokens.push_back({path, value});
  return read(name, std::move(tokens));
}

OwnedSchedule parse_schedule(std::string_view name, std::string_view text) {
  Tokens tokens;
  while (!text.empty()) {
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    std::size_t eq = word.find('=');
    if (eq == word.npos) refuse(word, "", "write field=value");
    tokens.push_back({word.substr(0, eq), word.substr(eq + 1)});
  }
  return read(name, std::move(tokens));
}

OwnedSchedule own(const Schedule& schedule, std::string_view name) {
  return parse_schedule(name, text(schedule));
}

}  // namespace barline::ir
