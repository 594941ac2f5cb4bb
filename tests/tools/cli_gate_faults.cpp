// SPDX-License-Identifier: Apache-2.0
// Planted regressions: each fails the gate with its own message, exit code and place in all six
// forms. The assembler is a script that prints a log and copies a kept cubin, so none is needed.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/xml.h"
#include "tests/tools/cli.h"

using barline::test::Cli;
using barline::test::has;
using barline::test::Ran;
using nlohmann::json;

namespace {

const std::string cubin = BARLINE_SOURCE_DIR "/examples/gate/axpy.sm_80.cubin";

const std::string small_cubin = BARLINE_SOURCE_DIR "/tests/codegen/cubins/small.sm_80.cubin";
const std::string calls_cubin = BARLINE_SOURCE_DIR "/tests/codegen/cubins/calls.sm_80.cubin";

const std::string register_yaml =
    "version: 1\nassembler: ptxas 13.0\ntargets: [sm_80]\nkernels:\n"
    "  axpy:\n    source: axpy.ptx\n    entry: axpy\n"
    "    budget:\n      sm_80: {registers: 10}\n";

const std::string good_log =
    "ptxas info    : Compiling entry function 'axpy' for 'sm_80'\n"
    "ptxas info    : Function properties for axpy\n"
    "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
    "ptxas info    : Used 10 registers, used 0 barriers\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

struct Fault {
  const char* name;
  std::string yaml, log;
  std::string verdict, message;
  int line, column, code;
  const char* ptxas = "./ptxas";
  std::string assembled = cubin;
};

std::vector<Fault> faults() {
  return {
      {"one more register", replaced(register_yaml, "registers: 10", "registers: 9"), good_log,
       "WORSE", "registers 10 > 9", 9, 7, 1},
      {"a spill", register_yaml, replaced(good_log, "0 bytes spill stores", "8 bytes spill stores"),
       "WORSE", "spills 8 > 0", 9, 7, 1},
      {"a missing ptxas", register_yaml, good_log, "NO PTXAS", "cannot use ", 2, 12, 3, "./absent"},
      {"a missing record", register_yaml, good_log.substr(0, good_log.find("ptxas info    : Used")),
       "MISSING", "no 'Used registers' line", 9, 7, 1},
      {"a renamed kernel of a file", replaced(register_yaml, "entry: axpy", "entry: axpby"),
       good_log, "GONE", "it holds no kernel 'axpby'; it holds axpy", 9, 7, 2},
      {"several kernels and none named", replaced(register_yaml, "    entry: axpy\n", ""), good_log,
       "MISSING",
       "axpy.ptx: it holds several kernels (k_rec, k_one), and none is named; add one as "
       "`entry:`",
       8, 7, 2, "./ptxas", calls_cubin},
      {"a renamed kernel of the library",
       register_yaml + "  vector_sum:\n    schedules:\n      flat256:\n", good_log, "GONE",
       "there is no kernel 'vector_sum'; did you mean 'vector_add'?", 10, 3, 2},
  };
}

/// The text without what a form does to letters that it escapes.
std::string plain(std::string text) {
  for (auto [from, to] :
       {std::pair{"&gt;", ">"}, {"&lt;", "<"}, {"&quot;", "\""}, {"&amp;", "&"}}) {
    for (std::size_t at; (at = text.find(from)) != std::string::npos;)
      text.replace(at, std::string(from).size(), to);
  }
  return text;
}

std::string place(const Fault& f) {
  return "k.yaml:" + std::to_string(f.line) + ":" + std::to_string(f.column);
}

void check_json(const std::string& text, const Fault& f) {
  json doc = json::parse(text);
  CHECK(doc["schema"] == "barline.gate/1");
  CHECK(doc["passed"] == false);
  json at = doc["problem"].is_null() ? doc["results"].at(0) : doc["problem"];
  CHECK(at["verdict"] == f.verdict);
  CHECK(has(at["reason"], f.message));
  CHECK(at["line"] == f.line);
  CHECK(at["column"] == f.column);
  CHECK_FALSE(at["fix"].get<std::string>().empty());
}

void check_sarif(const std::string& text, const Fault& f) {
  json doc = json::parse(text);
  CHECK(doc["version"] == "2.1.0");
  REQUIRE(doc["runs"].size() == 1);
  CHECK(doc["runs"][0]["tool"]["driver"]["name"] == "barline gate");
  json result = doc["runs"][0]["results"].at(0);
  CHECK(result["level"] == "error");
  CHECK(has(result["message"]["text"], f.message));
  CHECK(has(result["message"]["text"], f.verdict));
  json where = result["locations"][0]["physicalLocation"];
  CHECK(where["artifactLocation"]["uri"] == "k.yaml");
  CHECK(where["region"] == json{{"startLine", f.line}, {"startColumn", f.column}});
}

void check_junit(const std::string& text, const Fault& f) {
  std::size_t prolog = text.find("?>\n") + 3;
  CHECK(barline::test::xml_error(text.substr(prolog, text.size() - prolog - 1)) == "");
  CHECK(has(plain(text), f.verdict + ": "));
  CHECK(has(plain(text), f.message));
  CHECK(has(text, ">" + place(f) + ": "));
}

void check_github(const std::string& text, const Fault& f) {
  CHECK(text.rfind("::error file=k.yaml,line=" + std::to_string(f.line) +
                       ",col=" + std::to_string(f.column) + ",title=" + f.verdict,
                   0) == 0);
  CHECK(has(text, f.message));
}

void check_form(const std::string& format, const std::string& text, const Fault& f) {
  if (format == "json") return check_json(text, f);
  if (format == "sarif") return check_sarif(text, f);
  if (format == "junit") return check_junit(text, f);
  if (format == "github") return check_github(text, f);
  CHECK(has(text, f.verdict));
  CHECK(has(text, f.message));
  CHECK(has(text, place(f)));
}

/// A folder with the register, the PTX (which the fake does not read) and the fake assembler.
void plant(const Cli& cli, const std::string& yaml, const std::string& log,
           const std::string& assembled = cubin) {
  cli.file("k.yaml", yaml);
  cli.file("axpy.ptx", "// read by no one\n");
  cli.file("log", log);
  cli.file("ptxas",
           "#!/bin/sh\nif [ \"$1\" = --version ]; then\n"
           "  echo 'Cuda compilation tools, release 13.0, V13.0.88'\n  exit 0\nfi\n"
           "cat " +
               assembled + " >/proc/self/fd/4\ncat " + cli.path("log") + " >&2\n");
  ::chmod(cli.path("ptxas").c_str(), 0755);
}

}  // namespace

