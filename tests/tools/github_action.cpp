// SPDX-License-Identifier: Apache-2.0
// The composite action: its script in a faked workflow, and that script and action.yml agree.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <regex>

#include "tests/tools/cli.h"
#include "tools/yaml_reader.h"

using barline::test::Cli;
using barline::test::has;
using barline::test::Ran;
using barline::test::slurp;
using nlohmann::json;

namespace {

const std::string action = BARLINE_SOURCE_DIR "/.github/actions/barline-gate";

const std::string register_yaml =
    "version: 1\nassembler: ptxas 13.0\ntargets: [sm_80]\nkernels:\n"
    "  axpy:\n    source: axpy.cubin\n    budget: {sm_80: {registers: 10}}\n";

/// A workspace with a register, a cubin and the runner's files.
void workspace(const Cli& cli, const std::string& yaml) {
  cli.file("kernels.yaml", yaml);
  cli.file("axpy.cubin", slurp(BARLINE_SOURCE_DIR "/examples/gate/axpy.sm_80.cubin"));
  cli.file("summary", "before\n");
  cli.file("output", "");
}

/// Runs the script as a runner would: in the workspace, with inputs in the environment.
Ran step(const Cli& cli, const std::string& inputs) {
  std::string line =
      "cd " + cli.path("") + " && env -i PATH=/usr/bin:/bin RUNNER_TEMP=" + cli.path("") +
      " BARLINE_CACHE_DIR=" + cli.path("cache") + " GITHUB_STEP_SUMMARY=" + cli.path("summary") +
      " GITHUB_OUTPUT=" + cli.path("output") + " GATE_BARLINE=" BARLINE_BINARY_DIR "/bin/barline " +
      inputs + " " + action + "/gate.sh >out 2>err";
  int status = std::system(line.c_str());
  return {WEXITSTATUS(status), slurp(cli.path("out")), slurp(cli.path("err"))};
}

/// The value of `name=` in the step's outputs.
std::string output(const Cli& cli, const std::string& name) {
  std::string text = slurp(cli.path("output"));
  std::size_t at = text.find(name + "=");
  if (at == std::string::npos) return "";
  at += name.size() + 1;
  return text.substr(at, text.find('\n', at) - at);
}

}  // namespace

TEST_CASE("the action passes what passes, and keeps the report") {
  Cli cli;
  workspace(cli, register_yaml);
  Ran r = step(cli, "GATE_REGISTRY=kernels.yaml");
  INFO(r.out << r.err);
  CHECK(r.code == 0);
  CHECK_FALSE(has(r.out, "::error"));
  CHECK(slurp(cli.path("summary")).rfind("before\n### barline gate\n", 0) == 0);
  CHECK(output(cli, "passed") == "true");
  CHECK(json::parse(slurp(output(cli, "report")))["passed"] == true);
}

TEST_CASE("the action annotates the line of a budget that does not hold") {
  Cli cli;
  std::string yaml = register_yaml;
  workspace(cli, yaml.replace(yaml.find("registers: 10"), 13, "registers: 9"));
  Ran r = step(cli, "GATE_REGISTRY=kernels.yaml GATE_KERNELS='axpy' GATE_ARCH=sm_80");
  INFO(r.out << r.err);
  CHECK(r.code == 1);
  CHECK(has(r.out, "::error file=kernels.yaml,line=7,col=14,title=WORSE axpy::registers 10 > 9"));
  CHECK(has(slurp(cli.path("summary")), "| WORSE | axpy | registers 10 > 9 on sm_80 |"));
  CHECK(output(cli, "passed") == "false");
  CHECK(json::parse(slurp(output(cli, "sarif")))["runs"][0]["results"].size() == 1);
  std::string report = output(cli, "report");
  Ran again = step(cli, "GATE_REGISTRY=kernels.yaml GATE_BASELINE=" + report);
  CHECK(has(slurp(cli.path("summary")), "### Since the baseline"));
  CHECK(again.code == 1);
}

TEST_CASE("the action gates every kernel of a list, on one line or on many") {
  Cli cli;
  workspace(cli, register_yaml +
                     "  tight:\n    source: axpy.cubin\n"
                     "    budget: {sm_80: {registers: 9}}\n");
  for (const std::string kernels : {"axpy tight", "axpy\ntight\n", "\n  axpy\n  tight"}) {
    INFO(kernels);
    Ran r = step(cli, "GATE_REGISTRY=kernels.yaml GATE_KERNELS='" + kernels + "'");
    CHECK(r.code == 1);
    CHECK(has(slurp(cli.path("summary")), "| WORSE | tight |"));
    cli.file("summary", "");
  }
}

TEST_CASE("an input is never shell text, and a refused one fails the step") {
  Cli cli;
  workspace(cli, register_yaml);
  Ran r = step(cli, "GATE_REGISTRY='kernels.yaml;touch planted' GATE_KERNELS='$(touch planted)'");
  CHECK(r.code == 2);
  CHECK_FALSE(std::filesystem::exists(cli.path("planted")));
  CHECK(output(cli, "passed") == "false");
  CHECK(output(cli, "report") == "");
  CHECK(has(r.out, "::error title=barline gate::error: kernels.yaml;touch planted: no such file"));
  CHECK(has(slurp(cli.path("summary")), "before\n```\nerror: kernels.yaml;touch planted: no such"));
  Ran absent = step(cli, "GATE_PTXAS=absent/ptxas GATE_REGISTRY=" BARLINE_SOURCE_DIR
                         "/examples/gate/kernels.yaml");
  CHECK(absent.code != 0);
}

TEST_CASE("a step without an assembler exits 3 and says so on the register's line") {
  Cli cli;
  std::string yaml = register_yaml;
  workspace(cli, yaml.replace(yaml.find("axpy.cubin"), 10, "axpy.ptx"));
  cli.file("axpy.ptx", "");
  cli.file("no_ptxas", "");
  Ran r = step(cli, "GATE_REGISTRY=kernels.yaml GATE_PTXAS=no_ptxas");
  INFO(r.out << r.err);
  CHECK(r.code == 3);
  CHECK(has(r.out, "::error file=kernels.yaml,line=2,col=12,title=NO PTXAS::"));
}

TEST_CASE("action.yml gives the script what it reads, and each input is used") {
  std::string text = slurp(action + "/action.yml"), script = slurp(action + "/gate.sh");
  auto tree = barline::tools::read_yaml(text, "action.yml");
  const auto* inputs = tree.find("inputs");
  REQUIRE(inputs);
  for (const auto& input : inputs->entries) {
    INFO(input.key);
    CHECK(has(text, "inputs." + input.key + " "));
    CHECK(input.value.find("description"));
    CHECK(input.value.find("default"));
  }
  std::regex variable("GATE_[A-Z_]+");
  for (std::sregex_iterator at(script.begin(), script.end(), variable), end; at != end; ++at) {
    INFO(at->str());
    CHECK(has(text, at->str() + ": ${{ inputs."));
  }
  CHECK(tree.find("runs")->find("using")->text == "composite");
  CHECK((std::filesystem::status(action + "/gate.sh").permissions() &
         std::filesystem::perms::owner_exec) != std::filesystem::perms::none);
}
