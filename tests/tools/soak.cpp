// SPDX-License-Identifier: Apache-2.0
// A soak on recorded times: arms take turns, a cut one goes on, and the default stands unless the
// gain is clear.
#include "tools/soak.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/tools/cli.h"
#include "tests/tools/recorded_trial.h"
#include "tools/error.h"

using namespace barline;
using test::Cli;
using test::has;
using test::RecordedTrial;
using tools::SoakArm;

namespace {

/// Arms whose launches take these times, over and over; `log` hears the name of each.
std::vector<SoakArm> arms_of(const std::map<std::string, std::vector<double>>& times,
                             std::string* log = nullptr, const std::string& code = "c0") {
  std::vector<SoakArm> arms;
  for (const auto& [label, us] : times) {
    auto trial = std::make_unique<RecordedTrial>();
    trial->times = us;
    trial->facts["cubin_hash"] = code;
    if (log) trial->on_launch = [log, label = label] { *log += label; };
    arms.push_back({label, std::move(trial)});
  }
  return arms;
}

tools::Verdict verdict(const std::map<std::string, std::vector<double>>& times,
                       double other_error = 0.5) {
  Cli folder;
  auto arms = arms_of(times);
  static_cast<RecordedTrial&>(*arms[1].trial).agreements[1].mean_abs = other_error;
  const tools::Soak soak =
      tools::run_soak(arms, {.dir = folder.path("s"), .rounds = 4, .launches = 3});
  const auto all = tools::judge_soak(soak, {});
  REQUIRE(all.size() == 1);
  return all.front();
}

}  // namespace

TEST_CASE("arms take turns, and another begins each round") {
  Cli folder;
  std::string log;
  auto arms = arms_of({{"a", {1}}, {"b", {2}}, {"c", {3}}}, &log);
  tools::run_soak(arms, {.dir = folder.path("s"), .rounds = 2, .launches = 1});
  CHECK(log == "aabbccbbccaa");  // one uncounted and one counted launch each
  CHECK(std::filesystem::exists(folder.path("s/b/config.json")));
  CHECK(std::filesystem::exists(folder.path("s/b/correctness_split_order.json")));
}

TEST_CASE("a cut soak goes on with the round that was cut") {
  Cli folder;
  const tools::SoakOptions options{.dir = folder.path("s"), .rounds = 5, .launches = 2};
  auto whole = arms_of({{"a", {1}}, {"b", {2}}});
  Cli other;
  tools::run_soak(whole, {.dir = other.path("s"), .rounds = 5, .launches = 2});
  auto cut = arms_of({{"a", {1}}, {"b", {2}}});
  int seen = 0;
  CHECK_THROWS_AS(tools::run_soak(cut, options,
                                  [&](const tools::SoakRound&) {
                                    if (++seen == 6) throw tools::IoError("cut");
                                  }),
                  tools::IoError);
  auto again = arms_of({{"a", {1}}, {"b", {2}}});
  const tools::Soak soak = tools::run_soak(again, options);
  CHECK(soak.resumed == 2);
  CHECK(static_cast<RecordedTrial&>(*again[0].trial).checks == 1);  // the gate, anew
  CHECK(test::slurp(folder.path("s/soak.csv")) == test::slurp(other.path("s/soak.csv")));
  auto more = arms_of({{"a", {1}}, {"b", {2}}});
  tools::SoakOptions longer = options;
  longer.rounds = 7;
  CHECK(tools::run_soak(more, longer).resumed == 5);
}

TEST_CASE("a soak that goes on keeps the facts of the run that began it") {
  Cli folder;
  tools::SoakOptions options{.dir = folder.path("s"), .rounds = 1, .launches = 2};
  auto run = [&](const char* commit, const char* cache) {
    auto arms = arms_of({{"a", {1}}, {"b", {2}}});
    for (SoakArm& a : arms) {
      auto& facts = static_cast<RecordedTrial&>(*a.trial).facts;
      facts["git_sha"] = commit;
      facts["cache_status_first_event"] = cache;
    }
    return tools::run_soak(arms, options).resumed;
  };
  CHECK(run("first", "MISS") == 0);
  options.rounds = 2;
  CHECK(run("second", "HIT") == 1);
  const std::string facts = test::slurp(folder.path("s/b/config.json"));
  CHECK(has(facts, "\"git_sha\": \"first\""));
  CHECK(has(facts, "\"cache_status_first_event\": \"MISS\""));
}

TEST_CASE("rounds of other code, arms or a damaged file are not mixed in") {
  Cli folder;
  const tools::SoakOptions options{.dir = folder.path("s"), .rounds = 1, .launches = 2};
  auto first = arms_of({{"a", {1}}, {"b", {2}}});
  tools::run_soak(first, options);
  auto other = arms_of({{"a", {1}}, {"b", {2}}}, nullptr, "c1");
  CHECK_THROWS_WITH(
      tools::run_soak(other, options),
      Catch::Contains("a soak of other arms, inputs, code or device; choose another --out"));
  auto scaled = arms_of({{"a", {1}}, {"b", {2}}});
  static_cast<RecordedTrial&>(*scaled[1].trial).facts["scalars"] = {{"global_scale", 2}};
  CHECK_THROWS_WITH(tools::run_soak(scaled, options), Catch::Contains("other arms, inputs, code"));
  folder.file("s/soak.csv", "round,arm,launches,median_us,p95_us,min_us,max_us\n0,a,2,x\n");
  CHECK_THROWS_WITH(tools::run_soak(first, options), Catch::Contains("soak.csv:2: no row"));
  CHECK_THROWS_AS(tools::parse_soak_csv("0,a,2,1,1,1,1\n", "f"), tools::UsageError);
}

TEST_CASE("an arm that fails its gate ends the soak before a launch") {
  Cli folder;
  auto arms = arms_of({{"a", {1}}, {"b", {2}}});
  auto& b = static_cast<RecordedTrial&>(*arms[1].trial);
  b.agreements[0].ok = false;
  CHECK_THROWS_AS(tools::run_soak(arms, {.dir = folder.path("s")}), tools::Failure);
  CHECK(b.launches == 0);
}

TEST_CASE("the default stands unless another arm is clearly and harmlessly faster") {
  const tools::Verdict flips = verdict({{"a", {100}}, {"b", {94.9}}});
  CHECK(flips.flip);
  CHECK(flips.gain == Approx(0.051));
  CHECK(verdict({{"a", {100}}, {"b", {95}}}).flip);
  const tools::Verdict small = verdict({{"a", {100}}, {"b", {95.1}}});
  CHECK_FALSE(small.flip);
  CHECK(small.why == "gain of 4.9 % is below 5.0 %");
  CHECK(has(tools::table({small}, "a"), "keep opt-in: gain of 4.9 %"));
  // Four launches a round: the rounds' medians are 50, 90, 50, 90.
  const tools::Verdict noisy = verdict({{"a", {100}}, {"b", {50, 50, 50, 50, 90, 90, 90, 90}}});
  CHECK_FALSE(noisy.flip);
  CHECK(has(noisy.why, "noise"));
  const tools::Verdict tail = verdict({{"a", {100}}, {"b", {50, 50, 50, 300}}});
  CHECK_FALSE(tail.flip);
  CHECK(has(tail.why, "p95"));
  const tools::Verdict worse = verdict({{"a", {100}}, {"b", {50}}}, 0.6);
  CHECK_FALSE(worse.flip);
  CHECK(has(worse.why, "mean error against matmul"));
}
