// SPDX-License-Identifier: Apache-2.0
// An arm's order of events and files: facts, comparison, then times.
#include "tools/trial.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/tools/cli.h"
#include "tests/tools/recorded_trial.h"
#include "tools/error.h"
#include "tools/git_head.h"
#include "tools/number_list.h"

using namespace barline;
using test::Cli;
using test::has;
using test::RecordedTrial;
using test::slurp;
using tools::parse_numbers;

TEST_CASE("an arm's facts are on disk before its first launch, its times after the gate") {
  Cli folder;
  const std::string dir = folder.path("runs/wo_split1");
  RecordedTrial trial;
  trial.times = {40, 20, 25};
  trial.on_check = [&] {
    CHECK(has(slurp(dir + "/config.json"), "\"cubin_hash\": \"c0\""));
    CHECK(trial.launches == 0);
  };
  trial.on_launch = [&] {
    CHECK(has(slurp(dir + "/correctness_split_order.json"), "\"gate\": true"));
    CHECK(has(slurp(dir + "/correctness_matmul.json"), "\"mean_abs\": 0.5"));
  };
  const tools::TrialRun run = tools::run_trial(trial, "wo_split1", dir, 3);
  CHECK(trial.checks == 1);
  CHECK(slurp(dir + "/timing.csv") ==
        "launch_idx,elapsed_us,payload_bytes,scratch_bytes,effective_bytes,effective_gbps,"
        "is_warmup\n"
        "0,40.000,1000,500,1500,0.037,1\n"
        "1,20.000,1000,500,1500,0.075,0\n"
        "2,25.000,1000,500,1500,0.060,0\n");
  CHECK(tools::summary_of(run).median == 22.5);
  CHECK(tools::summary_of(run).max == 25);  // the warm-up does not count
}

TEST_CASE("an arm that is not equal to its reference is not timed") {
  Cli folder;
  RecordedTrial trial;
  trial.agreements[0].ok = false;
  trial.agreements[0].text = "y[3]: 1 for 2";
  try {
    tools::run_trial(trial, "a", folder.path("a"), 3);
    FAIL("it was timed");
  } catch (const tools::Failure& e) {
    CHECK(has(e.what(), "split_order: y[3]: 1 for 2; nothing was timed"));
  }
  CHECK(trial.launches == 0);
  CHECK(std::filesystem::exists(folder.path("a/config.json")));
  CHECK(has(slurp(folder.path("a/correctness_split_order.json")), "\"ok\": false"));
  CHECK_FALSE(std::filesystem::exists(folder.path("a/timing.csv")));
}

TEST_CASE("a diagnostic that differs stops nothing, a timed launch with other bits does") {
  Cli folder;
  RecordedTrial fine, late;
  fine.agreements[1].ok = false;
  CHECK(tools::run_trial(fine, "a", folder.path("a"), 3).us.size() == 3);
  late.differs_at = 2;
  CHECK_THROWS_WITH(tools::run_trial(late, "wo_split8", folder.path("b"), 5),
                    Catch::Contains("wo_split8: timed launch 2 gave other bits"));
  CHECK_FALSE(std::filesystem::exists(folder.path("b/timing.csv")));
}

