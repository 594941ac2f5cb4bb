// SPDX-License-Identifier: Apache-2.0
// Writing and checking the warm file.
#include "runtime/cache/warm_file.h"

#include <algorithm>

#include "runtime/cache/bytes_p.h"

namespace barline::runtime {
namespace {

constexpr std::string_view magic = "BLW1";

std::span<const std::byte> bytes_of_hash(const Hash256& hash) {
  return std::as_bytes(std::span(hash.bytes));
}

}  // namespace

std::vector<std::byte> serialize_warm(const WarmFile& file) {
  std::vector<std::byte> rest;
  put_bytes(rest, bytes_of_hash(file.entry));
  put_bytes(rest, file.warm.canonical());
  const Hash256 hash = blake3(rest);
  std::vector<std::byte> out;
  put_bytes(out, bytes_of(magic));
  put_bytes(out, bytes_of_hash(hash));
  put_bytes(out, rest);
  return out;
}

std::optional<WarmFile> parse_warm(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  const auto stored_magic = reader.take(magic.size());
  const auto stored_hash = reader.take(sizeof(Hash256));
  if (reader.failed() || bytes.size() > max_warm_bytes) return std::nullopt;
  const auto rest = bytes.subspan(magic.size() + sizeof(Hash256));
  const auto entry = reader.take(sizeof(Hash256));
  if (reader.failed() || !std::ranges::equal(stored_magic, bytes_of(magic)) ||
      !std::ranges::equal(stored_hash, bytes_of_hash(blake3(rest)))) {
    return std::nullopt;
  }
  auto record = KeyRecord::from_canonical(rest.subspan(sizeof(Hash256)));
  if (!record) return std::nullopt;
  WarmFile file{std::move(*record), {}};
  std::ranges::copy(entry, std::as_writable_bytes(std::span(file.entry.bytes)).begin());
  return file;
}

}  // namespace barline::runtime
