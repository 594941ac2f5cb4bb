// SPDX-License-Identifier: Apache-2.0
// Care of the directory: counts, listing, checking, clearing and eviction touch our own files only.
#include "runtime/cache/maintain.h"

#include <fcntl.h>
#include <sys/file.h>
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

TEST_CASE("collecting removes temporaries whose writer died or that are old, and no others") {
  Ten ten;
  const fs::path tmp = ten.dir.path() / "v1" / "tmp";
  const fs::path old = tmp / "1.old", dead = tmp / "1.dead", live = tmp / "1.live";
  for (const fs::path& path : {old, dead, live}) std::ofstream(path) << "x";
  Ten::set_age(old, std::chrono::hours(2));
  const Fd writer_of_old(::open(old.c_str(), O_RDWR)), writer(::open(live.c_str(), O_RDWR));
  for (const Fd* fd : {&writer_of_old, &writer}) REQUIRE(::flock(fd->get(), LOCK_EX) == 0);
  CHECK(cache_collect(ten.store(), ~0ull, ~0ull).temps == 2);
  CHECK_FALSE(fs::exists(old));
  CHECK_FALSE(fs::exists(dead));
  CHECK(fs::exists(live));
}

TEST_CASE("collecting reports what it kept and drops files set aside a week ago") {
  Ten ten;
  const fs::path bad = ten.dir.path() / "v1" / "bad";
  for (const char* name : {"old", "new"}) std::ofstream(bad / name) << "x";
  Ten::set_age(bad / "old", std::chrono::hours(24 * 8));
  const CollectReport report = cache_collect(ten.store(), ~0ull, 5);
  CHECK(report.bad == 1);
  CHECK_FALSE(fs::exists(bad / "old"));
  CHECK(report.kept == 4);
  CHECK(report.kept_bytes == 4 * fs::file_size(ten.file(9)));
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

TEST_CASE("the nearest entry names the fields that differ") {
  Ten ten;
  const auto changed = [](const KeyRecord& from, const std::string& field, const char* to) {
    KeyRecord key;
    for (const auto& [name, value] : from.fields()) key.add(name, name == field ? to : value);
    return key;
  };
  const KeyRecord key = changed(ten.keys[7], "target", "sm_80");
  const auto nearest = cache_nearest(ten.store(), key, "rms_norm.bf16");
  REQUIRE(nearest);
  CHECK(nearest->hash == ten.keys[7].hash());
  CHECK(nearest->key == ten.keys[7]);
  CHECK(nearest->differing == std::vector<std::string>{"target"});

  SECTION("of as many fields, the one with fewer bytes that differ") {
    const auto near = cache_nearest(ten.store(), changed(ten.keys[7], "ir", "kernel 7x"), "");
    REQUIRE(near);
    CHECK(near->hash == ten.keys[7].hash());
  }
  SECTION("another kernel comes last, however near its key is") {
    KeyRecord far = changed(changed(ten.keys[0], "config", "other"), "target", "sm_120");
    Entry entry = sample_entry(far);
    entry.metadata.kernel = "softmax.bf16";
    REQUIRE(ten.cache.publish(far.hash(), entry));
    CHECK(cache_nearest(ten.store(), key, "softmax.bf16")->hash == far.hash());
  }
  SECTION("none where there is no entry") {
    TempDir empty;
    CHECK_FALSE(cache_nearest(*DiskCache(options_for(empty.path())).store(), key, ""));
  }
}

TEST_CASE("entries are found by the front of their key and read with every check") {
  Ten ten;
  const std::string hex = ten.keys[2].hash().hex();
  CHECK(cache_keys(ten.store(), hex.substr(0, 12)) == std::vector{ten.keys[2].hash()});
  CHECK(cache_keys(ten.store(), "").size() == 10);
  CHECK(cache_keys(ten.store(), "xyz").empty());
  const ParsedEntry read = cache_read(ten.store(), ten.keys[2].hash());
  REQUIRE(read);
  CHECK(*read.entry == sample_entry(ten.keys[2], 1000));
  CHECK(cache_read(ten.store(), sample_key("absent").hash()).problem == "it went away");
  fs::rename(ten.file(3), ten.file(2));
  CHECK(cache_read(ten.store(), ten.keys[2].hash()).problem ==
        "it is stored under another entry's key");
}