TEST_CASE("a whole run of the same plan is read back, any other is run again") {
  Cli folder;
  const std::string dir = folder.path("a");
  auto run = [&](const std::function<void(RecordedTrial&)>& change, int launches = 3) {
    RecordedTrial trial;
    trial.times = {40, 20, 25};
    trial.facts["scalars"] = {{"global_scale", 0.5}};
    trial.facts["git_sha"] = "new";
    change(trial);
    const tools::TrialRun r = tools::run_trial(trial, "a", dir, launches);
    CHECK(trial.launches == (r.resumed ? 0 : launches));
    CHECK(trial.checks == (r.resumed ? 0 : 1));
    CHECK(r.us.front() == 40);
    CHECK(r.bytes.payload == 1000);
    return r;
  };
  const auto same = [](RecordedTrial&) {};
  CHECK_FALSE(run([](RecordedTrial& t) { t.facts["git_sha"] = "old"; }).resumed);
  const tools::TrialRun again = run(same);
  REQUIRE(again.resumed);
  CHECK(again.us == std::vector<double>{40, 20, 25});
  REQUIRE(again.agreements.size() == 2);
  CHECK(again.agreements[0].mean_abs == 0.5);  // matmul
  CHECK(again.agreements[1].gate);
  CHECK(has(slurp(dir + "/config.json"), "\"git_sha\": \"old\""));
  CHECK_FALSE(run([](RecordedTrial& t) { t.facts["scalars"]["global_scale"] = 2; }).resumed);
  CHECK_FALSE(run(same).resumed);
  CHECK_FALSE(run([](RecordedTrial& t) { t.facts["cubin_hash"] = "c1"; }).resumed);
  CHECK_FALSE(run(same).resumed);
  CHECK_FALSE(run(same, 4).resumed);
  const auto damage = [&](const char* file, const std::string& text) {
    CHECK_FALSE(run(same, 2).resumed);
    CHECK(run(same, 2).resumed);
    folder.file(std::string("a/") + file, text);
    CHECK_FALSE(run(same).resumed);
  };
  damage("timing.csv", slurp(dir + "/timing.csv").substr(0, 120));
  damage("timing.csv", "");
  damage("config.json", "{");
  damage("correctness_split_order.json", "{}");
  damage("correctness_matmul.json", "{");
}

TEST_CASE("a failed arm leaves nothing of an earlier run beside its facts") {
  Cli folder;
  RecordedTrial fine, wrong;
  tools::run_trial(fine, "a", folder.path("a"), 3);
  wrong.facts["cubin_hash"] = "c1";
  wrong.agreements = {{.reference = "reference", .gate = true, .ok = false, .elements = 4}};
  CHECK_THROWS_AS(tools::run_trial(wrong, "a", folder.path("a"), 3), tools::Failure);
  CHECK(has(slurp(folder.path("a/config.json")), "c1"));
  for (const char* old : {"timing.csv", "correctness_split_order.json", "correctness_matmul.json"})
    CHECK_FALSE(std::filesystem::exists(folder.path(std::string("a/") + old)));
  CHECK(std::filesystem::exists(folder.path("a/correctness_reference.json")));
}

TEST_CASE("quantiles are linear between neighbours") {
  CHECK(tools::quantile({4, 1, 3, 2}, 0.5) == 2.5);
  CHECK(tools::quantile({1, 2, 3, 4, 5}, 0.95) == Approx(4.8));
  CHECK(tools::quantile({7}, 0.99) == 7);
}

TEST_CASE("lists of numbers take commas, spaces and words alike") {
  const std::vector<std::int64_t> want{1, 2, 4, 8};
  CHECK(parse_numbers("--wo-split", {"1,2,4,8"}) == want);
  CHECK(parse_numbers("--wo-split", {"1 2 4 8"}) == want);
  CHECK(parse_numbers("--wo-split", {"1, 2,", "4", " 8"}) == want);
  for (const char* bad : {"0", "-1", "1;2", "1.5", "x", "99999999999999999999"})
    CHECK_THROWS_WITH(parse_numbers("--wo-split", {bad}),
                      Catch::Contains("write positive whole numbers, as in --wo-split 1,2,4"));
  CHECK_THROWS_WITH(parse_numbers("--wo-split", {"1,2,1"}), Catch::Contains("1 stands twice"));
  CHECK_THROWS_WITH(parse_numbers("--wo-split", {" , "}), Catch::Contains("no value"));
}

TEST_CASE("the commit is what HEAD means") {
  Cli folder;
  namespace fs = std::filesystem;
  fs::create_directories(folder.path("tree/.git/refs/heads"));
  fs::create_directories(folder.path("tree/deep/er"));
  folder.file("tree/.git/HEAD", "ref: refs/heads/main\n");
  CHECK(tools::git_head(folder.path("tree/deep/er")).empty());
  folder.file("tree/.git/packed-refs", "# pack\n0123 refs/heads/other\n4567 refs/heads/main\n");
  CHECK(tools::git_head(folder.path("tree/deep/er")) == "4567");
  folder.file("tree/.git/refs/heads/main", "89ab\n");
  CHECK(tools::git_head(folder.path("tree/deep/er")) == "89ab");
  folder.file("tree/.git/HEAD", "cdef\n");
  CHECK(tools::git_head(folder.path("tree")) == "cdef");
}
