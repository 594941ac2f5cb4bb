// SPDX-License-Identifier: Apache-2.0
// Entries of kernels.yaml with a source, and the budget keys that a row may have: what is read,
// re-pinned and refused.
#include <catch2/catch.hpp>

#include "tools/yaml_reader.h"
#include "verify/gate/registry_file.h"
#include "verify/gate/update_budgets.h"

using namespace barline;

namespace {

const std::string text =
    "version: 1\nassembler: ptxas 13.0\ntargets: [sm_80, sm_90a]\nkernels:\n"
    "  softmax:  # by Triton\n"
    "    source: {sm_80: out/softmax.sm_80.cubin, sm_90a: out/softmax.ptx}\n"
    "    entry: softmax_kernel\n    threads: 128\n    dynamic_smem: 2048\n    barriers: 1\n"
    "    budget: {sm_80: {registers: 32, min_ctas_per_sm: 4},\n"
    "             sm_90a: {registers: 30, spills: 8, allow_notes: [C7510, C7512]}}\n"
    "  axpy:\n    source: axpy.ptx\n    targets: [sm_80]\n";

verify::RegistryFile parse(const std::string& yaml) {
  return verify::parse_registry(tools::read_yaml(yaml, "k.yaml"), "k.yaml");
}

std::string error_with(const std::string& from, const std::string& to) {
  std::string changed = text;
  std::size_t at = changed.find(from);
  REQUIRE(at != std::string::npos);
  try {
    parse(changed.replace(at, from.size(), to));
  } catch (const verify::FileError& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a source is read with its files, launch figures and budgets") {
  verify::RegistryFile r = parse(text);
  CHECK(r.kernels.empty());
  REQUIRE(r.sources.size() == 2);
  const verify::SourceEntry& s = *r.source("softmax");
  CHECK(s.entry == "softmax_kernel");
  CHECK(s.threads == 128);
  CHECK(s.dynamic_smem == 2048);
  CHECK(s.config.barriers == 1);
  CHECK(s.config.targets == std::vector<std::string>{"sm_80", "sm_90a"});
  CHECK(verify::is_cubin(s.file("sm_80")));
  CHECK(s.file("sm_90a").path == "out/softmax.ptx");
  CHECK(s.config.budget("", "sm_80")->min_ctas_per_sm == 4);
  CHECK(s.config.budget("", "sm_90a")->allow_notes == std::vector<std::string>{"C7510", "C7512"});
  CHECK(r.source("axpy")->config.targets == std::vector<std::string>{"sm_80"});
  CHECK(r.source("axpy")->file("sm_80").path == "axpy.ptx");
  CHECK(r.source("axpy")->config.budgets.empty());
}

TEST_CASE("a malformed source names place, rule and fix") {
  struct Case {
    std::string from, to, error;
  };
  const Case cases[] = {
      {"entry:", "entri:",
       "k.yaml:7:5: unknown key 'entri' in kernel softmax (a source); did you mean 'entry'?"},
      {"    threads: 128\n", "    schedules: {a: }\n",
       "k.yaml:8:5: unknown key 'schedules' in kernel softmax (a source); known: source, entry, "
       "targets, threads, dynamic_smem, barriers, budget"},
      {"threads: 128", "threads: 2000",
       "k.yaml:8:14: threads is an integer from 1 to 1024; write decimal digits without quotes"},
      {"out/softmax.ptx", "out/softmax.so",
       "k.yaml:6:54: 'out/softmax.so' is neither PTX nor a cubin by its name; name a file that "
       "ends in .ptx or .cubin (`nvcc -ptx`, `nvcc -cubin`)"},
      {"{sm_80: out", "{sm_81: out",
       "k.yaml:6:14: unknown target 'sm_81' in the source of softmax; did you mean 'sm_80'?"},
      {"source: {sm_80: out/softmax.sm_80.cubin, sm_90a: out/softmax.ptx}", "source: {}",
       "k.yaml:6:13: softmax has no source; name a file"},
      {"source: axpy.ptx\n    targets: [sm_80]", "source: axpy.cubin",
       "k.yaml:14:13: a cubin is for one target, and this entry is for several; write source: "
       "{sm_80: FILE, ...}, or targets: [sm_80]"},
      {"{registers: 32,", "{registers: 32, spills: 4,",
       "k.yaml:11:14: a cubin does not tell spills from other local memory; budget its `stack`, "
       "or name the PTX"},
      {"min_ctas_per_sm: 4", "min_ctas_per_sm: 0",
       "k.yaml:11:54: min_ctas_per_sm is an integer from 1 to 64; write decimal digits without "
       "quotes"},
      {"[C7510, C7512]", "[7510]",
       "k.yaml:12:63: '7510' is no code of a note; write the code that ptxas prints in brackets, "
       "as in C7510"},
      {"[C7510, C7512]", "[C7510, C7510]",
       "k.yaml:12:70: note 'C7510' stands twice in the list; delete one"},
      {"[C7510, C7512]", "C7510",
       "k.yaml:12:62: expected a list of notes that is not empty; write [C7510]"},
      {"sm_90a: {registers", "sm_86: {registers",
       "k.yaml:12:14: unknown target 'sm_86' in this budget; did you mean 'sm_80'?"},
      {"  axpy:", "  softmax:",
       "k.yaml:13:3: key 'softmax' stands twice in this map; delete or rename one"},
  };
  for (const Case& c : cases) {
    INFO(c.from << " -> " << c.to);
    CHECK(error_with(c.from, c.to) == c.error);
  }
}

TEST_CASE("a source's budget is re-pinned in place, its demands stay") {
  std::vector<verify::Pin> pins = {
      {.kernel = "softmax", .target = "sm_80", .registers = 31, .smem = 2048, .barriers = 2},
      {.kernel = "softmax", .target = "sm_90a", .registers = 30, .smem = 2048, .barriers = 1},
      {.kernel = "axpy", .target = "sm_80", .registers = 10},
      {.kernel = "rms_norm", .target = "sm_80", .registers = 10}};
  std::string out = verify::update_budgets(text, tools::read_yaml(text, "k.yaml"), pins);
  verify::RegistryFile r = parse(out);
  INFO(out);
  const verify::ScheduleEntry& softmax = r.source("softmax")->config;
  CHECK(softmax.barriers == 2);
  CHECK(softmax.budget("", "sm_80")->registers == 31);
  CHECK(softmax.budget("", "sm_80")->smem == 2048);
  CHECK(softmax.budget("", "sm_80")->min_ctas_per_sm == 4);
  CHECK(softmax.budget("", "sm_90a")->spills == 0);
  CHECK(softmax.budget("", "sm_90a")->allow_notes.size() == 2);
  CHECK(r.source("axpy")->config.budget("", "sm_80")->registers == 10);
  CHECK(out.find("  # by Triton\n") != std::string::npos);
  CHECK(out.find("rms_norm") == std::string::npos);
}
