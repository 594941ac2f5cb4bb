// SPDX-License-Identifier: Apache-2.0
// Bad input on the command line: the exit code, one clear message, nothing on stdout.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/tools/cli.h"
#include "tests/tools/refused.h"
#include "tests/tools/registry_text.h"

using barline::test::Cli;
using barline::test::has;
using barline::test::Ran;
using barline::test::Refused;

TEST_CASE("a wrong command line is exit 2 with a suggestion") {
  const Refused cases[] = {
      {"", "no command is named; see `barline --help`"},
      {"biuld", "unknown command 'biuld'; did you mean 'build'?"},
      {"cache sttat", "unknown command 'sttat'; did you mean 'stat'?"},
      {"build --archh sm_80", "unknown option '--archh'; did you mean '--arch'?"},
      {"--jsn list", "unknown option '--jsn'; did you mean '--json'?"},
      {"doctor now", "unexpected argument 'now'; see `barline doctor --help`"},
      {"build rsm_norm", "unknown kernel 'rsm_norm'"},
      {"build rsm_norm", "did you mean 'rms_norm'?"},
      {"build rms_norm@row255", "has no schedule 'row255'; did you mean 'row256'?"},
      {"build rms_norm.bf61", "has no element type 'bf61'; did you mean 'bf16'?"},
      {"build rms_norm --arch sm_91a", "unknown target 'sm_91a'; did you mean 'sm_90a'?"},
      {"build @x", "'@x' is no kernel name"},
      {"build vector_add --emit pxt", "--emit"},
      {"build vector_add --emit ptx -o none/such", "no folder"},
      {"build vector_add --dump-after unrol_loops", "did you mean 'unroll_loops'?"},
      {"build vector_add --jobs many", "--jobs"},
      {"gate --format yaml", "--format"},
      {"explain", "kernel is required; see `barline explain --help`"},
      {"explain nope", "unknown kernel 'nope'"},
      {"verify rms_norm --level 7", "--level"},
      {"verify none.bir", "none.bir: no such file"},
      {"new Bad-Name", "'Bad-Name' cannot name a kernel"},
      {"new rms_norm", "there is a kernel 'rms_norm' already"},
      {"list --registry none.yaml", "none.yaml: no such file"},
      {"list --registry .", "is not a regular file"},
      {"run qkv_w4a16 --set K_by8=4", "the size of 'K_by8' follows from that of 'K'; set that"},
      {"run qkv_w4a16 --set K=100", "takes multiples of 128; choose another size"},
      {"list --plugin none.so", "plugin none.so: no such file"},
  };
  check_refused(cases);
}

TEST_CASE("a malformed input file is exit 2 and names its place") {
  Cli cli;
  cli.file("twice.yaml", registry_text + "version: 1\n");
  CHECK(cli.run("list --registry twice.yaml").code == 2);
  CHECK(has(cli.run("list --registry twice.yaml").err, "twice.yaml:26:1: key 'version' stands"));
  std::string unknown = registry_text;
  unknown.replace(unknown.find("qkv_w8a16"), 9, "qkv_w9a16");
  cli.file("unknown.yaml", unknown);
  CHECK(cli.run("gate --registry unknown.yaml").code == 2);
  CHECK(has(cli.run("gate --registry unknown.yaml").err,
            "unknown.yaml:6:3: there is no kernel 'qkv_w9a16'"));
  cli.file("bad.bir", "kernel {");
  Ran bir = cli.run("verify bad.bir");
  CHECK(bir.code == 2);
  CHECK(has(bir.err, "bad.bir:1:"));
  cli.file("text.so", "no shared object");
  Ran plugin = cli.run("list --plugin text.so");
  CHECK(plugin.code == 2);
  CHECK(has(plugin.err, "it cannot be loaded"));
}

TEST_CASE("a missing ptxas is exit 3, never a pass") {
  Cli cli;
  for (const char* words : {"build vector_add.f32 --arch sm_80", "gate vector_add.f32",
                            "explain vector_add.f32", "doctor"}) {
    Ran r = cli.run(std::string("--ptxas /none/ptxas ") + words);
    INFO(words << r.out << r.err);
    CHECK(r.code == 3);
    CHECK(has(r.err + r.out, "ptxas"));
    CHECK_FALSE(has(r.out, "PASS"));
  }
  auto json = nlohmann::json::parse(cli.run("gate vector_add.f32 --json --ptxas /none/ptxas").out);
  CHECK(json["passed"] == false);
  CHECK(json["results"][0]["verdict"] == "NO PTXAS");
}

TEST_CASE("a write that fails is exit 5") {
  Cli cli;
  Ran r = cli.run("list", "", "/dev/full");
  CHECK(r.code == 5);
  CHECK(has(r.err, "cannot write to stdout"));
}

TEST_CASE("a wrong environment is exit 2 and names variable and choices") {
  Ran r = Cli().run("list", "BARLINE_CACHE_MODE=sometimes");
  CHECK(r.code == 2);
  CHECK(has(r.err, "BARLINE_CACHE_MODE"));
}

TEST_CASE("help names every command and every command shows an example") {
  Cli cli;
  Ran help = cli.run("--help");
  CHECK(help.code == 0);
  for (const char* command : {"new", "list", "build", "gate", "verify", "mutate", "run", "explain",
                              "cache", "doctor", "schema", "completion"}) {
    CHECK(has(help.out, std::string("\n  ") + command + " "));
    Ran r = cli.run(std::string(command) + " --help");
    CHECK(r.code == 0);
    CHECK(has(r.out, "Example:\n  "));
  }
  CHECK(cli.run("--version").out.rfind("barline ", 0) == 0);
}

TEST_CASE("global options stand before or after the command") {
  Cli cli;
  Ran before = cli.run("--json list vector_add"), after = cli.run("list vector_add --json");
  CHECK(before.code == 0);
  CHECK(before.out == after.out);
  auto json = nlohmann::json::parse(after.out);
  CHECK(json["schema"] == "barline.list/1");
  CHECK(json["kernels"][0]["name"] == "vector_add");
}

TEST_CASE("commands without a compiler answer in JSON of their own schema") {
  Cli cli;
  for (const char* words : {"list", "cache stat", "cache list", "cache verify", "cache clear"}) {
    Ran r = cli.run(std::string(words) + " --json");
    INFO(words << r.err);
    CHECK(r.code == 0);
    std::string schema = std::string("barline.") + words + "/1";
    std::replace(schema.begin(), schema.end(), ' ', '_');
    CHECK(nlohmann::json::parse(r.out)["schema"] == schema);
  }
  CHECK(nlohmann::json::parse(cli.run("schema").out)["title"] == "barline kernels.yaml");
}

TEST_CASE("the schema in docs is the one that is printed") {
  std::string kept = barline::test::slurp(BARLINE_SOURCE_DIR "/docs/kernels.schema.json");
  CHECK(kept == Cli().run("schema").out);
}
