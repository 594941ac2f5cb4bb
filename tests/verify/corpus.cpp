// SPDX-License-Identifier: Apache-2.0
// The race corpus: every kernel under tests/corpus/racy is seen by the proof or by the simulator,
// as what its `expect` line says; every one under safe passes both. 0 missed, 0 false alarms.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/verify/proof_support.h"
#include "verify/proof/prove.h"

using namespace barline;
using namespace barline::verify;

namespace {

struct Sample {
  std::string name, expect, unknown;
  ir::Kernel kernel;
  SimCase inputs;
};

/// What follows "// key: " in the file's head, or nothing.
std::string head_line(const std::string& text, const std::string& key) {
  std::size_t at = text.find("// " + key + ": ");
  if (at == std::string::npos) return {};
  at += key.size() + 5;
  return text.substr(at, text.find('\n', at) - at);
}

std::vector<Sample> read(const std::string& kind) {
  std::vector<std::filesystem::path> paths;
  std::filesystem::path folder =
      std::filesystem::path(BARLINE_SOURCE_DIR) / "tests" / "corpus" / kind;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".bir") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Sample> samples;
  for (const auto& path : paths) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    Sample s;
    s.name = path.stem();
    s.expect = head_line(text.str(), "expect");
    s.unknown = head_line(text.str(), "unknown");
    s.kernel = ir::parse(text.str(), path.filename());
    std::vector<std::int64_t> sizes;
    std::istringstream words(head_line(text.str(), "sizes"));
    for (std::string word; words >> word;)
      sizes.push_back(std::stoll(word.substr(word.find('=') + 1)));
    s.inputs = test::patterned_case(s.kernel, sizes);
    samples.push_back(std::move(s));
  }
  return samples;
}

SimOutcome simulate_all(const Sample& s) {
  std::vector<SimSchedule> schedules = sim_schedules(4);
  return run_case(s.kernel, s.inputs, schedules);
}

bool names_property(const ProofReport& r, const std::string& expect) {
  return std::any_of(r.findings.begin(), r.findings.end(), [&](const ProofFinding& f) {
    return f.verdict == r.verdict && name(f.property) == expect;
  });
}

}  // namespace

TEST_CASE("every racy kernel of the corpus is seen") {
  std::vector<Sample> samples = read("racy");
  REQUIRE(samples.size() >= 60);
  for (const Sample& s : samples) {
    ProofReport proof = prove(s.kernel);
    SimOutcome run = simulate_all(s);
    INFO(s.name << "\n" << to_string(proof) << "\nsimulator: " << run.witness);
    CHECK(proof.verdict != Verdict::Proved);
    CHECK((proof.verdict == Verdict::Refuted || run.verdict == Verdict::Refuted));
    CHECK_FALSE(s.expect.empty());
    CHECK(names_property(proof, s.expect));
  }
}

TEST_CASE("no safe kernel of the corpus is refused") {
  std::vector<Sample> samples = read("safe");
  REQUIRE(samples.size() >= 60);
  for (const Sample& s : samples) {
    ProofReport proof = prove(s.kernel);
    SimOutcome run = simulate_all(s);
    INFO(s.name << "\n" << to_string(proof) << "\nsimulator: " << run.witness);
    CHECK(proof.verdict == (s.unknown.empty() ? Verdict::Proved : Verdict::Unknown));
    CHECK(run.verdict == Verdict::Checked);
  }
}

TEST_CASE("no barrier of the safe corpus is redundant") {
  for (const Sample& s : read("safe")) {
    ProofReport proof = prove(s.kernel);
    INFO(s.name << "\n" << to_string(proof));
    for (const BarrierUse& b : proof.barriers) CHECK_FALSE(b.redundant);
  }
}
