// SPDX-License-Identifier: Apache-2.0
#include "verify/levels.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/verify/proof_support.h"

using namespace barline;
using namespace barline::verify;

namespace {

LevelInput input_of(const ir::Kernel& k) {
  LevelInput in;
  in.kernel = "k.f32";
  in.schedule = "s";
  in.target = "sm_90a";
  in.lowered = &k;
  in.cases = {test::patterned_case(k, {})};
  return in;
}

constexpr const char* exchange = R"(
  %c63 = const {value = 63} : s32
  %from = sub %c63, %t : s32
  %v = load %x, %t : f32
  store %s, %t, %v
  BARRIER
  %w = load %s, %from : f32
  store %y, %t, %w
)";

std::string exchange_with(const std::string& line) {
  std::string text = exchange;
  return text.replace(text.find("BARRIER"), 7, line);
}

}  // namespace

TEST_CASE("a sound kernel passes levels 0 to 2") {
  ir::Kernel k = test::block_kernel(exchange_with("barrier"));
  std::vector<LevelResult> r = run_levels(2, input_of(k));
  REQUIRE(r.size() == 3);
  CHECK(r[0].verdict == Verdict::Proved);
  CHECK(r[1].verdict == Verdict::Proved);
  CHECK(r[2].verdict == Verdict::Checked);
  auto json = nlohmann::json::parse(to_json(r));
  CHECK(json["schema"] == "barline.verify/1");
  CHECK(json["ok"] == true);
  REQUIRE(json["results"].size() == 3);
  CHECK(json["results"][1]["kernel"] == "k.f32");
  CHECK(json["results"][1]["schedule"] == "s");
  CHECK(json["results"][1]["target"] == "sm_90a");
  CHECK(json["results"][1]["level"] == 1);
  CHECK(json["results"][1]["verdict"] == "PROVED");
}

TEST_CASE("a race is refuted with a witness by levels 1 and 2") {
  ir::Kernel k = test::block_kernel(exchange_with(""));
  std::vector<LevelResult> r = run_levels(2, input_of(k));
  CHECK(r[0].verdict == Verdict::Proved);
  for (int level : {1, 2}) {
    CHECK(r[level].verdict == Verdict::Refuted);
    CHECK_FALSE(r[level].ok);
    CHECK(r[level].witness.find("test.bir:17") != std::string::npos);
  }
  CHECK(nlohmann::json::parse(to_json(r))["ok"] == false);
}

TEST_CASE("a kernel that is none is refuted by level 0, and the rest is skipped") {
  ir::Kernel k = test::block_kernel(exchange_with("barrier"));
  k.launch.threads[0] = 4096;
  std::vector<LevelResult> r = run_levels(2, input_of(k));
  CHECK(r[0].verdict == Verdict::Refuted);
  CHECK(r[0].witness.find("bad-launch") != std::string::npos);
  CHECK(r[1].verdict == Verdict::Skipped);
  CHECK(r[2].reason == "level 0 is refuted");
}

TEST_CASE("UNKNOWN fails unless the registry allows it with a reason") {
  ir::Kernel k = test::block_kernel(R"(
  %c0 = const {value = 0} : s32
  %zero = const {value = 0.0} : f32
  %v = load %x, %t : f32
  %on = cmp %v, %zero {pred = gt} : i1
  store %s, %c0, %v, %on
  store %y, %t, %v
)");
  LevelInput in = input_of(k);
  CHECK_FALSE(run_level(1, in).ok);
  in.allow_unknown = "one value is positive";
  LevelResult r = run_level(1, in);
  CHECK(r.ok);
  CHECK(r.verdict == Verdict::Unknown);
  CHECK(r.reason == "one value is positive");
}

TEST_CASE("outputs that the reference does not accept refute level 2; no inputs skip it") {
  ir::Kernel k = test::block_kernel(exchange_with("barrier"));
  LevelInput in = input_of(k);
  in.cases[0].compare = [](const Outputs& out) {
    return out[1].as<float>()[0] == 12345 ? std::string() : std::string("y[0]: wrong");
  };
  LevelResult r = run_level(2, in);
  CHECK(r.verdict == Verdict::Refuted);
  CHECK(r.witness.find("y[0]: wrong") != std::string::npos);
  in.cases.clear();
  r = run_level(2, in);
  CHECK(r.verdict == Verdict::Skipped);
  CHECK(r.ok);
}
