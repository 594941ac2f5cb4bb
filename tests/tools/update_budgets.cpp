// SPDX-License-Identifier: Apache-2.0
// Re-pinning budgets in place: comments and layout stay, what is missing is inserted.
#include "verify/gate/update_budgets.h"

#include <catch2/catch.hpp>

#include "tests/tools/registry_text.h"
#include "tools/yaml_reader.h"
#include "verify/gate/registry_file.h"

using namespace barline;
using verify::Pin;

namespace {

std::string update(const std::string& text, const std::vector<Pin>& pins,
                   const std::string& assembler = {}) {
  return verify::update_budgets(text, tools::read_yaml(text, "k.yaml"), pins, assembler);
}

verify::RegistryFile parse(const std::string& text) {
  return verify::parse_registry(tools::read_yaml(text, "k.yaml"), "k.yaml");
}

std::string line_with(const std::string& text, const std::string& part) {
  std::size_t at = text.find(part);
  REQUIRE(at != std::string::npos);
  std::size_t begin = text.rfind('\n', at) + 1;
  return text.substr(begin, text.find('\n', at) - begin);
}

}  // namespace

TEST_CASE("numbers are replaced where they stand") {
  std::string out = update(registry_text,
                           {{.kernel = "rms_norm",
                             .schedule = "row256",
                             .type = "f32",
                             .target = "sm_80",
                             .registers = 9,
                             .smem = 128,
                             .barriers = 2},
                            {.kernel = "rms_norm",
                             .schedule = "row256",
                             .type = "bf16",
                             .target = "sm_80",
                             .registers = 31,
                             .smem = 64,
                             .barriers = 1}},
                           "ptxas 13.1");
  CHECK(line_with(out, "f32:  ") == "          f32:  {sm_80: {registers: 9, smem: 128}}   # tight");
  CHECK(line_with(out, "one line") ==
        "            sm_80: {registers: 31, smem: 64, stack: 0}  # one line a target");
  CHECK(line_with(out, "barriers: ") == "        barriers: 2");
  CHECK(line_with(out, "assembler") == "assembler: ptxas 13.1   # pinned");
}

TEST_CASE("numbers that do not change leave the text as it is") {
  CHECK(update(registry_text, {}) == registry_text);
  CHECK(update(registry_text,
               {{.kernel = "qkv_w8a16",
                 .schedule = "S",
                 .target = "sm_80",
                 .registers = 48,
                 .smem = 2560,
                 .barriers_per_step = 6}},
               "ptxas 13.0") == registry_text);
}

TEST_CASE("missing budgets are inserted in flow and in block maps") {
  std::vector<Pin> pins;
  for (const char* type : {"f32", "bf16"}) {
    pins.push_back({.kernel = "rms_norm",
                    .schedule = "row256",
                    .type = type,
                    .target = "sm_90a",
                    .registers = 41,
                    .smem = 64,
                    .barriers = 1});
  }
  pins.push_back({.kernel = "rms_norm",
                  .schedule = "row512",
                  .type = "f32",
                  .target = "sm_90a",
                  .registers = 20,
                  .spills = 4,
                  .barriers = 1});
  pins.push_back({.kernel = "qkv_w8a16",
                  .schedule = "S+1/2P",
                  .target = "sm_90a",
                  .registers = 66,
                  .smem = 3136,
                  .barriers_per_step = 3});
  std::string out = update(registry_text, pins);
  INFO(out);
  verify::RegistryFile r = parse(out);
  for (const Pin& p : pins) {
    const verify::BudgetRow* row =
        r.kernel(p.kernel)->schedule(p.schedule)->budget(p.type, p.target);
    REQUIRE(row);
    CHECK(row->registers == p.registers);
    CHECK(row->smem == p.smem);
    CHECK(row->spills == p.spills);
  }
  CHECK(r.kernel("rms_norm")->schedule("row512")->barriers == 1);
  CHECK(line_with(out, "f32:  {") ==
        "          f32:  {sm_80: {registers: 40, smem: 64}, sm_90a: "
        "{registers: 41, smem: 64}}   # tight");
  CHECK(out.find("# one line a target\n            sm_90a: {registers: 41, smem: 64}\n") !=
        std::string::npos);
  CHECK(update(out, pins) == out);
}

