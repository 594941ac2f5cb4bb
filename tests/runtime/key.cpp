// SPDX-License-Identifier: Apache-2.0
// Hashes and keys: known answers, and that nothing that decides a kernel's bytes can hide.
#include "runtime/cache/key.h"

#include <catch2/catch.hpp>
#include <set>

#include "tests/runtime/support.h"

using namespace barline::runtime;
using namespace barline::runtime::test;

TEST_CASE("BLAKE3 gives the published answers") {
  CHECK(blake3("").hex() == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
  CHECK(blake3("abc").hex() == "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
}

TEST_CASE("hashing in pieces gives the hash of the whole") {
  const std::string text(5000, 'x');
  Blake3 hasher;
  for (std::size_t at = 0; at < text.size(); at += 777)
    hasher.update(std::string_view(text).substr(at, 777));
  CHECK(hasher.finish() == blake3(text));
}

TEST_CASE("a hash survives its hex form and nothing else is taken for one") {
  const Hash256 hash = blake3("x");
  CHECK(Hash256::from_hex(hash.hex()) == hash);
  CHECK_FALSE(Hash256::from_hex(hash.hex().substr(1)));
  CHECK_FALSE(Hash256::from_hex("G" + hash.hex().substr(1)));
}

TEST_CASE("changing any field of a key, its name or its place changes the hash") {
  const KeyRecord base = sample_key();
  std::set<std::string> hashes{base.hash().hex()};
  const auto is_new = [&](const KeyRecord& key) { return hashes.insert(key.hash().hex()).second; };
  for (std::size_t i = 0; i < base.fields().size(); ++i) {
    KeyRecord value, name, dropped;
    for (std::size_t j = 0; j < base.fields().size(); ++j) {
      const auto& [n, v] = base.fields()[j];
      value.add(n, i == j ? v + " " : v);
      name.add(i == j ? n + "_" : n, v);
      if (i != j) dropped.add(n, v);
    }
    CHECK(is_new(value));
    CHECK(is_new(name));
    CHECK(is_new(dropped));
  }
  KeyRecord swapped;
  for (auto at = base.fields().rbegin(); at != base.fields().rend(); ++at)
    swapped.add(at->first, at->second);
  CHECK(is_new(swapped));
}

TEST_CASE("text that moves between a name, a value and the next field is another key") {
  KeyRecord one, other;
  one.add("a", "b=c").add("d", "");
  other.add("a=b", "c").add("d", "");
  CHECK(one.hash() != other.hash());
  KeyRecord joined, split;
  joined.add("a", "1\nb=2");
  split.add("a", "1").add("b", "2");
  CHECK(joined.hash() != split.hash());
  CHECK(joined.text() == "a=1\\nb=2\n");
}

TEST_CASE("the hash is that of the canonical bytes, which decode to the same record") {
  const KeyRecord key = sample_key(std::string("binary\0text\n", 12));
  const auto bytes = key.canonical();
  CHECK(key.hash() == blake3(bytes));
  CHECK(KeyRecord::from_canonical(bytes) == key);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CHECK_FALSE(KeyRecord::from_canonical(std::span(bytes).first(length)));
  }
}

TEST_CASE("a key takes no empty and no repeated name") {
  KeyRecord key;
  key.add("ir", "x");
  CHECK_THROWS_WITH(key.add("ir", "y"), "key field 'ir' is given twice");
  CHECK_THROWS_WITH(key.add("", "y"), "a key field needs a name");
}

TEST_CASE("the differing fields of two keys are named") {
  KeyRecord other = sample_key("kernel @other");
  other.add("debug", "1");
  CHECK(sample_key().differing(other) == std::vector<std::string>{"ir", "debug"});
  CHECK(sample_key().differing(sample_key()).empty());
}

TEST_CASE("every member of a warm key decides its hash, which is that of its record") {
  const WarmKey base = sample_warm();
  CHECK(base.hash() == warm_hash(base.record()));
  std::set<std::string> hashes{base.hash().hex()};
  for (std::string WarmKey::*member :
       {&WarmKey::kernel, &WarmKey::config, &WarmKey::target, &WarmKey::codegen_id,
        &WarmKey::assembler, &WarmKey::options}) {
    WarmKey changed = base;
    changed.*member += "x";
    CHECK(hashes.insert(changed.hash().hex()).second);
  }
}

TEST_CASE("the warm keys of a name and a compiler begin alike, and no others do") {
  const WarmKey base = sample_warm("row256 threads=256");
  const auto begin = [](const WarmKey& key) { return key.hash().hex().substr(0, 2 * name_bytes); };
  CHECK(begin(base) == named_hash("row256", base.codegen_id).hex().substr(0, 2 * name_bytes));
  WarmKey same = base;
  same.config = "row256 threads=256 d=64";
  same.target += "x";
  CHECK(begin(same) == begin(base));
  WarmKey other = base;
  other.config = "row2 threads=256";
  CHECK(begin(other) != begin(base));
  WarmKey built = base;
  built.codegen_id += "x";
  CHECK(begin(built) != begin(base));
}
