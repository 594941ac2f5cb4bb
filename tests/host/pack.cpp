// SPDX-License-Identifier: Apache-2.0
// Packs: what is written is what is read, and nothing else is.
#include "runtime/pack/pack.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "runtime/cache/own_hash_p.h"
#include "tests/runtime/support.h"

using namespace barline::runtime;
using namespace barline::runtime::test;

namespace {

PackItem item(const std::string& config, const std::string& target, std::size_t payload = 24) {
  KeyRecord key;
  key.add("ir", "kernel @k").add("config", config).add("target", target);
  Entry entry = sample_entry(key, payload);
  entry.metadata.target = target;
  entry.ptx = ".version 8.0";
  return {blake3(config + target), std::make_shared<const Entry>(std::move(entry))};
}

std::vector<PackItem> items() {
  return {item("rms_norm.bf16@row256 threads=256", "sm_80"),
          item("rms_norm.bf16@row256 threads=256", "sm_90a", 4000),
          item("softmax.f32@row256 threads=256 d=64", "sm_90a")};
}

void check_refused(std::vector<std::byte> bytes, const std::string& why = "") {
  try {
    Pack::parse(std::move(bytes), "k.blp");
    FAIL_CHECK("a bad pack was taken");
  } catch (const PackError& e) {
    CHECK_THAT(e.what(), Catch::Contains("pack 'k.blp' cannot be used") && Catch::Contains(why));
  }
}

}  // namespace

TEST_CASE("a pack gives back its entries, by warm key and by name and target") {
  const auto pack = Pack::parse(serialize_pack(items()), "k.blp");
  REQUIRE(pack->rows().size() == 3);
  for (const PackItem& i : items()) {
    const PackRow* row = pack->find(i.warm);
    REQUIRE(row != nullptr);
    CHECK(row->name == entry_name_of(i.entry->key));
    CHECK(row->target == i.entry->metadata.target);
    CHECK(row->key == i.entry->key.hash());
    CHECK(*pack->entry(*row) == *i.entry);
  }
  CHECK(pack->rows()[2].name == "softmax.f32@row256");
  CHECK(pack->find(blake3("another")) == nullptr);
  CHECK(Pack::parse(serialize_pack({}), "k.blp")->rows().empty());
}

TEST_CASE("the same items make the same bytes") {
  CHECK(serialize_pack(items()) == serialize_pack(items()));
}

TEST_CASE("one name and target stand once in a pack") {
  std::vector<PackItem> twice = items();
  twice.push_back(twice[0]);
  CHECK_THROWS_WITH(serialize_pack(twice),
                    Catch::Contains("'rms_norm.bf16@row256' for sm_80 stands twice"));
}

TEST_CASE("a pack truncated at any length is refused") {
  const std::vector<std::byte> whole = serialize_pack(items());
  for (std::size_t length = 0; length < whole.size(); ++length)
    check_refused({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
  std::vector<std::byte> longer = whole;
  longer.push_back(std::byte{0});
  check_refused(longer, "where its header says");
}

TEST_CASE("any flipped bit of a pack is seen") {
  std::vector<std::byte> bytes = serialize_pack({{items()[0], items()[2]}});
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const std::byte mask = std::byte(1u << (bit % 8));
    bytes[bit / 8] ^= mask;
    CHECK_THROWS_AS(Pack::parse(bytes, "k.blp"), PackError);
    bytes[bit / 8] ^= mask;
  }
  CHECK(Pack::parse(bytes, "k.blp")->rows().size() == 2);
}

TEST_CASE("a pack whose hash is right and whose lengths lie is refused all the same") {
  const std::vector<std::byte> whole = serialize_pack(items());
  constexpr std::size_t hash_offset = 16, manifest_bytes = 48, manifest = 64;
  const std::vector<PackRow> honest = Pack::parse(whole, "k.blp")->rows();
  std::uint32_t length = 0;
  std::memcpy(&length, whole.data() + manifest_bytes, sizeof length);
  std::size_t refused = 0, taken = 0;
  for (std::size_t at = 8; at < manifest + length; ++at) {
    if (at >= hash_offset && at < hash_offset + sizeof(Hash256)) continue;
    for (const unsigned value : {0x00u, 0x01u, 0x30u, 0x39u, 0x61u, 0x7fu, 0xffu}) {
      std::vector<std::byte> bytes = whole;
      bytes[at] = static_cast<std::byte>(value);
      seal(bytes, hash_offset);
      try {
        const auto pack = Pack::parse(std::move(bytes), "k.blp");
        for (std::size_t i = 0; i < pack->rows().size(); ++i) {
          const PackRow& row = pack->rows()[i];
          CHECK(row.offset == honest[i].offset);
          CHECK(row.bytes == honest[i].bytes);
          const auto entry = pack->entry(row);
          CHECK(entry->key.hash() == row.key);
          CHECK(row.content == honest[i].content);
        }
        ++taken;  // a letter of a name, a digit of a warm key
      } catch (const PackError&) {
        ++refused;
      }
    }
  }
  CHECK(taken > 0);
  CHECK(refused > taken);
}

TEST_CASE("a pack is read from a regular file that others may not write") {
  const TempDir dir;
  const auto path = dir.path() / "k.blp";
  CHECK_THROWS_WITH(Pack::open(path),
                    Catch::Contains("No such file") && Catch::Contains(path.string()));
  CHECK_THROWS_WITH(Pack::open(dir.path()), Catch::Contains("is no regular file"));
  write_bytes(path, serialize_pack(items()));
  CHECK(Pack::open(path)->rows().size() == 3);
  REQUIRE(::chmod(path.c_str(), 0666) == 0);
  CHECK_THROWS_WITH(Pack::open(path), Catch::Contains("may be written by everyone"));
  const auto fifo = dir.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_THROWS_WITH(Pack::open(fifo), Catch::Contains("is no regular file"));
}
