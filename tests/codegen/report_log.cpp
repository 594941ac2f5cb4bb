// SPDX-License-Identifier: Apache-2.0
// One case a variant of the log and one a trap in reading it.
#include "tests/codegen/report_logs.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "codegen/report/ptxas_log.h"

using namespace barline::codegen;
namespace logs = barline::codegen::test::logs;
using Catch::Matchers::Contains;

namespace {

std::string with(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

std::string without_line(const std::string& text, const std::string& part) {
  std::size_t at = text.find(part);
  std::size_t begin = text.rfind('\n', at) + 1;
  return text.substr(0, begin) + text.substr(text.find('\n', at) + 1);
}

}  // namespace

TEST_CASE("the log of one kernel") {
  PtxasLog log = parse_ptxas_log(logs::text("plain"));
  CHECK(log.unknown.empty());
  const ResourceReport& k = log.kernel("k");
  CHECK(k.target == "sm_80");
  CHECK(k.registers == 10);
  CHECK(k.barriers == 1);
  CHECK(k.smem_static == 512);
  CHECK(k.cmem == std::map<int, int>{{0, 364}});
  CHECK(k.spill_stores == 0);
  CHECK(k.compile_ms == Approx(23.608));
}

TEST_CASE("from sm_90 on no constant bank is printed") {
  const PtxasLog log = parse_ptxas_log(logs::text("hopper"));
  CHECK(log.kernel("k").cmem.empty());
  CHECK(log.kernel("k").target == "sm_90a");
  CHECK(log.unknown.empty());
}

TEST_CASE("records are keyed by name whatever their order") {
  PtxasLog log = parse_ptxas_log(logs::text("calls"));
  CHECK(log.kernel("k_rec").registers == 24);
  CHECK(log.kernel("k_rec").stack == 256);
  CHECK(log.kernel("k_rec").cumulative_stack == 256);
  CHECK(log.kernel("k_rec").compile_ms == Approx(11.908));
  CHECK(log.kernel("k_one").registers == 8);
  CHECK(log.kernel("k_one").stack == 0);
  CHECK(log.functions.at("rec").spill_stores == 16);
  CHECK_FALSE(log.functions.at("rec").entry);
  CHECK(log.unknown.empty());
}

TEST_CASE("a callee's spills count for the kernel that calls it") {
  PtxasLog log = parse_ptxas_log(logs::text("calls"));
  CHECK(log.kernel("k_rec").spill_stores == 0);
  CHECK(log.verdict("k_rec").spill_stores == 16);
  CHECK(log.verdict("k_rec").spill_loads == 20);
  CHECK(log.verdict("k_rec").stack == 256);
  CHECK(log.verdict("k_rec").warnings.size() == 3);
  CHECK(log.verdict("k_one", {}).spill_stores == 0);
  CHECK_THROWS_WITH(log.verdict("k_one", {"other"}), Contains("'other'") && Contains("'k_one'"));
}

TEST_CASE("a callee may come before every entry, or inside one") {
  PtxasLog first = parse_ptxas_log(logs::text("separate"));
  CHECK(first.kernel("k_rec").registers == 24);
  CHECK(first.verdict("k_rec").spill_stores == 12);
  CHECK(first.functions.at("rec").compile_ms == Approx(2.175));

  PtxasLog inside = parse_ptxas_log(logs::text("callee_inside"));
  CHECK(inside.kernel("k").registers == 18);
  CHECK(inside.kernel("k").stack == 8);
  CHECK_FALSE(inside.functions.at("f").has_usage);
  CHECK(inside.verdict("k").stack == 32);
  CHECK(inside.unknown.empty());
}

TEST_CASE("very old logs") {
  PtxasLog log = parse_ptxas_log(logs::text("ancient"));
  const ResourceReport& k = log.kernel("_Z3addPf");
  CHECK(k.target.empty());
  CHECK(k.smem_static == 2064);
  CHECK(k.lmem == 4);
  CHECK(k.cmem == std::map<int, int>{{1, 8}});
  CHECK(k.barriers == 0);
  CHECK(log.unknown.empty());
}

TEST_CASE("nvJitLink's dialect") {
  PtxasLog log = parse_ptxas_log(logs::text("jitlink"));
  CHECK(log.unknown.empty());
  CHECK(log.errors.empty());
  CHECK(log.gmem == 16);
  CHECK(log.gmem_cmem == std::map<int, int>{{3, 8}, {4, 4}});
  const ResourceReport& k = log.kernel("k");
  CHECK(k.stack == 24);
  CHECK(k.spill_stores == 8);
  CHECK(k.spill_loads == 12);
  CHECK(k.cumulative_stack == 24);
  CHECK(k.textures == 1);
  CHECK(k.samplers == 2);
  CHECK(k.surfaces == 3);
  CHECK(k.lmem == 24);
  CHECK(k.smem_static == 100);
}

TEST_CASE("notes are kept by their code, warnings by their function") {
  PtxasLog log = parse_ptxas_log(logs::text("notes"));
  REQUIRE(log.notes.size() == 2);
  CHECK(log.notes[0].code == "C7508");
  CHECK(log.notes[0].performance_loss);
  CHECK(log.notes[0].function.empty());
  CHECK(log.notes[1].function == "k");
  const ResourceReport& k = log.kernel("k");
  REQUIRE(k.notes.size() == 1);
  CHECK(k.notes[0].code == "C7510");
  CHECK(k.warnings.size() == 2);
  CHECK(log.warnings.size() == 3);
  CHECK(log.errors.empty());
  CHECK(log.unknown.empty());
}

TEST_CASE("errors are kept as they stand") {
  CHECK(parse_ptxas_log(logs::text("refused")).errors.size() == 3);
  PtxasLog log = parse_ptxas_log(logs::text("too_much"));
  REQUIRE(log.errors.size() == 1);
  CHECK_THAT(log.errors[0], Contains("too much shared data"));
}

TEST_CASE("a kernel without a full record fails") {
  auto why = [](const std::string& text) -> std::string {
    try {
      parse_ptxas_log(text).kernel("k");
    } catch (const MissingRecord& error) {
      return error.what();
    }
    return "complete";
  };
  CHECK(why(logs::text("plain")) == "complete");
  CHECK_THAT(why(""), Contains("no record") && Contains("'k'"));
  CHECK_THAT(why(logs::text("calls")), Contains("no record"));
  CHECK_THAT(why(without_line(logs::text("plain"), "Used 10")), Contains("no 'Used registers' line"));
  CHECK_THAT(why(without_line(logs::text("plain"), "stack frame")), Contains("'Function properties'"));
  CHECK_THAT(why(without_line(logs::text("plain"), "Compiling")), Contains("entry function"));
  CHECK_THAT(why(logs::text("two_targets")), Contains("disagree"));
  CHECK_THAT(why(with(logs::text("two_targets"), "Used 12", "Used 10")), Contains("disagree"));
  CHECK_THROWS_AS(parse_ptxas_log(logs::text("calls")).kernel("rec"), MissingRecord);
}

TEST_CASE("figures that cannot be read leave the record incomplete") {
  for (const char* figure : {"99999999999999999999", "-3", "ten", "0x10", ""}) {
    INFO(figure);
    PtxasLog log = parse_ptxas_log(with(logs::text("plain"), "Used 10", std::string("Used ") + figure));
    CHECK(log.unknown.size() == 1);
    CHECK_THROWS_AS(log.kernel("k"), MissingRecord);
  }
  PtxasLog sum = parse_ptxas_log(with(logs::text("plain"), "512 bytes", "2147483647+2147483647 bytes"));
  CHECK_THROWS_AS(sum.kernel("k"), MissingRecord);
  PtxasLog suffix = parse_ptxas_log(with(logs::text("plain"), "512 bytes smem", "512 bytes novelty"));
  CHECK_THROWS_AS(suffix.kernel("k"), MissingRecord);
}

TEST_CASE("line ends and stray lines do not matter") {
  std::string crlf;
  for (char c : logs::text("plain")) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  CHECK(parse_ptxas_log(crlf).kernel("k").registers == 10);
  PtxasLog log = parse_ptxas_log("hello\n\n" + logs::text("plain") + "bye");
  CHECK(log.kernel("k").registers == 10);
  CHECK(log.unknown == std::vector<std::string>{"hello", "bye"});
}

TEST_CASE("names with dollars and templates are taken whole") {
  PtxasLog log =
      parse_ptxas_log(with(with(logs::text("plain"), "'k'", "'a$b_1'"), "for k\n", "for a$b_1\n"));
  CHECK(log.kernel("a$b_1").registers == 10);
}
