// SPDX-License-Identifier: Apache-2.0
// `barline pack`: one file for several targets, shown again, refused when it is damaged.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/tools/cli.h"

using barline::test::Cli;
using barline::test::has;
using barline::test::Ran;
using barline::test::slurp;
using nlohmann::json;

namespace {

const std::string one_kernel =
    "version: 1\nassembler: ptxas 0.0\ntargets: [sm_80, sm_90a]\nkernels:\n"
    "  vector_add:\n    types: [f32, f16]\n    schedules:\n      flat256:\n"
    "    shapes: {sim: {n: 1000}}\n";

}  // namespace

TEST_CASE("pack writes what was named, with PTX where it is portable", "[ptxas]") {
  Cli cli;
  cli.file("k.yaml", one_kernel);
  Ran written = cli.run("pack vector_add.f32 --registry k.yaml --json -o k.blp");
  REQUIRE(written.code == 0);
  json said = json::parse(written.out);
  CHECK(said["schema"] == "barline.pack/1");
  REQUIRE(said["entries"].size() == 2);
  for (const json& entry : said["entries"]) {
    CHECK(entry["name"] == "vector_add.f32@flat256");
    CHECK(entry["cubin_bytes"] > 0);
    CHECK((entry["ptx_bytes"] > 0) == (entry["target"] == "sm_80"));
  }
  Ran shown = cli.run("pack --show k.blp --json");
  CHECK(shown.code == 0);
  CHECK(json::parse(shown.out)["entries"] == said["entries"]);
  CHECK(has(cli.run("pack --show k.blp").out, "vector_add.f32@flat256  sm_90a"));

  // The same kernels make the same bytes, whichever cache they come from.
  REQUIRE(
      cli.run("pack vector_add.f32 --registry k.yaml -o again.blp --cache-dir " + cli.path("other"))
          .code == 0);
  CHECK(slurp(cli.path("again.blp")) == slurp(cli.path("k.blp")));

  std::string bytes = slurp(cli.path("k.blp"));
  bytes[bytes.size() / 2] ^= 1;
  cli.file("bad.blp", bytes);
  Ran bad = cli.run("pack --show bad.blp");
  CHECK(bad.code == 2);
  CHECK(has(bad.err,
            "pack 'bad.blp' cannot be used: its content does not match its hash; copy it again"));
}

TEST_CASE("pack says what it lacks") {
  Cli cli;
  cli.file("k.yaml", one_kernel);
  Ran nothing = cli.run("pack --registry k.yaml");
  CHECK(nothing.code == 2);
  CHECK(has(nothing.err, "pack takes -o FILE to write a pack, or --show FILE to read one"));
  CHECK(cli.run("pack --registry k.yaml -o no/such/k.blp").code == 2);
  CHECK(cli.run("pack --show nothing.blp").code == 2);
  Ran tool = cli.run("pack --registry k.yaml -o k.blp --ptxas /nonexistent/ptxas");
  CHECK(tool.code == 3);
  CHECK_FALSE(std::filesystem::exists(cli.path("k.blp")));
}
