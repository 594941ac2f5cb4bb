// SPDX-License-Identifier: Apache-2.0
// Files cut at every length and with every bit flipped, where they lie: noticed, told once, built
// again, and the directory is whole again.
#include <catch2/catch.hpp>

#include "runtime/cache/kernel_cache.h"
#include "tests/runtime/support.h"
#include "tests/runtime/syscall_shim.h"

using namespace barline::runtime;
using namespace barline::runtime::test;
namespace fs = std::filesystem;

namespace {

struct Kept {
  TempDir dir{fast_folder()};
  Entry entry = sample_entry();
  std::vector<std::string> warnings;

  Kept() { get(); }

  /// As a process of its own: where the kernel came from, when it is right.
  Source get() {
    const FaultScope no_sync(Fault{});
    KernelCache cache(options_for(dir.path(), &warnings));
    Found found = cache.lookup_warm(sample_warm());
    if (!found) found = cache.get_or_build(entry.key, sample_warm(), [&] { return entry; });
    if (!found || *found.entry != entry) throw std::runtime_error("the kernel is wrong");
    return found.source;
  }
  fs::path file(const std::string& suffix) const { return files_below(dir.path(), suffix).at(0); }
};

/// Puts `bytes` in the file's place; empty, or what went wrong.
std::string after_damage(Kept& kept, const fs::path& file, const std::vector<std::byte>& bytes,
                         Source expected) {
  kept.warnings.clear();
  write_bytes(file, bytes);
  if (kept.get() != expected) return "the damage was not noticed";
  if (kept.warnings.size() != 1) return std::to_string(kept.warnings.size()) + " warnings";
  if (kept.get() != Source::Disk) return "it was not built again";
  return kept.warnings.size() == 1 ? "" : "it is still damaged";
}

/// An entry is built again; a warm key is written again beside an entry that is still good.
void check_all_damage(const std::string& suffix, Source expected) {
  Kept kept;
  REQUIRE(kept.get() == Source::Disk);
  const fs::path file = kept.file(suffix);
  const std::vector<std::byte> good = read_bytes(file);
  for (std::size_t length = 0; length < good.size(); ++length) {
    auto cut = good;
    cut.resize(length);
    const std::string wrong = after_damage(kept, file, cut, expected);
    if (!wrong.empty()) FAIL("cut at " << length << ": " << wrong);
    if (read_bytes(file) != good) FAIL("cut at " << length << ": not as it was");
  }
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto flipped = good;
    flipped[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    const std::string wrong = after_damage(kept, file, flipped, expected);
    if (!wrong.empty()) FAIL("bit " << bit << ": " << wrong);
  }
}

}  // namespace

TEST_CASE("every cut and every flipped bit of an entry on disk is one warning and a new entry") {
  check_all_damage(".blc", Source::Built);
}

TEST_CASE("every cut and every flipped bit of a warm key on disk is one warning and a new key") {
  check_all_damage(".blw", Source::Disk);
}

TEST_CASE("a good entry that another process put in a bad one's place is not set aside") {
  Kept kept;
  const fs::path file = kept.file(".blc");
  DiskCache cache(options_for(kept.dir.path()));
  const std::string name = fs::relative(file, kept.dir.path() / "v1").string();
  const ReadFile bad = cache.store()->read(name, max_entry_bytes);
  REQUIRE(bad.inode != 0);
  // What reading found bad has been replaced meanwhile: a new file under the same name.
  const std::vector<std::byte> good = read_bytes(file);
  write_bytes(kept.dir.path() / "new", good);
  fs::permissions(kept.dir.path() / "new", fs::perms(0600));
  fs::rename(kept.dir.path() / "new", file);
  cache.store()->quarantine(name, bad.inode);
  CHECK(fs::exists(file));
  cache.store()->quarantine(name, cache.store()->read(name, max_entry_bytes).inode);
  CHECK_FALSE(fs::exists(file));
}
