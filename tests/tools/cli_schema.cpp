// SPDX-License-Identifier: Apache-2.0
// The JSON schema against a validator that shares no code with the parser: Python's jsonschema
// (python3-jsonschema, python3-yaml), where it is installed.
#include <catch2/catch.hpp>

#include "tests/tools/cli.h"

using barline::test::Cli;
using barline::test::has;
using barline::test::slurp;

namespace {

// PyYAML reads YAML 1.1, where 1e-6 is a text; editors and this program read 1.2.
const char* const validator = R"py(
import json, re, sys, yaml, jsonschema
number = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
yaml.SafeLoader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+0123456789."))
schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
errors = list(jsonschema.Draft7Validator(schema).iter_errors(yaml.safe_load(open(sys.argv[2]))))
for e in errors:
    print(e.message[:200])
sys.exit(len(errors) > 0)
)py";

std::string python() {
  for (const char* program : {"python3", "/usr/bin/python3"}) {
    std::string probe = std::string(program) + " -c 'import jsonschema, yaml' 2>/dev/null";
    if (std::system(probe.c_str()) == 0) return program;
  }
  return "";
}

/// The validator's verdict on a register: 0 valid, 1 not.
int validate(const Cli& cli, const std::string& program, const std::string& yaml) {
  cli.file("validate.py", validator);
  cli.file("k.yaml", yaml);
  std::string line = "cd " + cli.path("") + " && " + program +
                     " validate.py " BARLINE_SOURCE_DIR "/docs/kernels.schema.json k.yaml >errors";
  return WEXITSTATUS(std::system(line.c_str()));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("the registers here are valid by their schema, and what the parser refuses is not") {
  std::string program = python();
  if (program.empty()) {
    WARN("no Python with jsonschema and yaml: the schema was not validated");
    return;
  }
  Cli cli;
  CHECK(validate(cli, program, slurp(BARLINE_SOURCE_DIR "/kernels.yaml")) == 0);
  const std::string gate = slurp(BARLINE_SOURCE_DIR "/examples/gate/kernels.yaml");
  CHECK(validate(cli, program, gate) == 0);
  const std::pair<const char*, const char*> faults[] = {
      {"entry:", "entri:"},
      {"source: axpy.ptx", "source: axpy.so"},
      {"registers: 10", "regs: 10"},
      {"registers: 10", "registers: -1"},
      {"version: 1", "version: 2"},
      {"sm_80: axpy", "sm_81: axpy"},
      {"    source: axpy.ptx\n", ""},
      {"source: axpy.ptx", "source: axpy.ptx\n    threads: 0"},
      {"source: axpy.ptx", "source: axpy.ptx\n    threads: 4096"},
      {"registers: 10", "registers: 0"},
      {"registers: 10", "registers: 256"},
      {"registers: 10", "registers: 10, min_ctas_per_sm: 0"},
      {"registers: 10", "registers: 10, min_ctas_per_sm: 65"},
      {"registers: 10", "registers: 10, smem: 1073741825"}};
  for (auto [from, to] : faults) {
    INFO(from << " -> " << to);
    std::string bad = replaced(gate, from, to);
    CHECK(validate(cli, program, bad) == 1);
    CHECK(cli.run("list --registry k.yaml").code == 2);
  }
}

TEST_CASE("a register begins with the line that tells editors its schema") {
  for (const char* file : {"kernels.yaml", "examples/gate/kernels.yaml"}) {
    std::string path = std::string(BARLINE_SOURCE_DIR "/") + file, text = slurp(path);
    const std::string mark = "# yaml-language-server: $schema=";
    REQUIRE(text.rfind(mark, 0) == 0);
    std::string schema = text.substr(mark.size(), text.find('\n') - mark.size());
    CHECK(std::filesystem::exists(std::filesystem::path(path).parent_path() / schema));
  }
}
