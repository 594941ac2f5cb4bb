// SPDX-License-Identifier: Apache-2.0
// What doctor judges of what it found, at both sides of each bound.
#include "tools/doctor.h"

#include <catch2/catch.hpp>
#include <regex>
#include <set>

#include "tests/tools/cli.h"

using namespace barline::tools;
using barline::test::has;

namespace {

constexpr std::uint64_t mib = 1 << 20;

/// Whatever is not ok says how to mend it, and everything says why it matters.
void check_words(const Check& c) {
  INFO(c.name << ": " << c.detail);
  CHECK_FALSE(c.name.empty());
  CHECK_FALSE(c.detail.empty());
  CHECK_FALSE(c.why.empty());
  CHECK((c.health == Health::Ok) == c.fix.empty());
}

Health health(const Check& c) {
  check_words(c);
  return c.health;
}

}  // namespace

TEST_CASE("doctor: each bound has two sides") {
  CHECK(health(judge_space(4096 * mib, 2048 * mib, "/c")) == Health::Ok);
  CHECK(health(judge_space(200 * mib, 2048 * mib, "/c")) == Health::Warn);
  CHECK(health(judge_open_files(1024)) == Health::Ok);
  CHECK(health(judge_open_files(64)) == Health::Warn);
  CHECK(health(judge_memory(4096 * mib)) == Health::Ok);
  CHECK(health(judge_memory(512 * mib)) == Health::Warn);
  CHECK(health(judge_clock(1'700'000'000, 1'600'000'000)) == Health::Ok);
  CHECK(health(judge_clock(0, 1'600'000'000)) == Health::Warn);
  CHECK(health(judge_release("ptxas 13.0", "ptxas 13.0")) == Health::Ok);
  CHECK(health(judge_release("ptxas 13.0", "")) == Health::Ok);
  CHECK(health(judge_release("ptxas 12.8", "ptxas 13.0")) == Health::Warn);
}

TEST_CASE("doctor: a GPU without a target of its own is noticed") {
  const std::vector<std::string> targets = {"sm_80", "sm_90a"};
  Check hopper = judge_device("cuda:0", "NVIDIA H200", 90, targets);
  CHECK(health(hopper) == Health::Ok);
  CHECK(has(hopper.detail, "sm_90a"));
  Check ampere = judge_device("cuda:1", "NVIDIA A10", 86, targets);
  CHECK(health(ampere) == Health::Warn);
  CHECK(has(ampere.fix, "sm_80, sm_90a"));
}

TEST_CASE("doctor: a misspelt variable is noticed, with the one that was meant") {
  CHECK(health(judge_variables({})) == Health::Ok);
  CHECK(health(judge_variables({"BARLINE_CACHE_DIR", "BARLINE_JIT"})) == Health::Ok);
  Check wrong = judge_variables({"BARLINE_CAHCE_DIR"});
  CHECK(health(wrong) == Health::Warn);
  CHECK(wrong.fix ==
        "BARLINE_CAHCE_DIR is no variable that is read; did you mean 'BARLINE_CACHE_DIR'?");
}

TEST_CASE("doctor knows the variables that the runtime reads") {
  std::string text = barline::test::slurp(BARLINE_SOURCE_DIR "/runtime/options.cpp");
  std::regex name("BARLINE_[A-Z_]+");
  std::set<std::string> read;
  for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at)
    read.insert(at->str());
  const auto& known = known_variables();
  CHECK(read == std::set<std::string>(known.begin(), known.end()));
}