TEST_CASE("each planted regression fails the gate in all six forms") {
  Cli cli;
  for (const Fault& f : faults()) {
    plant(cli, f.yaml, f.log, f.assembled);
    for (const char* format : {"text", "json", "junit", "sarif", "github", "markdown"}) {
      Ran r =
          cli.run(std::string("gate --registry k.yaml --ptxas ") + f.ptxas + " --format " + format);
      INFO(f.name << ", " << format << "\n" << r.out << r.err);
      CHECK(r.code == f.code);
      check_form(format, r.out, f);
    }
  }
  plant(cli, register_yaml, good_log);
  Ran good = cli.run("gate --registry k.yaml --ptxas ./ptxas");
  INFO(good.out << good.err);
  CHECK(good.code == 0);
}

TEST_CASE("further forms of one run go to files") {
  Cli cli;
  plant(cli, register_yaml, good_log);
  Ran r = cli.run(
      "gate --registry k.yaml --ptxas ./ptxas --format github --report json=g.json "
      "--report sarif=g.sarif --report markdown=g.md");
  INFO(r.out << r.err);
  CHECK(r.code == 0);
  CHECK(r.out == "PASS: 1 of 1 configs within budget, 0 improved (ptxas 13.0)\n");
  json doc = json::parse(barline::test::slurp(cli.path("g.json")));
  CHECK(doc["passed"] == true);
  CHECK(doc["results"][0]["ptx_bytes"] == 18);  // of axpy.ptx
  CHECK(json::parse(barline::test::slurp(cli.path("g.sarif")))["runs"][0]["results"].empty());
  CHECK(has(barline::test::slurp(cli.path("g.md")), "**PASS: 1 of 1"));
}

