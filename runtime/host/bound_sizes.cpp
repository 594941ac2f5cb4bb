// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/bound_sizes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "runtime/host/host.h"

namespace barline::runtime {

BoundSizes bound_sizes(const KernelRequest& request) {
  BoundSizes dims;
  std::string_view rest = request.bind;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (word.empty()) continue;
    const std::size_t equals = std::min(word.find('='), word.size());
    std::int64_t extent = 0;
    const char* end = word.data() + word.size();
    const char* begin = std::min(word.data() + equals + 1, end);
    const auto [stop, error] = std::from_chars(begin, end, extent);
    if (equals == 0 || error != std::errc() || stop != end || extent < 1)
      throw std::invalid_argument(
          fmt::format("kernel '{}' with bind '{}': '{}' is no axis with its size; write d=8192",
                      request.name, request.bind, word));
    dims[std::string(word.substr(0, equals))] = extent;
  }
  return dims;
}

bool binds(std::string_view config, const BoundSizes& sizes) {
  const std::string words = fmt::format("{} ", config);
  return std::ranges::all_of(sizes, [&](const auto& size) {
    return words.find(fmt::format(" {}={} ", size.first, size.second)) != words.npos;
  });
}

}  // namespace barline::runtime
