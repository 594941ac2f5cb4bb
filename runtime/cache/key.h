// SPDX-License-Identifier: Apache-2.0
// What a cache key is made of: an ordered list of named values, everything that decides the bytes
// of a kernel and nothing else. Never a path, a time, a device ordinal or a host name.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/cache/hash.h"

namespace barline::runtime {

/// Ordered name=value fields. Names are unique; order is part of the key.
class KeyRecord {
 public:
  /// Appends a field; throws std::invalid_argument on an empty or repeated name.
  KeyRecord& add(std::string name, std::string value);

  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }
  bool empty() const { return fields_.empty(); }
  /// The value of a field, empty when there is none of that name.
  std::string_view value(std::string_view name) const;

  /// Length-prefixed, so that no two different records have the same bytes.
  std::vector<std::byte> canonical() const;
  static std::optional<KeyRecord> from_canonical(std::span<const std::byte> bytes);
  Hash256 hash() const;  ///< of canonical(), without building it

  /// One "name=value" line a field; line breaks and backslashes of values are escaped.
  std::string text() const;

  /// Names of the fields that differ or stand in one record only, in this record's order.
  std::vector<std::string> differing(const KeyRecord& other) const;

  friend bool operator==(const KeyRecord&, const KeyRecord&) = default;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// The small key of the warm path: known without building the kernel's IR and without LLVM.
struct WarmKey {
  std::string kernel{};      ///< registry name
  std::string config{};      ///< canonical text of schedule, types and bound dims
  std::string target{};      ///< "sm_90a"
  std::string codegen_id{};  ///< hash of the compiler's sources
  std::string assembler{};   ///< the version that the build or pack is pinned to, never asked of it
  std::string options{};     ///< anything else that changes code: debug flag, pass options

  /// Visits every field with its name.
  template <typename F>
  void fields(F&& f) const {
    f("kernel", kernel);
    f("config", config);
    f("target", target);
    f("codegen_id", codegen_id);
    f("assembler", assembler);
    f("options", options);
  }

  Hash256 hash() const;  ///< begins as named_hash() of its name
  KeyRecord record() const;
  friend bool operator==(const WarmKey&, const WarmKey&) = default;
};

/// The name of a config, its first word: "rms_norm.bf16@row256".
std::string_view name_of_config(std::string_view config);

/// How the hashes of all warm keys of a name and a compiler begin, so that they stand side by side
/// in a directory and can be listed without reading others.
inline constexpr std::size_t name_bytes = 8;
Hash256 named_hash(std::string_view name, std::string_view codegen_id);

/// WarmKey::hash() of its record.
Hash256 warm_hash(const KeyRecord& warm);

}  // namespace barline::runtime
