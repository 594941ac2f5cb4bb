// SPDX-License-Identifier: Apache-2.0
// Writing and checking packs. The whole file is hashed when it is opened, so that a bad one fails a
// host's start and never a launch; the entries' own hashes are then asked again where one is taken.
#include "runtime/pack/pack.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "runtime/cache/bytes_p.h"
#include "runtime/cache/own_hash_p.h"
#include "runtime/pack/manifest_p.h"

namespace barline::runtime {
namespace {

constexpr std::string_view magic = "BLP1";
constexpr std::string_view trailer = "1PLB";
constexpr std::size_t header_bytes = 64;
constexpr std::size_t hash_offset = 16;
constexpr std::uint32_t reader_version = 1;

bool same(std::span<const std::byte> bytes, std::string_view text) {
  return std::ranges::equal(bytes, bytes_of(text));
}

struct Header {
  std::uint32_t manifest_bytes = 0, rows = 0;
};

/// What is wrong with the file as a whole, or nothing.
std::string frame_problem(std::span<const std::byte> file, Header& header) {
  if (file.size() < magic.size() || !same(file.first(magic.size()), magic))
    return "it does not begin as a pack does";
  if (file.size() < header_bytes + trailer.size()) return "it is shorter than a header";
  ByteReader reader(file.first(header_bytes).subspan(magic.size()));
  const auto stated_header = reader.take_int<std::uint32_t>();
  const auto total = reader.take_int<std::uint64_t>();
  reader.take(sizeof(Hash256));
  header.manifest_bytes = reader.take_int<std::uint32_t>();
  header.rows = reader.take_int<std::uint32_t>();
  const auto least_reader = reader.take_int<std::uint32_t>();
  if (total != file.size())
    return fmt::format("it has {} bytes where its header says {}", file.size(), total);
  if (!is_sealed(file, hash_offset)) return "its content does not match its hash";
  if (least_reader > reader_version || stated_header != header_bytes)
    return "it was written for a newer barline";
  if (!same(file.last(trailer.size()), trailer)) return "its end is missing";
  return {};
}

/// What is wrong with the rows of a whole file, or nothing.
std::string rows_problem(std::span<const std::byte> file, std::span<const PackRow> rows,
                         std::size_t first) {
  std::uint64_t at = first;
  for (const PackRow& row : rows) {
    if (row.offset != at || row.bytes > file.size() - at) return "its entries do not add up";
    at += row.bytes;
  }
  return at + trailer.size() == file.size() ? "" : "its entries do not add up";
}

[[noreturn]] void refuse(const std::string& label, const std::string& problem) {
  throw PackError(
      fmt::format("pack '{}' cannot be used: {}; copy it again, or write it anew with "
                  "`barline pack`",
                  label, problem));
}

PackRow row_of(const PackItem& item, std::span<const std::byte> framed) {
  return {.name = std::string(entry_name_of(item.entry->key)),
          .target = item.entry->metadata.target,
          .warm = item.warm,
          .key = item.entry->key.hash(),
          .content = blake3(framed),
          .bytes = framed.size()};
}

/// Rows whose offsets are right for the manifest that they make: its length hangs on the digits of
/// the offsets, so they are laid out until it stays the same.
std::vector<std::byte> lay_out(std::vector<PackRow>& rows) {
  std::vector<std::byte> manifest = encode_manifest(rows);
  for (std::size_t before = 0; before != manifest.size();) {
    before = manifest.size();
    std::uint64_t at = header_bytes + manifest.size();
    for (PackRow& row : rows) {
      row.offset = at;
      at += row.bytes;
    }
    manifest = encode_manifest(rows);
  }
  return manifest;
}

}  // namespace

std::string_view entry_name_of(const KeyRecord& key) {
  return name_of_config(key.value("config"));
}

std::vector<std::byte> serialize_pack(std::span<const PackItem> items) {
  std::vector<PackRow> rows;
  std::vector<std::byte> body;
  std::set<std::pair<std::string, std::string>> seen;
  for (const PackItem& item : items) {
    const std::vector<std::byte> framed = serialize_entry(*item.entry);
    rows.push_back(row_of(item, framed));
    const PackRow& row = rows.back();
    if (!seen.emplace(row.name, row.target).second)
      throw PackError(fmt::format("'{}' for {} stands twice in the pack; name each config once",
                                  row.name, row.target));
    put_bytes(body, framed);
    if (body.size() > max_pack_bytes)
      throw PackError(fmt::format(
          "the pack is above {} bytes; write one for fewer kernels or targets", max_pack_bytes));
  }
  const std::vector<std::byte> manifest = lay_out(rows);
  std::vector<std::byte> out;
  const std::size_t total = header_bytes + manifest.size() + body.size() + trailer.size();
  out.reserve(total);
  put_bytes(out, bytes_of(magic));
  put_int(out, static_cast<std::uint32_t>(header_bytes));
  put_int(out, static_cast<std::uint64_t>(total));
  out.resize(hash_offset + sizeof(Hash256));
  put_int(out, static_cast<std::uint32_t>(manifest.size()));
  put_int(out, static_cast<std::uint32_t>(rows.size()));
  put_int(out, reader_version);
  put_int(out, std::uint32_t{0});
  put_bytes(out, manifest);
  put_bytes(out, body);
  put_bytes(out, bytes_of(trailer));
  seal(out, hash_offset);
  return out;
}

std::shared_ptr<const Pack> Pack::parse(std::vector<std::byte> bytes, std::string label) {
  Header header;
  if (const std::string problem = frame_problem(bytes, header); !problem.empty())
    refuse(label, problem);
  const std::span<const std::byte> file(bytes);
  if (header.manifest_bytes > file.size() - header_bytes - trailer.size())
    refuse(label, "its manifest does not fit");
  auto rows = decode_manifest(file.subspan(header_bytes, header.manifest_bytes), header.rows);
  if (!rows) refuse(label, "its manifest does not decode");
  if (const auto problem = rows_problem(file, *rows, header_bytes + header.manifest_bytes);
      !problem.empty())
    refuse(label, problem);
  std::shared_ptr<Pack> pack(new Pack);
  pack->label_ = std::move(label);
  pack->bytes_ = std::move(bytes);
  pack->rows_ = std::move(*rows);
  return pack;
}

const PackRow* Pack::find(const Hash256& warm) const {
  const auto at = std::ranges::find(rows_, warm, &PackRow::warm);
  return at == rows_.end() ? nullptr : &*at;
}

std::shared_ptr<const Entry> Pack::entry(const PackRow& row) const {
  const auto framed = std::span(bytes_).subspan(row.offset, row.bytes);
  ParsedEntry parsed = parse_entry(framed);
  std::string problem = parsed.problem;
  if (parsed && parsed.entry->key.hash() != row.key) problem = "it is the entry of another key";
  if (parsed && !parsed.entry->cubin.empty()) problem += cubin_problem(parsed.entry->cubin);
  if (!problem.empty() || blake3(framed) != row.content)
    refuse(label_, fmt::format("entry '{}' for {}: {}", row.name, row.target, problem));
  return std::make_shared<const Entry>(std::move(*parsed.entry));
}

}  // namespace barline::runtime
