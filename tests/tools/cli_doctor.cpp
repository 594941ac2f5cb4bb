// SPDX-License-Identifier: Apache-2.0
// doctor on machines with planted faults: what it names, and how it exits.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/tools/cli.h"

using barline::test::Cli;
using barline::test::has;
using barline::test::Ran;
using nlohmann::json;

namespace {

json check_of(const std::string& text, const std::string& name) {
  const json doc = json::parse(text);
  for (const json& c : doc["checks"])
    if (c["name"] == name) return c;
  return nullptr;
}

/// A program that answers as ptxas of that release.
std::string fake_ptxas(const Cli& cli, const std::string& release) {
  std::string path = cli.file("ptxas", "#!/bin/sh\necho 'Cuda compilation tools, release " +
                                           release + ", V" + release + ".1'\n");
  ::chmod(path.c_str(), 0755);
  return path;
}

struct Planted {
  const char *environment, *words, *check, *health, *says;
  int code;
};

}  // namespace

TEST_CASE("doctor looks at a dozen things and says why each matters") {
  Cli cli;
  Ran r = cli.run("doctor --json --ptxas " + fake_ptxas(cli, "13.0"));
  INFO(r.out << r.err);
  CHECK(r.code == 0);
  json doc = json::parse(r.out);
  CHECK(doc["schema"] == "barline.doctor/1");
  CHECK(doc["healthy"] == true);
  CHECK(doc["checks"].size() >= 12);
  for (const json& c : doc["checks"]) {
    INFO(c);
    CHECK_FALSE(c["why"].get<std::string>().empty());
    CHECK((c["health"] == "ok") == c["fix"].get<std::string>().empty());
    CHECK(c["health"] != "fail");
  }
  Ran text = cli.run("doctor --ptxas ./ptxas");
  CHECK(has(text.out, "ptxas         ok    ptxas 13.0 at "));
  CHECK(has(text.out, " 0 failed\n"));
  CHECK_FALSE(has(text.out, "why: the assembler reads"));
  CHECK(has(cli.run("doctor --verbose --ptxas ./ptxas").out, "why: the assembler reads"));
}

TEST_CASE("doctor finds what is planted") {
  Cli cli;
  fake_ptxas(cli, "12.8");
  cli.file("bad.yaml", "version: 1\n");
  cli.file("occupied", "a file");
  std::filesystem::create_directories(cli.path("open"));
  ::chmod(cli.path("open").c_str(), 0777);
  const Planted cases[] = {
      {"", "--ptxas /none/ptxas", "ptxas", "fail", "there is no such file", 3},
      {"", "--ptxas ./ptxas", "budgets", "warn", "and this is ptxas 12.8", 0},
      {"", "--ptxas ./ptxas --registry bad.yaml", "register", "fail", "bad.yaml:1:1: ", 2},
      {"", "--ptxas ./ptxas --registry none.yaml", "register", "fail", "no such file", 2},
      {"", "--ptxas ./ptxas --cache-dir occupied", "cache", "warn", "occupied", 0},
      {"", "--ptxas ./ptxas --cache-dir open", "cache", "warn", "open", 0},
      {"BARLINE_CACHE_MODE=off", "--ptxas ./ptxas", "cache", "warn", "off: every run", 0},
      {"BARLINE_CAHCE_DIR=/x", "--ptxas ./ptxas", "environment", "warn", "BARLINE_CAHCE_DIR", 0},
      {"BARLINE_LIBCUDA=/none/libcuda.so", "--ptxas ./ptxas", "driver", "warn", "/none/libcuda.so",
       0},
  };
  for (const Planted& p : cases) {
    Ran r = cli.run(std::string("doctor --json ") + p.words, p.environment);
    INFO(p.environment << " " << p.words << "\n" << r.out << r.err);
    CHECK(r.code == p.code);
    json c = check_of(r.out, p.check);
    REQUIRE_FALSE(c.is_null());
    CHECK(c["health"] == p.health);
    CHECK(has(c["detail"], p.says));
    CHECK_FALSE(c["fix"].get<std::string>().empty());
  }
}

TEST_CASE("doctor lists the GPUs of a driver, and whether kernels are compiled for them") {
  Cli cli;
  fake_ptxas(cli, "13.0");
  const std::string driver = "BARLINE_LIBCUDA=" BARLINE_BINARY_DIR "/lib/libbarline_fake_cuda.so";
  Ran r = cli.run("doctor --json --ptxas ./ptxas", driver);
  INFO(r.out << r.err);
  CHECK(r.code == 0);
  CHECK(check_of(r.out, "driver")["health"] == "ok");
  CHECK(has(check_of(r.out, "cuda:0")["detail"], "compiled for as sm_90a"));
  cli.file("k.yaml", "version: 1\nassembler: ptxas 13.0\ntargets: [sm_80]\nkernels: {}\n");
  Ran other = cli.run("doctor --json --ptxas ./ptxas --registry k.yaml", driver);
  CHECK(check_of(other.out, "cuda:0")["health"] == "warn");
}

TEST_CASE("doctor finds a bad cache entry and few descriptors") {
  Cli cli;
  fake_ptxas(cli, "13.0");
  REQUIRE(cli.run("doctor --ptxas ./ptxas").code == 0);
  std::string folder = cli.path("cache/v1/ab");
  std::filesystem::create_directories(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  std::string entry = folder + "/" + std::string(62, 'c') + ".blc";
  barline::test::spill(entry, "not an entry");
  ::chmod(entry.c_str(), 0600);
  Ran r = cli.run("doctor --json --ptxas ./ptxas", "sh -c 'ulimit -n 128; exec \"$@\"' sh");
  json health = check_of(r.out, "cache health");
  INFO(r.out << r.err);
  CHECK(health["health"] == "warn");
  CHECK(has(health["fix"], "barline cache verify --repair"));
  CHECK(check_of(r.out, "open files")["health"] == "warn");
}
