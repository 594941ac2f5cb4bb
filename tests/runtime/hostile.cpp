// SPDX-License-Identifier: Apache-2.0
// Something else where a folder or a lock of the cache belongs: nothing is read from it, nothing is
// written through it, nobody hangs, and the one warning says what to do.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "runtime/cache/kernel_cache.h"
#include "runtime/cache/maintain.h"
#include "tests/runtime/support.h"

using namespace barline::runtime;
using namespace barline::runtime::test;
namespace fs = std::filesystem;

namespace {

enum class Trap { Link, DanglingLink, File, Fifo, Open, GroupOpen, OtherUser };
constexpr Trap traps[] = {Trap::Link, Trap::DanglingLink, Trap::File,     Trap::Fifo,
                          Trap::Open, Trap::GroupOpen,    Trap::OtherUser};

struct Directory {
  TempDir dir;
  fs::path cache = dir.path() / "cache", elsewhere = dir.path() / "elsewhere";
  std::vector<std::string> warnings;

  Directory() {
    fs::create_directory(elsewhere);
    build();
  }

  Found build() {
    KernelCache kernels(options_for(cache, &warnings));
    return kernels.get_or_build(sample_key(), sample_warm(), [] { return sample_entry(); });
  }

  /// Puts the trap where `folder` of v1 was; what was in it goes to where a link leads.
  void set(const std::string& folder, Trap trap) {
    const fs::path path = cache / "v1" / folder;
    switch (trap) {
      case Trap::Open: fs::permissions(path, fs::perms(0777)); return;
      case Trap::GroupOpen: fs::permissions(path, fs::perms(0770)); return;
      case Trap::OtherUser: REQUIRE(::chown(path.c_str(), 12345, 12345) == 0); return;
      default: break;
    }
    fs::remove_all(elsewhere);
    fs::rename(path, elsewhere);
    if (trap == Trap::Link) fs::create_directory_symlink(elsewhere, path);
    if (trap == Trap::DanglingLink) fs::create_directory_symlink(dir.path() / "nowhere", path);
    if (trap == Trap::File) std::ofstream(path) << "x";
    if (trap == Trap::Fifo) REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  }

  std::size_t files_elsewhere() const { return files_below(elsewhere, "").size(); }
};

std::string shard() { return sample_key().hash().hex().substr(0, 2); }
std::string warm_shard() { return "warm/" + sample_warm().hash().hex().substr(0, 2); }

}  // namespace

TEST_CASE("a folder of entries or warm keys that is not ours is neither read nor written") {
  const std::string folder = GENERATE(shard(), warm_shard(), std::string("warm"));
  for (const Trap trap : traps) {
    if (trap == Trap::OtherUser && ::geteuid() != 0) continue;
    Directory d;
    REQUIRE(d.build().source == Source::Disk);
    d.set(folder, trap);
    const std::size_t before = d.files_elsewhere();
    const Found found = d.build();
    INFO(folder << " trap " << static_cast<int>(trap));
    REQUIRE(found);
    CHECK(*found.entry == sample_entry());
    CHECK(found.source == (folder == shard() ? Source::Built : Source::Disk));
    CHECK(d.files_elsewhere() == before);
    REQUIRE(d.warnings.size() == 1);
    const bool mode = trap == Trap::Open || trap == Trap::GroupOpen;
    const char* fix = mode                      ? "run chmod"
                      : trap == Trap::OtherUser ? "belongs to user"
                                                : "remove it";
    CHECK_THAT(d.warnings[0],
               Catch::Contains((d.cache / "v1" / folder).string()) && Catch::Contains(fix));
  }
}

TEST_CASE("a folder of temporaries that is not ours is not written through") {
  for (const Trap trap : traps) {
    if (trap == Trap::OtherUser && ::geteuid() != 0) continue;
    Directory d;
    fs::remove_all(d.cache / "v1" / shard());
    d.set("tmp", trap);
    const Found found = d.build();
    INFO("trap " << static_cast<int>(trap));
    REQUIRE(found);
    CHECK(*found.entry == sample_entry());
    CHECK(d.files_elsewhere() == 0);
    REQUIRE(d.warnings.size() == 1);
    CHECK_THAT(d.warnings[0], Catch::Contains("cannot be written") &&
                                  Catch::Contains((d.cache / "v1" / "tmp").string()));
  }
}

TEST_CASE("locks and the folder of bad files may be traps: nobody hangs, nothing is lost") {
  const std::string folder = GENERATE("locks", "bad");
  for (const Trap trap : traps) {
    if (trap == Trap::OtherUser && ::geteuid() != 0) continue;
    Directory d;
    d.set(folder, trap);
    const std::size_t before = d.files_elsewhere();
    for (const fs::path& file : files_below(d.cache, ".blc")) write_bytes(file, {});
    const Found found = d.build();
    INFO(folder << " trap " << static_cast<int>(trap));
    REQUIRE(found);
    CHECK(*found.entry == sample_entry());
    CHECK(d.files_elsewhere() == before);
    CHECK(d.warnings.size() == 1);
    CHECK(d.build().source == Source::Disk);  // the bad file made room for the good one
  }
}

TEST_CASE("a lock file may be a link or a FIFO: built without the lock, and soon") {
  const bool fifo = GENERATE(false, true);
  Directory d;
  const fs::path lock = d.cache / "v1" / "locks" / (shard() + ".lock");
  const fs::path target = d.dir.path() / "target";
  fs::remove_all(d.cache / "v1" / shard());
  fs::remove(lock);
  if (fifo) {
    REQUIRE(::mkfifo(lock.c_str(), 0600) == 0);
  } else {
    fs::create_symlink(target, lock);
  }
  CHECK(d.build().source == Source::Built);
  CHECK(d.warnings.empty());
  CHECK_FALSE(fs::exists(target));
}

TEST_CASE("care of a directory follows no link out of it") {
  Directory d;
  const std::string folder = GENERATE(shard(), std::string("warm"), std::string("tmp"));
  d.set(folder, Trap::Link);
  const fs::path precious = d.elsewhere / "precious";
  std::ofstream(precious) << "x";
  DiskCache cache(options_for(d.cache));
  REQUIRE(cache.store() != nullptr);
  const std::size_t before = d.files_elsewhere();
  cache_verify(*cache.store(), true);
  cache_collect(*cache.store(), 0, 0, std::chrono::seconds(0));
  cache_clear(*cache.store());
  CHECK(d.files_elsewhere() == before);
}
