// SPDX-License-Identifier: Apache-2.0
// build, gate and explain on a small kernel, with the cache in every state.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/tools/cli.h"

using barline::test::Cli;
using barline::test::has;
using barline::test::Ran;
using nlohmann::json;

namespace {

const std::string one_kernel =
    "version: 1\nassembler: ptxas 0.0  # to be pinned\ntargets: [sm_80, sm_90a]\nkernels:\n"
    "  vector_add:\n    types: [f32]\n    schedules:\n      flat256:  # the only one\n"
    "    shapes: {sim: {n: 1000}}\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// "registers: N" of the first budget, with N changed by `step`.
std::string shifted(const std::string& text, int step) {
  std::size_t at = text.find("registers: ") + 11;
  std::size_t end = text.find_first_not_of("0123456789", at);
  int registers = std::stoi(text.substr(at, end - at));
  return replaced(text, text.substr(at - 11, end - at + 11),
                  "registers: " + std::to_string(registers + step));
}

}  // namespace

TEST_CASE("build compiles, caches and writes what --emit names", "[ptxas]") {
  Cli cli;
  cli.file("k.yaml", one_kernel);
  std::string words = "build --registry k.yaml --arch sm_80 --json";
  json cold = json::parse(cli.run(words).out), warm = json::parse(cli.run(words).out);
  CHECK(cold["schema"] == "barline.build/1");
  REQUIRE(cold["results"].size() == 1);
  CHECK(cold["results"][0]["cache"] == "miss");
  CHECK(warm["results"][0]["cache"] == "hit");
  CHECK(cold["results"][0]["registers"] == warm["results"][0]["registers"]);
  CHECK(cold["results"][0]["spill_stores"] == 0);
  Ran emit = cli.run("build --registry k.yaml --arch sm_90a --emit bir,llvm,ptx,cubin");
  CHECK(emit.code == 0);
  std::string stem = cli.path("vector_add.f32@flat256.sm_90a");
  CHECK(has(barline::test::slurp(stem + ".ptx"), ".target sm_90a"));
  CHECK(has(barline::test::slurp(stem + ".ll"), "define"));
  CHECK(barline::test::slurp(stem + ".cubin")
            .rfind("\x7f"
                   "ELF",
                   0) == 0);
  CHECK(cli.run("verify vector_add.f32@flat256.sm_90a.bir").code == 0);
  Ran dump = cli.run("build --registry k.yaml --arch sm_80 --dump-after place_syncs");
  CHECK(has(dump.out, "after place_syncs"));
  CHECK_FALSE(has(dump.out, "after bind_order"));
}

TEST_CASE("a cache that cannot be used is one warning and no failure", "[ptxas]") {
  Cli cli;
  cli.file("k.yaml", one_kernel);
  cli.file("occupied", "a file where the folder should be");
  Ran r = cli.run("build --registry k.yaml --cache-dir occupied");
  INFO(r.err);
  CHECK(r.code == 0);
  CHECK(has(r.err, "warning: "));
  CHECK(std::count(r.err.begin(), r.err.end(), '\n') == 1);
  CHECK(has(r.out, "vector_add.f32@flat256"));
  CHECK(cli.run("build --registry k.yaml --quiet --cache-dir occupied").err.empty());
}

