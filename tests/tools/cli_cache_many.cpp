// SPDX-License-Identifier: Apache-2.0
// One cache and many processes, and one kernel from many places: how often the assembler runs, and
// what the key and the code depend on.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "runtime/cache/disk_cache.h"
#include "runtime/cache/maintain.h"
#include "runtime/options.h"
#include "tests/tools/cli.h"

using namespace barline;
using namespace barline::test;
namespace fs = std::filesystem;

namespace {

std::string real_ptxas() {
  const runtime::Options options = runtime::options_from_environment();
  if (!options.ptxas.empty()) return options.ptxas.string();
  if (!options.cuda_home.empty()) return (options.cuda_home / "bin/ptxas").string();
  return "/usr/local/cuda/bin/ptxas";
}

/// A ptxas that leaves a line for each kernel that it assembles; its path.
std::string counting_ptxas(const Cli& cli) {
  const std::string path =
      cli.file("ptxas", "#!/bin/sh\ncase \"$*\" in *--version*) ;; *) echo x >>" +
                            cli.path("runs") + " ;; esac\nexec " + real_ptxas() + " \"$@\"\n");
  fs::permissions(path, fs::perms(0700));
  return path;
}

std::size_t lines_of(const std::string& path) {
  const std::string text = slurp(path);
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// Starts `count` processes at once; the number that failed.
int at_once(const Cli& cli, int count, const std::string& words) {
  const std::string script = cli.file(
      "many", "for i in $(seq " + std::to_string(count) +
                  "); do ( " BARLINE_BINARY_DIR "/bin/barline " + words + " >/dev/null 2>>" +
                  cli.path("errors") + " || echo x >>" + cli.path("failed") + " ) & done; wait\n");
  const std::string line = "cd " + cli.path("") + " && BARLINE_CACHE_DIR=" + cli.path("cache") +
                           " bash " + script + " </dev/null";
  if (std::system(line.c_str()) != 0) return count;
  return static_cast<int>(lines_of(cli.path("failed")));
}

/// Code of each entry of a cache, by its key.
std::map<std::string, runtime::Entry> entries_of(const std::string& dir) {
  runtime::CacheOptions options;
  options.dir = dir;
  runtime::DiskCache cache(options);
  REQUIRE(cache.store() != nullptr);
  std::map<std::string, runtime::Entry> entries;
  for (const runtime::Hash256& key : runtime::cache_keys(*cache.store(), "")) {
    runtime::ParsedEntry read = runtime::cache_read(*cache.store(), key);
    REQUIRE(read);
    read.entry->metadata.compile_ms = 0;  // of an entry's bytes only this is measured
    entries.emplace(key.hex(), std::move(*read.entry));
  }
  return entries;
}

/// Names of the files of warm keys.
std::vector<std::string> warm_keys_of(const std::string& dir) {
  std::vector<std::string> names;
  for (const auto& item : fs::recursive_directory_iterator(dir + "/v1/warm"))
    if (item.is_regular_file()) names.push_back(item.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("64 processes and one cold kernel run the assembler once", "[ptxas]") {
  Cli cli;
  CHECK(at_once(cli, 64,
                "build rms_norm.f16@row256 --arch sm_90a --jobs 1 -o . --emit ptx --ptxas " +
                    counting_ptxas(cli)) == 0);
  INFO(slurp(cli.path("errors")));
  CHECK(lines_of(cli.path("runs")) == 1);
}

TEST_CASE("64 processes and over 50 cold kernels run the assembler once for each", "[ptxas]") {
  Cli cli;
  CHECK(at_once(cli, 64,
                "build rms_norm --jobs 2 -o . --emit ptx --ptxas " + counting_ptxas(cli)) == 0);
  INFO(slurp(cli.path("errors")));
  const std::size_t kernels = entries_of(cli.path("cache")).size();
  CHECK(kernels >= 50);
  CHECK(lines_of(cli.path("runs")) == kernels);
}

TEST_CASE("key and code do not depend on folder, locale, threads, order or where barline lies",
          "[ptxas]") {
  Cli cli;
  const std::string names[] = {"rms_norm.f16", "softmax.f16"};
  const auto build = [&](const std::string& cache, const std::string& words,
                         const std::string& environment) {
    return cli.run("build " + words + " --arch sm_90a --cache-dir " + cli.path(cache), environment);
  };
  REQUIRE(build("a", names[0] + " " + names[1] + " --jobs 1", "LC_ALL=C").code == 0);
  // A locale with commas for points, made here: systems seldom have one.
  std::system(
      ("localedef -i de_DE -f UTF-8 " + cli.path("de_DE.UTF-8") + " >/dev/null 2>&1").c_str());
  fs::create_directories(cli.path("elsewhere"));
  fs::create_directories(cli.path("prefix/bin"));
  fs::copy(BARLINE_BINARY_DIR "/bin/barline", cli.path("prefix/bin/barline"));
  fs::copy(BARLINE_BINARY_DIR "/lib", cli.path("prefix/lib"), fs::copy_options::copy_symlinks);
  const std::string line =
      "cd " + cli.path("elsewhere") + " && LOCPATH=" + cli.path("") +
      " LC_ALL=de_DE.UTF-8 TZ=Asia/Tokyo " + cli.path("prefix/bin/barline") + " build " + names[1] +
      " " + names[0] + " --registry " BARLINE_SOURCE_DIR "/kernels.yaml --arch sm_90a --jobs 8" +
      " --cache-dir " + cli.path("b") + " >../out 2>../err </dev/null";
  const int status = std::system(line.c_str());
  INFO(slurp(cli.path("err")));
  REQUIRE(status == 0);
  const auto a = entries_of(cli.path("a")), b = entries_of(cli.path("b"));
  CHECK(a.size() >= 5);
  CHECK(a == b);
  CHECK(warm_keys_of(cli.path("a")) == warm_keys_of(cli.path("b")));
}
