// SPDX-License-Identifier: Apache-2.0
// The cache directory: hits, damaged and hostile files, seeds, and that nothing of it is fatal.
#include "runtime/cache/disk_cache.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/runtime/support.h"

using namespace barline::runtime;
using namespace barline::runtime::test;
namespace fs = std::filesystem;

namespace {

fs::path only_file(const fs::path& dir, const std::string& suffix) {
  const auto files = files_below(dir, suffix);
  REQUIRE(files.size() == 1);
  return files.front();
}

struct Filled {
  TempDir dir;
  KeyRecord key = sample_key();
  Hash256 hash = key.hash();
  Entry entry = sample_entry();
  std::vector<std::string> warnings;

  Filled() { REQUIRE(DiskCache(options_for(dir.path())).publish(hash, entry)); }
  DiskCache open() { return DiskCache(options_for(dir.path(), &warnings)); }
  fs::path file() const { return only_file(dir.path(), ".blc"); }
};

/// The entry is refused, set aside once with one warning that holds `problem`, and can be published
/// again.
void check_set_aside(Filled& filled, const std::string& problem) {
  DiskCache cache = filled.open();
  CHECK_FALSE(cache.find(filled.hash));
  CHECK_FALSE(cache.find(filled.hash));
  CHECK(cache.counters().bad_entry == 1);
  REQUIRE(filled.warnings.size() == 1);
  CHECK_THAT(filled.warnings[0], Catch::Contains(problem));
  CHECK(cache.publish(filled.hash, filled.entry));
  const Found found = cache.find(filled.hash);
  REQUIRE(found);
  CHECK(*found.entry == filled.entry);
}

}  // namespace

TEST_CASE("a published entry is found by another process's cache") {
  Filled filled;
  DiskCache cache = filled.open();
  const Found found = cache.find(filled.hash);
  REQUIRE(found);
  CHECK(found.source == Source::Disk);
  CHECK(*found.entry == filled.entry);
  CHECK(cache.counters().disk_hit == 1);
  CHECK_FALSE(cache.find(sample_key("other").hash()));
  CHECK(filled.warnings.empty());
}

