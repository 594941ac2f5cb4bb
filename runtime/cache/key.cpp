// SPDX-License-Identifier: Apache-2.0
// Key records: canonical bytes, their hash without building them, and their text.
#include "runtime/cache/key.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "runtime/cache/bytes_p.h"

namespace barline::runtime {
namespace {

void update_field(Blake3& hasher, std::string_view name, std::string_view value) {
  hasher.update_u32(static_cast<std::uint32_t>(name.size())).update(name);
  hasher.update_u32(static_cast<std::uint32_t>(value.size())).update(value);
}

/// A warm key's hash with the place of its name at its begin.
Hash256 under_name(Hash256 whole, std::string_view config, std::string_view codegen_id) {
  const Hash256 name = named_hash(name_of_config(config), codegen_id);
  std::copy_n(name.bytes.begin(), name_bytes, whole.bytes.begin());
  return whole;
}

const std::string* find_value(const FieldList& fields, std::string_view name) {
  const auto at = std::find_if(fields.begin(), fields.end(),
                               [&](const auto& field) { return field.first == name; });
  return at == fields.end() ? nullptr : &at->second;
}

}  // namespace

KeyRecord& KeyRecord::add(std::string name, std::string value) {
  if (name.empty()) throw std::invalid_argument("a key field needs a name");
  if (find_value(fields_, name) != nullptr) {
    throw std::invalid_argument(fmt::format("key field '{}' is given twice", name));
  }
  fields_.emplace_back(std::move(name), std::move(value));
  return *this;
}

std::string_view KeyRecord::value(std::string_view name) const {
  const std::string* value = find_value(fields_, name);
  return value != nullptr ? std::string_view(*value) : std::string_view();
}

std::vector<std::byte> KeyRecord::canonical() const { return encode_fields(fields_); }

std::optional<KeyRecord> KeyRecord::from_canonical(std::span<const std::byte> bytes) {
  auto fields = decode_fields(bytes);
  if (!fields) return std::nullopt;
  KeyRecord record;
  record.fields_ = std::move(*fields);
  return record;
}

Hash256 KeyRecord::hash() const {
  Blake3 hasher;
  hasher.update_u32(static_cast<std::uint32_t>(fields_.size()));
  for (const auto& [name, value] : fields_) update_field(hasher, name, value);
  return hasher.finish();
}

std::string KeyRecord::text() const {
  std::string out;
  for (const auto& [name, value] : fields_) {
    out += name;
    out += '=';
    for (char c : value) {
      if (c == '\\') {
        out += "\\\\";
      } else if (c == '\n') {
        out += "\\n";
      } else {
        out += c;
      }
    }
    out += '\n';
  }
  return out;
}

std::vector<std::string> KeyRecord::differing(const KeyRecord& other) const {
  std::vector<std::string> names;
  for (const auto& [name, value] : fields_) {
    const std::string* theirs = find_value(other.fields_, name);
    if (theirs == nullptr || *theirs != value) names.push_back(name);
  }
  for (const auto& [name, value] : other.fields_) {
    if (find_value(fields_, name) == nullptr) names.push_back(name);
  }
  return names;
}

Hash256 WarmKey::hash() const {
  Blake3 hasher;
  std::uint32_t count = 0;
  fields([&](const char*, const std::string&) { ++count; });
  hasher.update_u32(count);
  fields([&](const char* name, const std::string& value) { update_field(hasher, name, value); });
  return under_name(hasher.finish(), config, codegen_id);
}

Hash256 warm_hash(const KeyRecord& warm) {
  return under_name(warm.hash(), warm.value("config"), warm.value("codegen_id"));
}

std::string_view name_of_config(std::string_view config) {
  return config.substr(0, config.find(' '));
}

Hash256 named_hash(std::string_view name, std::string_view codegen_id) {
  Blake3 hasher;
  update_field(hasher, "name", name);
  update_field(hasher, "codegen_id", codegen_id);
  return hasher.finish();
}

KeyRecord WarmKey::record() const {
  KeyRecord record;
  fields([&](const char* name, const std::string& value) { record.add(name, value); });
  return record;
}

}  // namespace barline::runtime