TEST_CASE("a run is shown beside an earlier one") {
  Cli cli;
  const std::string gate = "gate --registry k.yaml --ptxas ./ptxas";
  plant(cli, register_yaml, good_log);
  REQUIRE(cli.run(gate + " --report json=before.json").code == 0);
  plant(cli, register_yaml, replaced(good_log, "0 bytes spill loads", "24 bytes spill loads"));
  Ran text = cli.run(gate + " --baseline before.json");
  CHECK(text.code == 1);
  CHECK(has(text.out, "spill_loads       0 -> 24"));
  Ran markdown = cli.run(gate + " --baseline before.json --format markdown");
  CHECK(has(markdown.out, "| axpy | sm_80 | spill_loads | 0 -> 24 | worse |"));
  json doc = json::parse(cli.run(gate + " --baseline before.json --json").out);
  CHECK(doc["changes"]["rows"].size() == 1);
  CHECK(doc["changes"]["rows"][0]["after"] == 24);
}

TEST_CASE("--update takes back a note that is noted no more") {
  Cli cli;
  const std::string gate = "gate --registry k.yaml --ptxas ./ptxas";
  plant(cli, replaced(register_yaml, "registers: 10", "registers: 10, allow_notes: [C7510]"),
        good_log);
  Ran stale = cli.run(gate);
  CHECK(stale.code == 1);
  CHECK(has(stale.out, "IMPROVED axpy: ptxas notes C7510 no more, and allow_notes has it"));
  CHECK(cli.run(gate + " --update").code == 0);
  CHECK(barline::test::slurp(cli.path("k.yaml")) == register_yaml);
}

TEST_CASE("a cubin is gated without an assembler") {
  Cli cli;
  cli.file("axpy.cubin", barline::test::slurp(cubin));
  const std::string yaml =
      "version: 1\nassembler: ptxas 13.0\ntargets: [sm_80]\nkernels:\n"
      "  axpy:\n    source: axpy.cubin\n    budget: {sm_80: {registers: 10, min_ctas_per_sm: 8}}\n";
  const std::string gate = "gate --registry k.yaml --ptxas ./absent";
  cli.file("k.yaml", yaml);
  CHECK(cli.run(gate).code == 0);
  json row = json::parse(cli.run(gate + " --json").out)["results"][0];
  CHECK(row["ctas_per_sm"] == 8);
  CHECK_FALSE(row.contains("spill_stores"));
  CHECK_FALSE(row.contains("ptx_bytes"));
  cli.file("k.yaml", replaced(yaml, "min_ctas_per_sm: 8", "min_ctas_per_sm: 9"));
  CHECK(has(cli.run(gate).out, "WORSE axpy: ctas_per_sm 8 < 9 on sm_80"));
  cli.file("k.yaml",
           replaced(yaml, "source: axpy.cubin", "source: axpy.cubin\n    dynamic_smem: 65536"));
  CHECK(has(cli.run(gate).out, "smem 65536 > 0; ctas_per_sm 2 < 8"));
  cli.file("k.yaml", replaced(yaml, "registers: 10", "registers: 12"));
  CHECK(cli.run(gate).code == 1);
  CHECK(cli.run(gate + " --update").code == 0);
  CHECK(barline::test::slurp(cli.path("k.yaml")) == yaml);
}

TEST_CASE("a file that cannot be judged is named and is no pass") {
  Cli cli;
  const std::string yaml =
      "version: 1\nassembler: ptxas 13.0\ntargets: [sm_80, sm_90a]\nkernels:\n"
      "  axpy:\n    source: {sm_80: axpy.cubin}\n    budget: {sm_80: {registers: 10}}\n";
  const std::string gate = "gate --registry k.yaml --ptxas ./absent";
  cli.file("k.yaml", yaml);
  Ran missing = cli.run(gate);
  CHECK(missing.code == 2);
  CHECK(has(missing.out, "MISSING axpy: axpy.cubin: no such file"));
  cli.file("axpy.cubin", "no cubin");
  Ran text = cli.run(gate);
  CHECK(text.code == 2);
  CHECK(has(text.out, "axpy.cubin is no cubin that can be judged: "));
  cli.file("axpy.cubin", barline::test::slurp(cubin));
  cli.file("k.yaml", replaced(yaml, "{sm_80: axpy.cubin}\n    budget: {sm_80",
                              "{sm_90a: axpy.cubin}\n    budget: {sm_90a"));
  CHECK(has(cli.run(gate).out, "it is for sm_80, and the budget is for sm_90a"));
}

