// SPDX-License-Identifier: Apache-2.0
// Ten thousand damaged logs: the parser must return, and must never report a figure below zero.
#include <catch2/catch.hpp>
#include <random>

#include "codegen/report/ptxas_log.h"
#include "tests/codegen/report_logs.h"

using namespace barline::codegen;
namespace logs = barline::codegen::test::logs;

namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t n) { return n ? random() % n : 0; }

std::string pick_seed(Random& random) {
  static const std::vector<std::string> seeds = [] {
    std::vector<std::string> texts;
    for (const std::string& name : logs::names()) texts.push_back(logs::text(name));
    return texts;
  }();
  return seeds[below(random, seeds.size())];
}

void damage(std::string& text, Random& random) {
  constexpr std::string_view words[] = {"ptxas",
                                        "info    : ",
                                        "'",
                                        "99999999999",
                                        "-1",
                                        "\n",
                                        "\0",
                                        "cmem[",
                                        "]",
                                        "+",
                                        ", used ",
                                        "Function properties for ",
                                        "Compiling entry function '",
                                        "    ",
                                        "info    : used ",
                                        "ptxas         .     ",
                                        "ERROR NVJITLINK",
                                        "\r\n",
                                        "(C",
                                        ";",
                                        "\xff"};
  std::size_t at = below(random, text.size());
  std::size_t length = 1 + below(random, 40);
  switch (below(random, 5)) {
    case 0: text.erase(at, length); break;
    case 1: text.insert(at, words[below(random, std::size(words))]); break;
    case 2: text.insert(at, text.substr(below(random, text.size()), length)); break;
    case 3: text.resize(at); break;
    default:
      if (!text.empty()) text[at] = static_cast<char>(random());
  }
}

}  // namespace

TEST_CASE("damaged logs are read without harm") {
  Random random(20240607);
  int complete = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string text = pick_seed(random);
    for (std::size_t n = 1 + below(random, 6); n > 0; --n) damage(text, random);
    PtxasLog log = parse_ptxas_log(std::string_view(text));
    for (const auto& [name, report] : log.functions) {
      REQUIRE(report.function == name);
      for (int figure : {report.registers, report.barriers, report.stack, report.spill_stores,
                         report.spill_loads, report.smem_static, report.lmem})
        REQUIRE(figure >= 0);
      try {
        complete += log.verdict(name).has_usage;
      } catch (const MissingRecord&) {
      }
    }
  }
  CHECK(complete > 1000);
}
