// SPDX-License-Identifier: Apache-2.0
// barline trace: what is refused, a trace on the simulator with its files, and on a GPU the bars of
// timing.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/tools/cli.h"
#include "tests/tools/refused.h"

using barline::test::Cli;
using barline::test::has;
using barline::test::Ran;
using barline::test::Refused;
using barline::test::slurp;
using Json = nlohmann::json;

TEST_CASE("a trace that cannot be is exit 2, without a device") {
  const Refused cases[] = {
      {"trace rms_norm", "rms_norm.f32@row256 has no regions"},
      {"trace rms_norm", "put t.region(name, Class::Work"},
      {"trace wo_nvfp5", "did you mean 'wo_nvfp4'?"},
      {"trace wo_nvfp4 --launches 0", "--launches"},
      {"trace wo_nvfp4 --device gpu", "device 'gpu'; use sim or cuda:N"},
      {"trace wo_nvfp4 --set slices=2", "the kernel has no such dimension or scalar"},
      {"trace wo_nvfp4 --out /dev/null/x", "no folder can be made there"},
  };
  check_refused(cases);
  Cli cli;
  CHECK(cli.run("trace wo_nvfp4 --device cuda:0", "CUDA_VISIBLE_DEVICES= ").code == 3);
}

TEST_CASE("a trace on the simulator prints its table and leaves its files") {
  Cli cli;
  const std::string words = "trace wo_nvfp4_producer@cta128_wo_split4 --out t";
  Ran r = cli.run(words);
  INFO(r.out << r.err);
  REQUIRE(r.code == 0);
  for (const char* part : {"phase1_wo_gemv", "phase1_pre_wo_wait", "last arriver: block",
                           "critical path:", "clocks: the simulator's warp instructions",
                           "timing costs", "regions add up to"})
    CHECK(has(r.out, part));
  const Json regions = Json::parse(slurp(cli.path("t/regions.json")));
  REQUIRE(regions["regions"].size() == 5);
  CHECK(regions["regions"][1]["share"].is_null());  // of a wait
  CHECK(regions["regions"][2]["where"] == "block.x < 4");
  const Json trace = Json::parse(slurp(cli.path("t/trace.json")));
  int events = 0;
  for (const Json& e : trace["traceEvents"]) events += e["ph"] == "X";
  // Of 64 blocks those of 4 slices of 8 work: 32; each gemv and post, made or waited; 2 gather.
  CHECK(events == 32 * 3 + 2);
  CHECK(has(slurp(cli.path("t/trace.svg")), "</svg>"));
  Ran json = cli.run(words + " --json");
  REQUIRE(json.code == 0);
  CHECK(has(json.out, "\"last_arriver\""));
}

TEST_CASE("a region that comes again has a track of its own") {
  Cli cli;
  Ran r = cli.run(
      "trace wo_nvfp4_parallel_gather@cta128_wo_split2 --set B=2 --set N=140 --set K=512 --set "
      "slice_ctas=2 --out t");
  INFO(r.out << r.err);
  REQUIRE(r.code == 0);
  CHECK(has(r.out, "phase1_wo_gemv + phase1_wo_post"));  // the critical path
  const Json trace = Json::parse(slurp(cli.path("t/trace.json")));
  std::map<std::pair<int, int>, std::vector<std::pair<double, double>>> tracks;
  int repeated = 0;
  for (const Json& e : trace["traceEvents"]) {
    if (e["ph"] != "X") continue;
    const double from = e["ts"];
    tracks[{e["pid"], e["tid"]}].emplace_back(from, from + e["dur"].get<double>());
    const int times = e["args"]["times"];
    const std::string name = e["name"];
    CHECK(name.ends_with(" (" + std::to_string(times) + " times)") == (times > 1));
    repeated += times > 1;
  }
  CHECK(repeated > 0);
  // What overlaps on a track must nest.
  for (auto& [track, events] : tracks) {
    std::sort(events.begin(), events.end());
    for (std::size_t i = 1; i < events.size(); ++i)
      CHECK(events[i].first >= events[i - 1].second - 1e-6);
  }
}

TEST_CASE("timing costs what it may on a GPU", "[gpu]") {
  Cli cli;
  auto traced = [&](const std::string& kernel) {
    Ran r = cli.run("trace " + kernel + " --device cuda:0 --launches 20 --out t --json");
    INFO(kernel << r.out << r.err);
    REQUIRE(r.code == 0);
    return Json::parse(slurp(cli.path("t/regions.json")));
  };
  std::vector<double> costs;
  for (const char* split : {"1", "2", "4", "8"}) {
    const Json seed = traced(std::string("wo_nvfp4@cta128_wo_split") + split);
    INFO(split << seed.dump(1));
    // ptxas may order a loop of the timed build otherwise, for the better or for the worse.
    costs.push_back(seed["cost"]["share"].get<double>());
    CHECK(costs.back() <= 0.02);
    CHECK(seed["coverage"]["median"].get<double>() == Approx(1).margin(0.02));
    CHECK(seed["critical_path"]["elected"].get<bool>());
    CHECK(seed["globaltimer_resolution_ns"].get<double>() > 0);
    CHECK(seed["clock64_resolution_cycles"].get<double>() > 0);
  }
  std::sort(costs.begin(), costs.end());
  CHECK((costs[1] + costs[2]) / 2 <= 0.01);
  // Of the fast kernel one region is timed, of the chains three.
  for (const auto& [kernel, most] : {std::pair("wo_nvfp4_fast", 0.3), {"wo_nvfp4_chains", 0.4}}) {
    const Json fast = traced(kernel);
    INFO(fast.dump(1));
    CHECK(fast["cost"]["added"].get<double>() <= most);
  }
}
