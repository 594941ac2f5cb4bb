// SPDX-License-Identifier: Apache-2.0
// One visitor over a row's fields serves both directions; numbers are decimal, hashes hexadecimal.
#include <charconv>
#include <type_traits>

#include "runtime/cache/bytes_p.h"
#include "runtime/pack/manifest_p.h"

namespace barline::runtime {
namespace {

template <typename Row, typename F>
void visit(Row& row, F&& f) {
  f("name", row.name);
  f("target", row.target);
  f("warm", row.warm);
  f("key", row.key);
  f("content", row.content);
  f("offset", row.offset);
  f("bytes", row.bytes);
}

std::string text_of(const std::string& value) { return value; }
std::string text_of(const Hash256& value) { return value.hex(); }
std::string text_of(std::uint64_t value) { return std::to_string(value); }

bool read(const std::string& text, std::string& value) {
  value = text;
  return !text.empty();
}
bool read(const std::string& text, Hash256& value) {
  const auto hash = Hash256::from_hex(text);
  if (hash) value = *hash;
  return hash.has_value();
}
bool read(const std::string& text, std::uint64_t& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

bool decode_row(const FieldList& fields, PackRow& row) {
  bool good = true;
  visit(row, [&](const char* name, auto& value) {
    bool found = false;
    for (const auto& [other, text] : fields)
      if (other == name) found = read(text, value);
    good = good && found;
  });
  return good;
}

}  // namespace

std::vector<std::byte> encode_manifest(std::span<const PackRow> rows) {
  std::vector<std::byte> out;
  for (const PackRow& row : rows) {
    FieldList fields;
    visit(row,
          [&](const char* name, const auto& value) { fields.emplace_back(name, text_of(value)); });
    const std::vector<std::byte> bytes = encode_fields(fields);
    put_int(out, static_cast<std::uint32_t>(bytes.size()));
    put_bytes(out, bytes);
  }
  return out;
}

std::optional<std::vector<PackRow>> decode_manifest(std::span<const std::byte> bytes,
                                                    std::size_t rows) {
  ByteReader reader(bytes);
  std::vector<PackRow> out;
  for (std::size_t i = 0; i < rows && !reader.failed(); ++i) {
    const auto row_bytes = reader.take(reader.take_int<std::uint32_t>());
    const auto fields = decode_fields(row_bytes);
    if (reader.failed() || !fields || !decode_row(*fields, out.emplace_back())) return std::nullopt;
  }
  if (!reader.at_end()) return std::nullopt;
  return out;
}

}  // namespace barline::runtime
