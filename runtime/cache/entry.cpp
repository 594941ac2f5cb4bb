// SPDX-License-Identifier: Apache-2.0
// The entry file. The hash covers every byte but itself, header and trailer too, so that no field
// can change unseen; the lengths are checked all the same before they are used.
#include "runtime/cache/entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "runtime/cache/bytes_p.h"
#include "runtime/cache/own_hash_p.h"

namespace barline::runtime {
namespace {

constexpr std::string_view magic = "BLC1";
constexpr std::string_view trailer = "1CLB";
constexpr std::size_t header_bytes = 80;
constexpr std::size_t hash_offset = 16;
constexpr std::uint32_t reader_version = 1;

ParsedEntry bad(std::string problem) { return {std::nullopt, std::move(problem)}; }

bool starts_with(std::span<const std::byte> bytes, std::string_view text) {
  return bytes.size() >= text.size() &&
         std::ranges::equal(bytes.first(text.size()), bytes_of(text));
}

}  // namespace

std::vector<std::byte> serialize_entry(const Entry& entry) {
  const std::vector<std::byte> key = entry.key.canonical();
  const std::vector<std::byte> metadata = entry.metadata.encode();
  const std::size_t total = header_bytes + key.size() + metadata.size() + entry.cubin.size() +
                            entry.ptx.size() + trailer.size();
  if (total > max_entry_bytes) {
    throw std::length_error(
        fmt::format("a cache entry of {} bytes is above the limit of {}", total, max_entry_bytes));
  }
  std::vector<std::byte> out;
  out.reserve(total);
  put_bytes(out, bytes_of(magic));
  put_int(out, static_cast<std::uint32_t>(header_bytes));
  put_int(out, static_cast<std::uint64_t>(total));
  out.resize(hash_offset + sizeof(Hash256));
  put_int(out, static_cast<std::uint32_t>(key.size()));
  put_int(out, static_cast<std::uint32_t>(metadata.size()));
  put_int(out, static_cast<std::uint64_t>(entry.cubin.size()));
  put_int(out, static_cast<std::uint64_t>(entry.ptx.size()));
  put_int(out, reader_version);
  put_int(out, std::uint32_t{0});
  put_bytes(out, key);
  put_bytes(out, metadata);
  put_bytes(out, entry.cubin);
  put_bytes(out, bytes_of(entry.ptx));
  put_bytes(out, bytes_of(trailer));
  seal(out, hash_offset);
  return out;
}

ParsedEntry parse_entry(std::span<const std::byte> file) {
  if (!starts_with(file, magic)) return bad("no BLC1 magic");
  if (file.size() < header_bytes + trailer.size()) return bad("shorter than a header");
  if (file.size() > max_entry_bytes) return bad("above the size limit");

  ByteReader header(file.first(header_bytes).subspan(magic.size()));
  const auto stated_header = header.take_int<std::uint32_t>();
  const auto total = header.take_int<std::uint64_t>();
  header.take(sizeof(Hash256));
  const auto key_bytes = header.take_int<std::uint32_t>();
  const auto metadata_bytes = header.take_int<std::uint32_t>();
  const auto cubin_bytes = header.take_int<std::uint64_t>();
  const auto ptx_bytes = header.take_int<std::uint64_t>();
  const auto least_reader = header.take_int<std::uint32_t>();
  if (stated_header != header_bytes) return bad("unknown header length");
  if (total != file.size()) {
    return bad(fmt::format("{} bytes where the header says {}", file.size(), total));
  }
  if (!is_sealed(file, hash_offset)) return bad("the content does not match its hash");
  if (least_reader > reader_version) return bad("written for a newer reader");

  ByteReader body(file.subspan(header_bytes));
  const auto key = body.take(key_bytes);
  const auto metadata = body.take(metadata_bytes);
  const auto cubin = body.take(cubin_bytes);
  std::string ptx = body.take_text(ptx_bytes);
  const auto end = body.take(trailer.size());
  if (!body.at_end() || !starts_with(end, trailer)) return bad("the lengths do not add up");

  auto record = KeyRecord::from_canonical(key);
  if (!record) return bad("the key does not decode");
  auto decoded = Metadata::decode(metadata);
  if (!decoded) return bad("the metadata does not decode");
  Entry entry{
      std::move(*record), std::move(*decoded), {cubin.begin(), cubin.end()}, std::move(ptx)};
  return {std::move(entry), {}};
}

std::string entry_problem(const Entry& entry, const Hash256& key) {
  if (entry.key.hash() != key) return "it is stored under another entry's key";
  if (entry.cubin.empty() && entry.ptx.empty()) return "it holds no code";
  return entry.cubin.empty() ? std::string() : cubin_problem(entry.cubin);
}

}  // namespace barline::runtime
