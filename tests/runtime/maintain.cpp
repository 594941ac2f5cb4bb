// SPDX-License-Identifier: Apache-2.0
// Care of the directory: counts, listing, checking, clearing and eviction touch our own files only.
#include "runtime/cache/maintain.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "runtime/cache/disk_cache.h"
#include "tests/runtime/support.h"

using namespace barline::runtime;
using namespace barline::runtime::test;
namespace fs = std::filesystem;

namespace {

struct Ten {
  TempDir dir;
  std::vector<KeyRecord> keys;
  DiskCache cache{options_for(dir.path())};

  Ten() {
    for (int i = 0; i < 10; ++i) {
      keys.push_back(sample_key("kernel " + std::to_string(i)));
      REQUIRE(cache.publish(keys[i].hash(), sample_entry(keys[i], 1000)));
      set_age(file(i), std::chrono::hours(100 - i));
    }
  }
  fs::path file(int i) const {
    const std::string hex = keys[static_cast<std::size_t>(i)].hash().hex();
    return dir.path() / "v1" / hex.substr(0, 2) / (hex.substr(2) + ".blc");
  }
  const Store& store() const { return *cache.store(); }

  static void set_age(const fs::path& path, std::chrono::seconds age) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - age);
  }
};

}  // namespace

TEST_CASE("counting and listing") {
  Ten ten;
  REQUIRE(ten.cache.publish_warm(sample_warm(), ten.keys[0].hash()));
  const CacheStat stat = cache_stat(ten.store());
  CHECK(stat.entries == 10);
  CHECK(stat.entry_bytes == 10 * fs::file_size(ten.file(0)));
  CHECK(stat.warm_keys == 1);
  const auto list = cache_list(ten.store());
  REQUIRE(list.size() == 10);
  CHECK(list.front().key == ten.keys[9].hash());  // most recently used first
  CHECK(list.front().metadata.kernel == "rms_norm.bf16");
  CHECK(list.front().problem.empty());
}

TEST_CASE("verify finds each bad file and moves it aside when asked") {
  Ten ten;
  auto bytes = read_bytes(ten.file(3));
  bytes[90] ^= std::byte{1};
  write_bytes(ten.file(3), bytes);
  fs::rename(ten.file(4), ten.file(5));  // entry 4 under the name of entry 5
  VerifyReport report = cache_verify(ten.store(), false);
  CHECK(report.good == 7);
  REQUIRE(report.bad.size() == 2);
  CHECK(fs::exists(ten.file(3)));
  CHECK(cache_list(ten.store()).size() == 9);
  cache_verify(ten.store(), true);
  CHECK_FALSE(fs::exists(ten.file(3)));
  report = cache_verify(ten.store(), false);
  CHECK(report.good == 7);
  CHECK(report.bad.empty());
  CHECK(cache_stat(ten.store()).bad == 2);
}

TEST_CASE("clear removes our files and no other") {
  Ten ten;
  const fs::path mine = ten.dir.path() / "v1" / "notes.txt";
  const fs::path near = ten.file(0).parent_path() / "thesis.blc";
  const fs::path newer = ten.dir.path() / "v2";
  fs::create_directory(newer);
  for (const fs::path& path : {mine, near, newer / "x.blc"}) std::ofstream(path) << "precious";
  CHECK(cache_clear(ten.store()) == 10);
  CHECK(cache_stat(ten.store()).entries == 0);
  for (const fs::path& path : {mine, near, newer / "x.blc"}) CHECK(fs::exists(path));
}

TEST_CASE("eviction removes the least recently used down to four fifths of the cap") {
  Ten ten;
  SECTION("by files") {
    const CollectReport report = cache_collect(ten.store(), ~0ull, 5);
    CHECK(report.removed == 6);
    for (int i = 0; i < 10; ++i) CHECK(fs::exists(ten.file(i)) == (i >= 6));
  }
  SECTION("by bytes") {
    const std::uint64_t bytes = fs::file_size(ten.file(0));
    const CollectReport report = cache_collect(ten.store(), 5 * bytes, ~0ull);
    CHECK(report.removed == 6);
    CHECK(report.removed_bytes == 6 * bytes);
  }
  SECTION("not at the cap") { CHECK(cache_collect(ten.store(), ~0ull, 10).removed == 0); }
  SECTION("a hit makes an entry recent") {
    REQUIRE(ten.cache.find(ten.keys[0].hash()));
    cache_collect(ten.store(), ~0ull, 5);
    CHECK(fs::exists(ten.file(0)));
  }
}

TEST_CASE("eviction removes old temporaries and keeps fresh ones") {
  Ten ten;
  const fs::path old = ten.dir.path() / "v1" / "tmp" / "1.old",
                 fresh = ten.dir.path() / "v1" / "tmp" / "1.new";
  for (const fs::path& path : {old, fresh}) std::ofstream(path) << "x";
  Ten::set_age(old, std::chrono::hours(2));
  CHECK(cache_collect(ten.store(), ~0ull, ~0ull).temps == 1);
  CHECK_FALSE(fs::exists(old));
  CHECK(fs::exists(fresh));
}

TEST_CASE("publishing collects by itself, once in an interval") {
  TempDir dir;
  CacheOptions options = options_for(dir.path());
  options.max_files = 5;
  for (int i = 0; i < 8; ++i) {
    const KeyRecord key = sample_key(std::to_string(i));
    DiskCache(options).publish(key.hash(), sample_entry(key));  // a new process each, as it were
  }
  CHECK(files_below(dir.path(), ".blc").size() == 8);
  const fs::path stamp = dir.path() / "v1" / "locks" / "gc.lock";
  REQUIRE(fs::exists(stamp));
  SECTION("when the interval has passed") { Ten::set_age(stamp, std::chrono::hours(1)); }
  SECTION("when the clock was moved back") { Ten::set_age(stamp, -std::chrono::hours(1)); }
  DiskCache(options).publish(sample_key("last").hash(), sample_entry(sample_key("last")));
  CHECK(files_below(dir.path(), ".blc").size() == 4);
}

TEST_CASE("the nearest entry names the field that differs") {
  Ten ten;
  KeyRecord key;
  for (const auto& [name, value] : ten.keys[7].fields())
    key.add(name, name == "target" ? "sm_80" : value);
  const auto nearest = cache_nearest(ten.store(), key);
  REQUIRE(nearest);
  CHECK(nearest->key == ten.keys[7].hash());
  CHECK(nearest->differing == std::vector<std::string>{"target"});
  TempDir empty;
  CHECK_FALSE(cache_nearest(*DiskCache(options_for(empty.path())).store(), key));
}
