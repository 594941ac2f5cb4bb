// SPDX-License-Identifier: Apache-2.0
// `barline cache`: what each subcommand says of a cache, and what it leaves of one.
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "runtime/cache/disk_cache.h"
#include "tests/tools/cli.h"

using namespace barline::test;
using namespace barline::runtime;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

const std::string norms =
    "version: 1\nassembler: ptxas 0.0  # to be pinned\ntargets: [sm_80, sm_90a]\nkernels:\n"
    "  rms_norm:\n    types: [f16]\n    schedules: {row256: {}}\n"
    "    shapes: {sim: {rows: 2, d: 40}}\n";

/// An entry as a tuned schedule is kept, text without a cubin: made without an assembler.
KeyRecord put_text(const std::string& dir, const std::string& name) {
  Entry entry;
  entry.key.add("what", name);
  entry.metadata.kernel = name;
  entry.metadata.schedule = "row256";
  entry.metadata.target = "sm_80";
  entry.ptx = "text of " + name;
  CacheOptions options;
  options.dir = dir;
  REQUIRE(DiskCache(options).publish(entry.key.hash(), entry));
  return entry.key;
}

fs::path file_of(const std::string& dir, const KeyRecord& key) {
  const std::string hex = key.hash().hex();
  return fs::path(dir) / "v1" / hex.substr(0, 2) / (hex.substr(2) + ".blc");
}

}  // namespace

TEST_CASE("cache commands on a folder that is not there find an empty cache") {
  Cli cli;
  CHECK(has(cli.run("cache stat").out, "entries    0 "));
  CHECK(cli.run("cache list").out == "");
  CHECK(cli.run("cache verify").out == "0 good, 0 bad\n");
  CHECK(has(cli.run("cache gc").out, "0 files removed"));
  CHECK(cli.run("cache clear").out == "0 files removed\n");
  CHECK_FALSE(fs::exists(cli.path("cache")));
}

TEST_CASE("cache stat tells the caps and each seed") {
  Cli cli;
  put_text(cli.path("cache"), "one");
  put_text(cli.path("seed"), "two");
  const std::string environment = "BARLINE_CACHE_SEED=" + cli.path("seed") + ":" +
                                  cli.path("none") +
                                  " BARLINE_CACHE_MAX_BYTES=1048576 BARLINE_CACHE_MAX_FILES=7";
  Ran r = cli.run("cache stat", environment);
  CHECK(r.code == 0);
  CHECK(has(r.out, "of 1.0 MiB)"));
  CHECK(has(r.out, "1 of 7\n"));
  CHECK(has(r.out, cli.path("seed") + " (1 entries)"));
  CHECK(has(r.out, cli.path("none") + " (not used: ENOENT"));
  json j = json::parse(cli.run("cache stat --json", environment).out);
  CHECK(j["schema"] == "barline.cache_stat/1");
  CHECK(j["entries"] == 1);
  CHECK(j["max_files"] == 7);
  REQUIRE(j["seeds"].size() == 2);
  CHECK(j["seeds"][0]["entries"] == 1);
  CHECK(has(j["seeds"][1]["problem"], "ENOENT"));
}

TEST_CASE("cache verify names a bad entry, fails, and sets it aside when asked") {
  Cli cli;
  const KeyRecord key = put_text(cli.path("cache"), "one");
  put_text(cli.path("cache"), "two");
  spill(file_of(cli.path("cache"), key).string(), "BLC1 and no more");
  Ran r = cli.run("cache verify");
  CHECK(r.code == 1);
  CHECK(has(r.out, key.hash().hex().substr(2) + ".blc: shorter than a header"));
  CHECK(has(r.out, "1 good, 1 bad\n"));
  CHECK(has(cli.run("cache list").out, "BAD: shorter than a header"));
  CHECK(cli.run("cache verify --repair").code == 0);
  CHECK(cli.run("cache verify").out == "1 good, 0 bad\n");
}

TEST_CASE("cache gc keeps to the caps of the environment, and to its own over them") {
  Cli cli;
  for (int i = 0; i < 10; ++i) put_text(cli.path("cache"), std::to_string(i));
  json kept = json::parse(cli.run("cache gc --json").out);
  CHECK(kept["removed"] == 0);
  CHECK(kept["kept"] == 10);
  json by_environment = json::parse(cli.run("cache gc --json", "BARLINE_CACHE_MAX_FILES=9").out);
  CHECK(by_environment["kept"] == 8);
  Ran by_option = cli.run("cache gc --max-files 5");
  CHECK(has(by_option.out, "4 files removed"));
  CHECK(has(by_option.out, "4 files kept"));
  json by_size = json::parse(cli.run("cache gc --max-bytes 1KiB --json").out);
  CHECK(by_size["max_bytes"] == 1024);
  CHECK(by_size["kept_bytes"] <= 1024);
  CHECK(cli.run("cache gc --max-bytes many").code == 2);
  for (const char* cap : {"--max-bytes -5", "--max-bytes=-5", "--max-files -1"}) {
    Ran r = cli.run(std::string("cache gc ") + cap);
    INFO(cap << r.err);
    CHECK(r.code == 2);
    CHECK(has(r.err, "pass a size; see `barline cache gc --help`"));
  }
}