TEST_CASE("a schedule without a value gets a block of budgets") {
  const std::string bare =
      "version: 1\nassembler: a\ntargets: [sm_80, sm_86, sm_89, sm_90a, sm_120, sm_121]\n"
      "kernels:\n  k:\n    types: [f32, f16]\n    schedules:\n      s:  # first\n      t: ~\n";
  std::vector<Pin> pins;
  for (const char* schedule : {"s", "t"}) {
    for (const char* type : {"f32", "f16"}) {
      for (const char* target : {"sm_80", "sm_86", "sm_89", "sm_90a", "sm_120", "sm_121"}) {
        pins.push_back({.kernel = "k",
                        .schedule = schedule,
                        .type = type,
                        .target = target,
                        .registers = 24,
                        .smem = 1024,
                        .barriers = 1});
      }
    }
  }
  std::string out = update(bare, pins);
  INFO(out);
  CHECK(out.find(R"(      s:  # first
        barriers: 1
        budget:
          f32: {sm_80: {registers: 24, smem: 1024}, sm_86: {registers: 24, smem: 1024}, )") !=
        std::string::npos);
  CHECK(parse(out).kernel("k")->schedule("t")->budgets.size() == 12);
  CHECK(update(out, pins) == out);
  std::size_t longest = 0;
  for (std::size_t at = 0; at < out.size();) {
    std::size_t end = out.find('\n', at);
    longest = std::max(longest, end - at);
    at = end + 1;
  }
  CHECK(longest <= 140);
}

TEST_CASE("a schedule without a value in a flow map gets a flow map") {
  const std::string head =
      "version: 1\nassembler: a\ntargets: [sm_80]\nkernels:\n  k:\n    schedules: ";
  const Pin pin{.kernel = "k", .schedule = "s", .target = "sm_80", .registers = 24, .barriers = 1};
  const std::string filled = "{s: {barriers: 1, budget: {sm_80: {registers: 24}}}";
  const std::pair<const char*, std::string> cases[] = {
      {"{s: null}", filled + "}"},
      {"{s: ~ }", filled + " }"},
      {"{s: }", filled + "}"},
      {"{s:}", filled + "}"},
      {"{s}", filled + "}"},
      {"{\"s\"}", "{\"s\": {barriers: 1, budget: {sm_80: {registers: 24}}}}"},
      {"{s: , t}", filled + ", t}"},
      {"{s, t: null}  # two", filled + ", t: null}  # two"},
      {"{s:  # the first\n      null, t}",
       "{s:  # the first\n      {barriers: 1, budget: {sm_80: {registers: 24}}}, t}"},
  };
  for (auto [from, to] : cases) {
    INFO(from);
    const std::string before = head + from + "\n";
    REQUIRE_NOTHROW(parse(before));
    const std::string out = update(before, {pin});
    CHECK(out == head + to + "\n");
    REQUIRE_NOTHROW(parse(out));
    CHECK(parse(out).kernel("k")->schedule("s")->budget("", "sm_80")->registers == 24);
    CHECK(update(out, {pin}) == out);
  }
}

TEST_CASE("notes that are noted no more leave the list, and the last one takes it along") {
  const std::string head =
      "version: 1\nassembler: a\ntargets: [sm_80]\nkernels:\n  k:\n    source: k.ptx\n"
      "    budget:\n      sm_80:";
  Pin pin{.kernel = "k", .target = "sm_80", .registers = 24, .notes = {{"C7508", "C7512"}}};
  const std::pair<std::string, std::string> cases[] = {
      {" {registers: 24, allow_notes: [C7510, C7512]}", " {registers: 24, allow_notes: [C7512]}"},
      {" {registers: 24, allow_notes: [C7510], min_ctas_per_sm: 2}",
       " {registers: 24, min_ctas_per_sm: 2}"},
      {" {allow_notes: [C7510], registers: 24}", " {registers: 24}"},
      {" {registers: 23, allow_notes: [C7510]}", " {registers: 24}"},
      {" {registers: 24,  # tight\n        allow_notes: [C7510]}  # end",
       " {registers: 24  # tight\n        }  # end"},
      {"\n        registers: 24  # tight\n        allow_notes: [C7510]  # of the old one\n",
       "\n        registers: 24  # tight\n"},
      {"\n        allow_notes:\n          - C7510\n          - C7511\n        registers: 24\n",
       "\n        registers: 24\n"},
      {"\n        allow_notes:\n          - C7510\n          - C7512  # stays\n        registers: "
       "24",
       "\n        allow_notes:\n          - C7512  # stays\n        registers: 24"},
      {" {registers: 24, allow_notes: [C7512]}", " {registers: 24, allow_notes: [C7512]}"},
  };
  for (const auto& [from, to] : cases) {
    INFO(from);
    REQUIRE_NOTHROW(parse(head + from + "\n"));
    CHECK(update(head + from + "\n", {pin}) == head + to + "\n");
    REQUIRE_NOTHROW(parse(head + to + "\n"));
  }
  pin.smem = 64;
  CHECK(update(head + " {registers: 24,  # tight\n        allow_notes: [C7510]}\n", {pin}) ==
        head + " {registers: 24  # tight\n        , smem: 64}\n");
  pin.notes = {};  // a cubin says nothing of notes
  pin.smem = 0;
  const std::string kept = head + " {registers: 24, allow_notes: [C7510]}\n";
  CHECK(update(kept, {pin}) == kept);
}

TEST_CASE("a budget in a flow map is wrapped and aligned") {
  const std::string flow =
      "version: 1\nassembler: a\ntargets: [sm_80, sm_86, sm_89, sm_90a]\nkernels:\n  k:\n"
      "    types: [f32, f16]\n    schedules:\n      s: {barriers: 1}\n";
  std::vector<Pin> pins;
  for (const char* type : {"f32", "f16"}) {
    for (const char* target : {"sm_80", "sm_86", "sm_89", "sm_90a"}) {
      pins.push_back({.kernel = "k",
                      .schedule = "s",
                      .type = type,
                      .target = target,
                      .registers = 24,
                      .smem = 16640,
                      .barriers = 1});
    }
  }
  CHECK(update(flow, pins).substr(flow.find("      s:")) == R"(      s: {barriers: 1,
          budget: {f32: {sm_80: {registers: 24, smem: 16640}, sm_86: {registers: 24, smem: 16640}, sm_89: {registers: 24, smem: 16640},
                         sm_90a: {registers: 24, smem: 16640}},
                   f16: {sm_80: {registers: 24, smem: 16640}, sm_86: {registers: 24, smem: 16640}, sm_89: {registers: 24, smem: 16640},
                         sm_90a: {registers: 24, smem: 16640}}}}
)");
  CHECK(update(update(flow, pins), pins) == update(flow, pins));
}

TEST_CASE("pins of names that the file does not hold change nothing") {
  CHECK(update(registry_text,
               {{.kernel = "none", .schedule = "S", .target = "sm_80", .registers = 1}}) ==
        registry_text);
}

TEST_CASE("bank conflicts are pinned only where a number stands") {
  Pin pin{.kernel = "rms_norm",
          .schedule = "row256",
          .type = "f32",
          .target = "sm_80",
          .registers = 40,
          .smem = 64,
          .barriers = 1,
          .bank_conflicts = 6};
  CHECK(update(registry_text, {pin}) == registry_text);
  std::string budgeted = registry_text;
  budgeted.replace(budgeted.find("        barriers: 1\n"), 20,
                   "        barriers: 1\n        bank_conflicts: 3\n");
  pin.type = "f32";
  Pin other = pin;
  other.type = "bf16";
  other.registers = 32;
  other.stack = 8;
  other.bank_conflicts = 4;
  CHECK(line_with(update(budgeted, {pin, other}), "bank_conflicts") == "        bank_conflicts: 6");
}
