// SPDX-License-Identifier: Apache-2.0
// The name=value list codec that keys and metadata share.
#include <unordered_set>

#include "runtime/cache/bytes_p.h"

namespace barline::runtime {

std::vector<std::byte> encode_fields(const FieldList& fields) {
  std::vector<std::byte> out;
  put_int(out, static_cast<std::uint32_t>(fields.size()));
  for (const auto& [name, value] : fields) {
    put_int(out, static_cast<std::uint32_t>(name.size()));
    put_bytes(out, bytes_of(name));
    put_int(out, static_cast<std::uint32_t>(value.size()));
    put_bytes(out, bytes_of(value));
  }
  return out;
}

std::optional<FieldList> decode_fields(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  FieldList fields;
  std::unordered_set<std::string> names;
  const auto count = reader.take_int<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    std::string name = reader.take_text(reader.take_int<std::uint32_t>());
    std::string value = reader.take_text(reader.take_int<std::uint32_t>());
    if (name.empty() || !names.insert(name).second) return std::nullopt;
    fields.emplace_back(std::move(name), std::move(value));
  }
  if (!reader.at_end()) return std::nullopt;
  return fields;
}

}  // namespace barline::runtime
