// SPDX-License-Identifier: Apache-2.0
// The entry file: what is written comes back, and no damage of any kind gets through the reader.
#include "runtime/cache/entry.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "runtime/cache/bytes_p.h"
#include "runtime/cache/warm_file.h"
#include "tests/runtime/support.h"

using namespace barline::runtime;
using namespace barline::runtime::test;

namespace {

Entry full_entry() {
  Entry entry = sample_entry();
  entry.ptx = ".version 8.0\n.target sm_90\n";
  entry.metadata.signature = "x: f16[rows, d]";
  entry.metadata.compile_ms = 12.625;
  entry.metadata.cooperative = true;
  entry.metadata.workspace_bytes = std::uint64_t{1} << 40;
  entry.metadata.extra = {{"loads_before_wait", "8"}, {"movs_per_mma", "0.25"}};
  return entry;
}

/// Writes `value` at `offset` and makes the hash right again, as a forger would.
template <typename Int>
std::vector<std::byte> forged(std::vector<std::byte> bytes, std::size_t offset, Int value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  const Hash256 hash =
      Blake3().update(std::span(bytes).first(16)).update(std::span(bytes).subspan(48)).finish();
  std::memcpy(bytes.data() + 16, hash.bytes.data(), hash.bytes.size());
  return bytes;
}

}  // namespace

TEST_CASE("an entry comes back as it was written") {
  const Entry entry = full_entry();
  const ParsedEntry parsed = parse_entry(serialize_entry(entry));
  REQUIRE(parsed);
  CHECK(*parsed.entry == entry);
}

TEST_CASE("an entry cut at any length is refused") {
  const auto bytes = serialize_entry(full_entry());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const ParsedEntry parsed = parse_entry(std::span(bytes).first(length));
    if (parsed || parsed.problem.empty()) FAIL("taken at " << length << " of " << bytes.size());
  }
  auto longer = bytes;
  longer.push_back(std::byte{0});
  CHECK_FALSE(parse_entry(longer));
}

TEST_CASE("every flipped bit of an entry is noticed") {
  auto bytes = serialize_entry(full_entry());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    if (parse_entry(bytes)) FAIL("bit " << bit % 8 << " of byte " << bit / 8);
    bytes[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
  }
  CHECK(parse_entry(bytes));
}

TEST_CASE("lengths that do not fit are refused even under a right hash") {
  const auto bytes = serialize_entry(full_entry());
  CHECK(parse_entry(forged(bytes, 72, std::uint32_t{1})));
  for (std::uint32_t length : {0u, 1u, 0x7fffffffu, 0xffffffffu}) {
    CHECK_FALSE(parse_entry(forged(bytes, 48, length)));  // key
    CHECK_FALSE(parse_entry(forged(bytes, 52, length)));  // metadata
  }
  for (std::uint64_t length : {std::uint64_t{1}, ~std::uint64_t{0}, ~std::uint64_t{0} - 64}) {
    CHECK_FALSE(parse_entry(forged(bytes, 56, length)));  // cubin
    CHECK_FALSE(parse_entry(forged(bytes, 64, length)));  // PTX
  }
  CHECK(parse_entry(forged(bytes, 72, std::uint32_t{2})).problem == "written for a newer reader");
}

TEST_CASE("random damage under a right hash never crashes the reader") {
  const auto bytes = serialize_entry(full_entry());
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    auto changed = bytes;
    for (int i = 0; i < 3; ++i) changed[random() % bytes.size()] = static_cast<std::byte>(random());
    const auto parsed = parse_entry(forged(changed, 72, std::uint32_t{1}));
    if (!parsed && parsed.problem.empty()) FAIL("refused without a reason");
  }
}

TEST_CASE("metadata keeps what it does not know and refuses what it cannot read") {
  FieldList fields{{"registers", "48"}, {"from_the_future", "yes"}};
  const auto decoded = Metadata::decode(encode_fields(fields));
  REQUIRE(decoded);
  CHECK(decoded->registers == 48);
  CHECK(decoded->extra_value("from_the_future") == "yes");
  for (const char* value : {"", "-1", "48 ", "4294967296", "many"}) {
    fields[0].second = value;
    CHECK_FALSE(Metadata::decode(encode_fields(fields)));
  }
  Metadata clash;
  clash.extra = {{"registers", "1"}};
  CHECK_THROWS_WITH(clash.encode(), "extra metadata 'registers' has the name of a member");
}

TEST_CASE("an entry above the size limit is not written") {
  Entry entry = sample_entry();
  entry.ptx.resize(max_entry_bytes);
  CHECK_THROWS_AS(serialize_entry(entry), std::length_error);
}

TEST_CASE("a cubin is whole, 64-bit and CUDA's, or it is refused") {
  const auto cubin = tiny_cubin(200);
  CHECK(cubin_problem(cubin).empty());
  for (std::size_t length = 0; length < cubin.size(); ++length) {
    if (cubin_problem(std::span(cubin).first(length)).empty()) FAIL("taken at " << length);
  }
  auto other = cubin;
  other[18] = std::byte{62};
  CHECK(cubin_problem(other) == "ELF machine 62 is not CUDA (190)");
  other = cubin;
  other[4] = std::byte{1};
  CHECK(cubin_problem(other) == "not a 64-bit little-endian ELF file");
  other = cubin;
  other[0] = std::byte{0};
  CHECK(cubin_problem(other) == "not an ELF file");
}

TEST_CASE("a warm file comes back as it was written and no damage gets through") {
  const WarmFile file{sample_warm().record(), blake3("entry")};
  auto bytes = serialize_warm(file);
  const auto parsed = parse_warm(bytes);
  REQUIRE(parsed);
  CHECK(parsed->warm == file.warm);
  CHECK(parsed->entry == file.entry);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    if (parse_warm(std::span(bytes).first(length))) FAIL("taken at " << length);
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    if (parse_warm(bytes)) FAIL("bit " << bit);
    bytes[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
  }
}
