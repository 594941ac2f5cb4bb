// SPDX-License-Identifier: Apache-2.0
// Metadata as a name=value list. Numbers are decimal; an unknown name stays in `extra`, so that a
// reader keeps what a newer writer added.
#include "runtime/cache/metadata.h"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>
#include <type_traits>

#include "runtime/cache/bytes_p.h"

namespace barline::runtime {
namespace {

template <typename T>
std::string to_text(const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    return value;
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "1" : "0";
  } else {
    return fmt::format("{}", value);
  }
}

template <typename T>
bool from_text(const std::string& text, T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    value = text;
    return true;
  } else if constexpr (std::is_same_v<T, bool>) {
    value = text == "1";
    return text == "1" || text == "0";
  } else {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && stop == end;
  }
}

}  // namespace

std::string_view Metadata::extra_value(std::string_view name) const {
  for (const auto& [other, value] : extra) {
    if (other == name) return value;
  }
  return {};
}

std::vector<std::byte> Metadata::encode() const {
  FieldList list;
  fields(*this, [&](const char* name, const auto& value) {
    if (!extra_value(name).empty()) {
      throw std::invalid_argument(
          fmt::format("extra metadata '{}' has the name of a member", name));
    }
    list.emplace_back(name, to_text(value));
  });
  list.insert(list.end(), extra.begin(), extra.end());
  return encode_fields(list);
}

std::optional<Metadata> Metadata::decode(std::span<const std::byte> bytes) {
  auto list = decode_fields(bytes);
  if (!list) return std::nullopt;
  Metadata metadata;
  for (auto& [name, text] : *list) {
    bool known = false, good = true;
    fields(metadata, [&](const char* member, auto& value) {
      if (name != member) return;
      known = true;
      good = from_text(text, value);
    });
    if (!good) return std::nullopt;
    if (!known) metadata.extra.emplace_back(std::move(name), std::move(text));
  }
  return metadata;
}

}  // namespace barline::runtime