TEST_CASE("cache gc removes what a killed process left") {
  Cli cli;
  put_text(cli.path("cache"), "one");
  spill(cli.path("cache/v1/tmp/1.dead"), "half an entry");
  CHECK(has(cli.run("cache gc").out, "1 temporaries of dead processes"));
  CHECK_FALSE(fs::exists(cli.path("cache/v1/tmp/1.dead")));
}

TEST_CASE("cache clear leaves nothing of ours") {
  Cli cli;
  for (const char* name : {"one", "two"}) put_text(cli.path("cache"), name);
  CHECK(cli.run("cache clear").out == "2 files removed\n");
  CHECK(cli.run("cache list").out == "");
}

TEST_CASE("cache extract writes the code that an entry's key, or its front, names") {
  Cli cli;
  const std::string hex = put_text(cli.path("cache"), "one").hash().hex();
  Ran r = cli.run("cache extract " + hex.substr(0, 8) + " --ptx -o code.ptx");
  CHECK(r.code == 0);
  CHECK(slurp(cli.path("code.ptx")) == "text of one");
  CHECK(cli.run("cache extract " + hex + " --ptx").code == 0);
  CHECK(slurp(cli.path("one.sm_80.ptx")) == "text of one");
}

TEST_CASE("cache extract says why it cannot") {
  Cli cli;
  const KeyRecord key = put_text(cli.path("cache"), "one");
  const std::string hex = key.hash().hex();
  Ran r = cli.run("cache extract " + hex);
  CHECK(r.code == 1);
  CHECK(has(r.err, "holds no cubin; --ptx writes its text"));
  r = cli.run("cache extract 123");
  CHECK(r.code == 2);
  CHECK(has(r.err, "at least 4 hex digits"));
  r = cli.run("cache extract " + std::string(hex[0] == 'f' ? "0000" : "ffff"));
  CHECK(r.code == 2);
  CHECK(has(r.err, "no entry's key begins with"));
  spill(file_of(cli.path("cache"), key).string(), "rubbish");
  r = cli.run("cache extract " + hex);
  CHECK(r.code == 1);
  CHECK(has(r.err, "no BLC1 magic; `barline cache verify --repair` sets it aside"));
}

TEST_CASE("cache extract refuses a front that two keys share") {
  Cli cli;
  std::map<std::string, std::string> fronts;
  for (int i = 0;; ++i) {
    const KeyRecord key = KeyRecord().add("what", std::to_string(i));
    const auto [at, fresh] = fronts.emplace(key.hash().hex().substr(0, 4), std::to_string(i));
    if (fresh) continue;
    put_text(cli.path("cache"), at->second);
    put_text(cli.path("cache"), std::to_string(i));
    Ran r = cli.run("cache extract " + at->first);
    CHECK(r.code == 2);
    CHECK(has(r.err, "2 entries' keys begin with '" + at->first + "'; pass more digits"));
    break;
  }
}

TEST_CASE("cache explain tells hits, and the key's fields that differ of a miss", "[ptxas]") {
  Cli cli;
  cli.file("k.yaml", norms);
  const std::string explain = "cache explain rms_norm --registry k.yaml --arch sm_90a";
  Ran r = cli.run(explain);
  CHECK(r.code == 0);
  CHECK(has(r.out, "miss"));
  CHECK(has(r.out, "no entry to compare with"));
  REQUIRE(cli.run("build rms_norm --registry k.yaml --arch sm_80").code == 0);
  r = cli.run(explain);
  CHECK(has(r.out, "differs in 3 of the key's fields"));
  CHECK(has(r.out, "target: 'sm_80' there, 'sm_90a' wanted"));
  json j = json::parse(cli.run(explain + " --json").out)["kernels"][0];
  CHECK(j["state"] == "miss");
  CHECK(j["nearest"]["differing"][0] ==
        json{{"field", "target"}, {"cached", "sm_80"}, {"wanted", "sm_90a"}});
  REQUIRE(cli.run("build rms_norm --registry k.yaml --arch sm_90a").code == 0);
  j = json::parse(cli.run(explain + " --json").out)["kernels"][0];
  CHECK(j["state"] == "hit");
  CHECK(j["warm"] == true);
  CHECK(has(cli.run("cache list").out, j["key"].get<std::string>().substr(0, 16)));
  j = json::parse(cli.run(explain + " --json --cache-dir " + cli.path("empty"),
                          "BARLINE_CACHE_SEED=" + cli.path("cache"))
                      .out)["kernels"][0];
  CHECK(j["state"] == "seed");
}
