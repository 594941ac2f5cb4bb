// SPDX-License-Identifier: Apache-2.0
#include "tools/number_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "tools/error.h"

namespace barline::tools {
namespace {

std::int64_t positive(const std::string& option, std::string_view word) {
  std::int64_t value = 0;
  auto [end, ec] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (ec != std::errc() || end != word.data() + word.size() || value < 1)
    throw UsageError(
        fmt::format("{} '{}': write positive whole numbers, as in {} 1,2,4", option, word, option));
  return value;
}

}  // namespace

std::vector<std::int64_t> parse_numbers(const std::string& option,
                                        const std::vector<std::string>& words) {
  std::vector<std::int64_t> out;
  for (std::string_view rest : words) {
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find_first_of(", "), rest.size());
      if (end > 0) {
        out.push_back(positive(option, rest.substr(0, end)));
        if (std::count(out.begin(), out.end(), out.back()) > 1)
          throw UsageError(
              fmt::format("{}: {} stands twice; name each value once", option, out.back()));
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  if (out.empty()) throw UsageError(fmt::format("{}: no value; write {} 1,2,4", option, option));
  return out;
}

}  // namespace barline::tools