TEST_CASE("the gate fails closed, pins, and then holds at both ends", "[ptxas]") {
  Cli cli;
  std::string yaml = cli.file("k.yaml", one_kernel);
  const std::string gate = "gate --registry k.yaml";
  Ran other = cli.run(gate);
  CHECK(other.code == 1);
  CHECK(has(other.out, "ASSEMBLER"));
  Ran partial = cli.run(gate + " --arch sm_80 --update");
  CHECK(partial.code == 2);
  CHECK(barline::test::slurp(yaml) == one_kernel);

  CHECK(cli.run(gate + " --update").code == 0);
  std::string pinned = barline::test::slurp(yaml);
  INFO(pinned);
  CHECK(has(pinned, "  # to be pinned\n"));
  CHECK(has(pinned,
            "flat256:  # the only one\n        budget:\n          f32: {sm_80: {registers: "));
  Ran good = cli.run(gate);
  CHECK(good.code == 0);
  CHECK(has(good.out, "PASS: 2 of 2 configs within budget"));
  CHECK(cli.run(gate + " --update").code == 0);
  CHECK(barline::test::slurp(yaml) == pinned);

  cli.file("k.yaml", shifted(pinned, -1));
  Ran over = cli.run(gate);
  CHECK(over.code == 1);
  CHECK(has(over.out, "WORSE vector_add.f32@flat256: registers"));
  cli.file("k.yaml", shifted(pinned, 1));
  CHECK(cli.run(gate).code == 1);
  CHECK(has(cli.run(gate).out, "IMPROVED vector_add.f32@flat256: registers"));
  CHECK(cli.run(gate + " --allow-improved").code == 0);
  cli.file("k.yaml", replaced(pinned, "sm_90a: {registers", "sm_90a: {smem: 64, registers"));
  CHECK(cli.run(gate).code == 1);
  cli.file("k.yaml", one_kernel);
  CHECK(cli.run(gate).code == 1);
}

TEST_CASE("bank conflicts are counted by the proof and held both ways", "[ptxas]") {
  Cli cli;
  const std::string yaml =
      "version: 1\nassembler: ptxas 0.0\ntargets: [sm_80]\nkernels:\n"
      "  transpose:\n    types: [f32]\n    schedules:\n      tile64: {bank_conflicts: 7}\n"
      "    shapes: {sim: {rows: 70, d: 70}}\n";
  cli.file("k.yaml", yaml);
  CHECK(cli.run("gate --registry k.yaml --update").code == 0);
  std::string pinned = barline::test::slurp(cli.path("k.yaml"));
  CHECK(has(pinned, "bank_conflicts: 0"));
  CHECK(cli.run("gate --registry k.yaml").code == 0);
  cli.file("k.yaml", replaced(pinned, "bank_conflicts: 0", "bank_conflicts: 7"));
  CHECK(has(cli.run("gate --registry k.yaml").out,
            "IMPROVED transpose.f32@tile64: bank_conflicts 0 < 7"));
  Ran conflicts = cli.run("gate qkv_w8a16@ring64x64 --arch sm_80 --json");
  CHECK(json::parse(conflicts.out)["results"][0]["bank_conflicts"].get<int>() > 0);
}

TEST_CASE("explain shows passes, barriers, accesses, PTX and occupancy", "[ptxas]") {
  Cli cli;
  Ran r = cli.run("explain rms_norm.bf16@row640_d5120 --arch sm_80");
  CHECK(r.code == 0);
  for (const char* part :
       {"== IR as written", "== after expand_reductions", "== barriers: 1", "== proof: PROVED",
        "sectors", ".visible .entry", "occupancy", "sm_121"}) {
    INFO(part);
    CHECK(has(r.out, part));
  }
  json j = json::parse(cli.run("explain rms_norm.bf16@row640_d5120 --json").out);
  CHECK(j["schema"] == "barline.explain/1");
  CHECK(j["target"] == "sm_90a");
  CHECK(j["barriers"].size() == 1);
  CHECK(j["results"].size() == 6);
  CHECK(j["results"][0]["occupancy"]["blocks_per_sm"] > 0);
}

TEST_CASE("verify and mutate answer for a small kernel") {
  Cli cli;
  json v = json::parse(cli.run("verify vector_add.f32 --arch sm_80 --json").out);
  CHECK(v["schema"] == "barline.verify/1");
  REQUIRE(v["results"].size() == 3);
  CHECK(v["results"][1]["verdict"] == "PROVED");
  CHECK(v["results"][2]["verdict"] == "CHECKED");
  Ran text = cli.run("verify vector_add.f32 --level 1");
  CHECK(has(text.out, "L0 PROVED  L1 PROVED"));
  CHECK_FALSE(has(text.out, "L2"));
  json m = json::parse(cli.run("mutate transpose.f32 --json").out);
  CHECK(m["schema"] == "barline.mutate/1");
  CHECK(m["results"][0]["mutants"][0]["fate"] == "killed");
}
