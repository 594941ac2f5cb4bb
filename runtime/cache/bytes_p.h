// SPDX-License-Identifier: Apache-2.0
// Little-endian integers and length-prefixed name=value lists in byte strings. The reader never
// leaves its span: a length that does not fit makes it fail, and it stays failed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace barline::runtime {

using FieldList = std::vector<std::pair<std::string, std::string>>;

template <typename Int>
void put_int(std::vector<std::byte>& out, Int value) {
  for (std::size_t i = 0; i < sizeof(Int); ++i) {
    out.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xff));
  }
}

inline void put_bytes(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <typename Int>
  Int take_int() {
    Int value = 0;
    const auto bytes = take(sizeof(Int));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      value |= static_cast<Int>(std::to_integer<Int>(bytes[i]) << (8 * i));
    }
    return value;
  }
  std::span<const std::byte> take(std::uint64_t count) {
    if (count > rest_.size()) failed_ = true;
    if (failed_) return {};
    const auto taken = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::string take_text(std::uint64_t count) {
    const auto bytes = take(count);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  bool failed() const { return failed_; }
  bool at_end() const { return !failed_ && rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
  bool failed_ = false;
};

/// u32 count, then for every field u32 length, name, u32 length, value.
std::vector<std::byte> encode_fields(const FieldList& fields);
/// Nothing when a length does not fit, bytes are left over, or a name is empty or repeated.
std::optional<FieldList> decode_fields(std::span<const std::byte> bytes);

}  // namespace barline::runtime