TEST_CASE("the directory is private and tagged for backup tools") {
  Filled filled;
  struct ::stat info {};
  REQUIRE(::stat((filled.dir.path() / "v1").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0700);
  REQUIRE(::stat(filled.file().c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  CHECK(fs::exists(filled.dir.path() / "CACHEDIR.TAG"));
  CHECK(files_below(filled.dir.path() / "v1" / "tmp", "").empty());
}

TEST_CASE("a damaged entry is set aside and built again") {
  Filled filled;
  auto bytes = read_bytes(filled.file());
  SECTION("truncated") {
    bytes.resize(bytes.size() / 2);
    write_bytes(filled.file(), bytes);
    check_set_aside(filled, "where the header says");
  }
  SECTION("empty") {
    write_bytes(filled.file(), {});
    check_set_aside(filled, "no BLC1 magic");
  }
  SECTION("one bit flipped") {
    bytes[200] ^= std::byte{1};
    write_bytes(filled.file(), bytes);
    check_set_aside(filled, "does not match its hash");
  }
  SECTION("a good entry of another key") {
    write_bytes(filled.file(), serialize_entry(sample_entry(sample_key("other"))));
    check_set_aside(filled, "under another entry's key");
  }
  SECTION("a truncated cubin under a right hash") {
    Entry cut = filled.entry;
    cut.cubin.resize(cut.cubin.size() - 1);
    write_bytes(filled.file(), serialize_entry(cut));
    check_set_aside(filled, "truncated");
  }
  SECTION("no code at all") {
    Entry none = filled.entry;
    none.cubin.clear();
    write_bytes(filled.file(), serialize_entry(none));
    check_set_aside(filled, "holds no code");
  }
}

TEST_CASE("what is not our own plain file is never read") {
  Filled filled;
  const fs::path file = filled.file();
  SECTION("a symbolic link to a good entry") {
    const fs::path target = filled.dir.path() / "target";
    fs::rename(file, target);
    fs::create_symlink(target, file);
    check_set_aside(filled, "symbolic link");
  }
  SECTION("a FIFO does not hang the reader") {
    fs::remove(file);
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    check_set_aside(filled, "not a regular file");
  }
  SECTION("a directory") {
    fs::remove(file);
    fs::create_directory(file);
    check_set_aside(filled, "not a regular file");
  }
  SECTION("a file with a second name") {
    fs::create_hard_link(file, filled.dir.path() / "second");
    check_set_aside(filled, "several names");
  }
  SECTION("a file that others may write") {
    fs::permissions(file, fs::perms(0666));
    check_set_aside(filled, "writable by others (mode 0666)");
  }
  SECTION("a file of another user") {
    if (::geteuid() != 0) return;
    REQUIRE(::chown(file.c_str(), 12345, 12345) == 0);
    check_set_aside(filled, "belongs to user 12345");
  }
  SECTION("a huge file") {
    fs::resize_file(file, max_entry_bytes + 1);
    check_set_aside(filled, "too large");
  }
}

TEST_CASE("a directory that cannot be trusted or had means memory only, with one warning") {
  TempDir dir;
  std::vector<std::string> warnings;
  fs::path cache_dir = dir.path() / "cache";
  std::string expected;
  SECTION("others may write to it") {
    fs::create_directory(cache_dir);
    fs::permissions(cache_dir, fs::perms(0777));
    expected = "writable by";
  }
  SECTION("it belongs to another user") {
    if (::geteuid() != 0) return;
    fs::create_directory(cache_dir);
    REQUIRE(::chown(cache_dir.c_str(), 12345, 12345) == 0);
    expected = "belongs to user 12345";
  }
  SECTION("its parent is a file") {
    std::ofstream(dir.path() / "file") << "x";
    cache_dir = dir.path() / "file" / "cache";
    expected = "ENOTDIR";
  }
  SECTION("v1 is a link to elsewhere") {
    fs::create_directory(cache_dir);
    fs::permissions(cache_dir, fs::perms(0700));
    fs::create_directory_symlink(dir.path(), cache_dir / "v1");
    expected = "ENOTDIR";
  }
  DiskCache cache(options_for(cache_dir, &warnings));
  CHECK(cache.store() == nullptr);
  CHECK_FALSE(cache.publish(sample_key().hash(), sample_entry()));
  CHECK_FALSE(cache.find(sample_key().hash()));
  CHECK_FALSE(cache.publish_warm(sample_warm(), sample_key().hash()));
  CHECK_FALSE(cache.lock(sample_key().hash()).held());
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Catch::Contains(expected) && Catch::Contains("in memory only"));
}

TEST_CASE("a directory removed while in use is a miss and is made again") {
  Filled filled;
  DiskCache cache = filled.open();
  REQUIRE(cache.find(filled.hash));
  fs::remove_all(filled.dir.path());
  CHECK_FALSE(cache.find(filled.hash));
  CHECK(cache.publish(filled.hash, filled.entry));
  CHECK(cache.find(filled.hash));
  CHECK(filled.warnings.empty());
}

TEST_CASE("the first of two entries under one key stays") {
  Filled filled;
  DiskCache cache = filled.open();
  Entry second = filled.entry;
  second.metadata.registers = 99;
  CHECK(cache.publish(filled.hash, second));
  CHECK(cache.find(filled.hash).entry->metadata.registers == filled.entry.metadata.registers);
}

TEST_CASE("seeds are searched after the directory and never written") {
  Filled seed;
  fs::permissions(seed.file(), fs::perms(0444));
  auto broken = read_bytes(seed.file());
  TempDir dir;
  std::vector<std::string> warnings;
  CacheOptions options = options_for(dir.path(), &warnings);
  options.seeds = {dir.path() / "absent", seed.dir.path()};
  DiskCache cache(options);
  CHECK(warnings.size() == 1);  // of the absent one
  const Found found = cache.find(seed.hash);
  REQUIRE(found);
  CHECK(found.source == Source::Seed);
  CHECK(cache.counters().seed_hit == 1);
  CHECK(cache.publish(seed.hash, seed.entry));
  CHECK(cache.find(seed.hash).source == Source::Disk);

  fs::permissions(seed.file(), fs::perms(0644));
  broken.back() ^= std::byte{1};
  write_bytes(seed.file(), broken);
  fs::remove(only_file(dir.path(), ".blc"));
  CHECK_FALSE(cache.find(seed.hash));
  CHECK(fs::exists(seed.file()));  // a seed's bad file stays where it is
}

TEST_CASE("a warm key leads to an entry key, can be set anew and is checked") {
  TempDir dir;
  std::vector<std::string> warnings;
  DiskCache cache(options_for(dir.path(), &warnings));
  CHECK_FALSE(cache.find_warm(sample_warm()));
  CHECK(cache.publish_warm(sample_warm(), blake3("one")));
  CHECK(cache.find_warm(sample_warm()) == blake3("one"));
  CHECK_FALSE(cache.find_warm(sample_warm("other")));
  CHECK(cache.publish_warm(sample_warm(), blake3("two")));
  CHECK(cache.find_warm(sample_warm()) == blake3("two"));
  const fs::path file = only_file(dir.path(), ".blw");
  auto bytes = read_bytes(file);
  bytes[40] ^= std::byte{4};
  write_bytes(file, bytes);
  CHECK_FALSE(cache.find_warm(sample_warm()));
  CHECK(cache.counters().bad_entry == 1);
  CHECK(warnings.size() == 1);
}

TEST_CASE("shared mode opens to the group and to no one else") {
  TempDir dir;
  CacheOptions options = options_for(dir.path() / "shared");
  options.mode = CacheMode::Shared;
  const mode_t old = ::umask(077);
  DiskCache cache(options);
  CHECK(cache.publish(sample_key().hash(), sample_entry()));
  ::umask(old);
  struct ::stat info {};
  REQUIRE(::stat((options.dir / "v1").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 02770);
  REQUIRE(::stat(only_file(options.dir, ".blc").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0640);
  CHECK(cache.find(sample_key().hash()));
  fs::permissions(options.dir, fs::perms(0777));
  CHECK(DiskCache(options).store() == nullptr);
}

TEST_CASE("mode off touches no file") {
  TempDir dir;
  CacheOptions options = options_for(dir.path() / "cache");
  options.mode = CacheMode::Off;
  DiskCache cache(options);
  CHECK_FALSE(cache.publish(sample_key().hash(), sample_entry()));
  CHECK_FALSE(fs::exists(options.dir));
}