TEST_CASE("a launch that cannot be is no pass") {
  Cli cli;
  cli.file("bounded.cubin", barline::test::slurp(small_cubin));  // .maxntid 128
  cli.file("fixed.cubin", barline::test::slurp(cubin));          // .reqntid 256
  cli.file("free.cubin", barline::test::slurp(calls_cubin));     // neither
  auto gate = [&](const std::string& source, const std::string& row) {
    cli.file("k.yaml", "version: 1\nassembler: ptxas 13.0\ntargets: [sm_80]\nkernels:\n  k:\n" +
                           std::string("    source: ") + source + "\n    budget: {sm_80: {" + row +
                           "}}\n");
    return cli.run("gate --registry k.yaml --ptxas ./absent");
  };
  const std::string bounded = "bounded.cubin\n    barriers: 1";
  const std::string open = "free.cubin\n    entry: k_rec";
  const std::string no_block = "BROKEN k: no block fits an SM with ";
  CHECK(gate(bounded, "registers: 10, smem: 512").code == 0);
  CHECK(gate(bounded + "\n    threads: 32", "registers: 10, smem: 512").code == 0);
  CHECK(gate(open + "\n    threads: 1024", "registers: 24, stack: 256").code == 0);
  struct Case {
    std::string source, row, message;
  };
  const Case cases[] = {
      {bounded + "\n    threads: 1024", "registers: 10, smem: 512",
       "BROKEN k: no launch can have threads: 1024, for .maxntid allows 128; write 1 to 128, or "
       "compile it for more on sm_80"},
      {"fixed.cubin\n    threads: 32", "registers: 10, min_ctas_per_sm: 32",
       "BROKEN k: no launch can have threads: 32, for .reqntid demands 256; delete it, or compile "
       "it for 32 on sm_80"},
      {"fixed.cubin\n    dynamic_smem: 300000", "registers: 10, smem: 300000",
       no_block + "10 registers a thread and 300000 bytes of shared memory"},
      {open + "\n    dynamic_smem: 300000", "registers: 24, stack: 256, smem: 300000",
       no_block + "24 registers a thread and 300000 bytes of shared memory"},
  };
  for (const Case& c : cases) {
    Ran r = gate(c.source, c.row);
    INFO(c.source << "\n" << r.out << r.err);
    CHECK(r.code == 1);
    CHECK(has(r.out, c.message));
  }
}

TEST_CASE("only gate and list take a file's kernel") {
  Cli cli;
  plant(cli, register_yaml, good_log);
  for (const char* command : {"verify", "run", "explain", "mutate", "build"}) {
    Ran r = cli.run(std::string(command) + " axpy --registry k.yaml");
    INFO(command << r.out << r.err);
    CHECK(r.code == 2);
    CHECK(has(r.err, "kernel 'axpy' is a file (axpy.ptx) that another compiler made"));
  }
  json list = json::parse(cli.run("list axpy --registry k.yaml --json").out);
  CHECK(list["kernels"].empty());
  CHECK(list["sources"][0]["files"]["sm_80"] == "axpy.ptx");
  CHECK(has(cli.run("list --registry k.yaml").out, "axpy  a file: axpy.ptx\n"));
  CHECK(cli.run("list --registry k.yaml --names").out == "axpy\n");
}

TEST_CASE("the example's register passes", "[ptxas]") {
  Ran r = Cli().run("gate --registry " BARLINE_SOURCE_DIR "/examples/gate/kernels.yaml");
  INFO(r.out << r.err);
  CHECK(r.code == 0);
}
