// SPDX-License-Identifier: Apache-2.0
// An ahead-of-time pack: one file with the entries of many kernels for several GPUs, so that a host
// starts with neither compiler nor cache. Each entry is framed as in the cache (entry.h); the
// manifest says which kernel for which target stands where.
//
//   0  "BLP1"            16  BLAKE3 of all other bytes (32)     48  u32 manifest bytes
//   4  u32 header bytes                                         52  u32 rows, u32 least reader
//   8  u64 total bytes                                          60  u32 zero
//  64  manifest | entries, one BLC1 after the other | "1PLB"
//
// All integers are little endian. The manifest is one row an entry: u32 bytes, then name=value
// fields as metadata has them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/cache/entry.h"

namespace barline::runtime {

/// A pack cannot be read or made; the message names the file, what is wrong and what to do.
struct PackError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What goes into a pack: an entry, and the warm key that a compiling host would look it up by.
struct PackItem {
  Hash256 warm;
  std::shared_ptr<const Entry> entry;
};

/// One row of the manifest.
struct PackRow {
  std::string name;                     ///< "rms_norm.bf16@row256": kernel, type and schedule
  std::string target;                   ///< "sm_90a"
  Hash256 warm;                         ///< hash of the warm key
  Hash256 key;                          ///< hash of the entry's content key
  Hash256 content;                      ///< BLAKE3 of the framed entry
  std::uint64_t offset = 0, bytes = 0;  ///< of the framed entry, in the file
};

/// Packs above this size are neither written nor read.
inline constexpr std::size_t max_pack_bytes = std::size_t{1} << 30;

/// The name of an entry: the first word of its key's config, "rms_norm.bf16@row256".
std::string_view entry_name_of(const KeyRecord& key);

/// Throws PackError where two items have one name and target, or the file would be too large.
std::vector<std::byte> serialize_pack(std::span<const PackItem> items);

/// A pack in memory, every byte of it checked. All members may be called from any thread.
class Pack {
 public:
  /// Reads the file. Throws PackError where it cannot be read, is no regular file, may be written
  /// by everyone, or where any byte is not as it was written.
  static std::shared_ptr<const Pack> open(const std::filesystem::path& path);
  /// The same for bytes; `label` stands for the file in messages.
  static std::shared_ptr<const Pack> parse(std::vector<std::byte> bytes, std::string label);

  const std::string& label() const { return label_; }
  const std::vector<PackRow>& rows() const { return rows_; }
  const PackRow* find(const Hash256& warm) const;
  std::shared_ptr<const Entry> entry(const PackRow& row) const;

 private:
  Pack() = default;
  std::string label_;
  std::vector<std::byte> bytes_;
  std::vector<PackRow> rows_;
};

}  // namespace barline::runtime
