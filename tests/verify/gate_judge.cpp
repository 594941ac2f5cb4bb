// SPDX-License-Identifier: Apache-2.0
// The gate's judgement: closed where something is missing, and a ratchet with two ends.
#include <catch2/catch.hpp>

#include "verify/gate/gate.h"
#include "verify/gate/gate_report.h"

using namespace barline::verify;

namespace {

RegistryFile sample() {
  RegistryFile r;
  r.assembler = "ptxas 13.0";
  r.targets = {"sm_80", "sm_90a"};
  KernelEntry k;
  k.name = "rms_norm";
  k.types = {"f32"};
  ScheduleEntry s;
  s.name = "row256";
  s.barriers = 1;
  s.budgets = {{.type = "f32", .target = "sm_80", .registers = 40, .smem = 64}};
  k.schedules = {s};
  r.kernels = {k};
  return r;
}

ResourceRow measured() {
  ResourceRow m;
  m.kernel = "rms_norm";
  m.type = "f32";
  m.schedule = "row256";
  m.target = "sm_80";
  m.registers = 40;
  m.smem = 64;
  m.barriers = 1;
  return m;
}

GateRow verdict_of(const ResourceRow& m, const std::string& assembler = "ptxas 13.0") {
  return judge(sample(), {m}, {.assembler = assembler}).rows.at(0);
}

}  // namespace

TEST_CASE("a config on its budget passes") {
  GateReport r = judge(sample(), {measured()}, {.assembler = "ptxas 13.0"});
  CHECK(r.passed());
  CHECK(r.rows.at(0).verdict == GateVerdict::Ok);
  CHECK(r.rows.at(0).reason.empty());
}

TEST_CASE("each figure above its budget is WORSE") {
  struct Case {
    const char* reason;
    void (*change)(ResourceRow&);
  };
  const Case cases[] = {
      {"registers 41 > 40", [](ResourceRow& m) { m.registers = 41; }},
      {"spills 4 > 0", [](ResourceRow& m) { m.spill_stores = 4; }},
      {"spills 8 > 0", [](ResourceRow& m) { m.spill_loads = 8; }},
      {"spills 12 > 0", [](ResourceRow& m) { m.spill_stores = 4, m.spill_loads = 8; }},
      {"smem 65 > 64", [](ResourceRow& m) { m.smem = 65; }},
      {"stack 16 > 0", [](ResourceRow& m) { m.stack = 16; }},
      {"barriers 2 > 1", [](ResourceRow& m) { m.barriers = 2; }},
  };
  for (const Case& c : cases) {
    ResourceRow m = measured();
    c.change(m);
    CHECK(verdict_of(m).verdict == GateVerdict::Worse);
    CHECK(verdict_of(m).reason == c.reason);
    CHECK_FALSE(judge(sample(), {m}, {.assembler = "ptxas 13.0"}).passed());
  }
}

TEST_CASE("what has no budget, no record or another assembler does not pass") {
  ResourceRow m = measured();
  m.target = "sm_90a";
  CHECK(verdict_of(m).verdict == GateVerdict::New);
  m = measured();
  m.schedule = "row512";
  CHECK(verdict_of(m).verdict == GateVerdict::New);
  m = measured();
  m.error = "ptxas refused it";
  CHECK(verdict_of(m).verdict == GateVerdict::Missing);
  CHECK(verdict_of(m).reason == "ptxas refused it");
  CHECK(verdict_of(measured(), "").verdict == GateVerdict::NoPtxas);
  CHECK_FALSE(judge(sample(), {measured()}, {}).passed());
  CHECK(verdict_of(measured(), "ptxas 12.8").verdict == GateVerdict::Assembler);
  CHECK(verdict_of(measured(), "ptxas 12.8").reason ==
        "the budgets hold for ptxas 13.0, this is ptxas 12.8; re-pin with --update");
}

TEST_CASE("a figure below its budget is IMPROVED, and fails until it is pinned") {
  ResourceRow m = measured();
  m.registers = 38;
  GateReport strict = judge(sample(), {m}, {.assembler = "ptxas 13.0"});
  CHECK(strict.rows.at(0).verdict == GateVerdict::Improved);
  CHECK(strict.rows.at(0).reason == "registers 38 < 40");
  CHECK_FALSE(strict.passed());
  CHECK(judge(sample(), {m}, {.assembler = "ptxas 13.0", .improved_fails = false}).passed());
  m.smem = 128;  // better here does not excuse worse there
  CHECK(verdict_of(m).verdict == GateVerdict::Worse);
}

TEST_CASE("fewer barriers in one element type alone are no improvement") {
  ResourceRow loop = measured(), held = measured();
  held.barriers = 0;
  GateReport both = judge(sample(), {loop, held}, {.assembler = "ptxas 13.0"});
  CHECK(both.rows.at(1).verdict == GateVerdict::Ok);
  CHECK(verdict_of(held).verdict == GateVerdict::Improved);
}

TEST_CASE("witnesses that disagree break the gate whatever the budget says") {
  ResourceRow m = measured();
  m.conflicts = {"registers: log 40, cubin 42"};
  CHECK(verdict_of(m).verdict == GateVerdict::Broken);
  CHECK(pins_of({m}).empty());
  m = measured();
  m.notes = {"C7508"};
  CHECK(verdict_of(m).verdict == GateVerdict::Broken);
  m = measured();
  m.bars = 2;
  CHECK(verdict_of(m).reason == "2 barriers in the machine code, 1 in the IR");
  m = measured();
  m.local_accesses = 3;
  CHECK(verdict_of(m).verdict == GateVerdict::Broken);
}

TEST_CASE("a staged loop's barriers are pinned both ways") {
  ResourceRow m = measured();
  m.barriers_per_step = 3;
  CHECK(verdict_of(m).verdict == GateVerdict::New);
  RegistryFile r = sample();
  r.kernels[0].schedules[0].barriers_per_step = 2;
  CHECK(judge(r, {m}, {.assembler = "ptxas 13.0"}).rows[0].verdict == GateVerdict::Worse);
  m.barriers_per_step.reset();
  CHECK(judge(r, {m}, {.assembler = "ptxas 13.0"}).rows[0].verdict == GateVerdict::Broken);
}

TEST_CASE("the gate's JSON rows have stable names") {
  ResourceRow m = measured();
  m.movs_per_mma = 0.5;
  auto json = to_json(judge(sample(), {m}, {.assembler = "ptxas 13.0"}));
  CHECK(json["schema"] == "barline.gate/1");
  CHECK(json["passed"] == true);
  auto row = json["results"][0];
  CHECK(row["kernel"] == "rms_norm.f32");
  for (const char* key :
       {"schedule", "target", "registers", "spill_stores", "spill_loads", "stack", "smem",
        "barriers", "movs_per_mma", "ptx_bytes", "compile_ms", "cache", "budget", "verdict"}) {
    CHECK(row.contains(key));
  }
  CHECK_FALSE(row.contains("loads_before_wait"));
}

TEST_CASE("the gate's table names config, figures, place and reason") {
  ResourceRow m = measured();
  m.registers = 44;
  RegistryFile r = sample();
  r.file = "k.yaml";
  r.kernels[0].schedules[0].budgets[0].at = {.line = 7, .column = 9};
  std::string text = to_text(judge(r, {m, measured()}, {.assembler = "ptxas 13.0"}));
  CHECK(text.find("rms_norm.f32@row256  sm_80       44/40") != std::string::npos);
  CHECK(text.find("k.yaml:7:9: WORSE rms_norm.f32@row256: registers 44 > 40 on sm_80\n") !=
        std::string::npos);
  CHECK(text.find("FAIL: 1 of 2 configs within budget, 0 improved (ptxas 13.0)") !=
        std::string::npos);
}

TEST_CASE("the blocks that must fit an SM are a floor") {
  RegistryFile r = sample();
  r.kernels[0].schedules[0].budgets[0].min_ctas_per_sm = 3;
  auto verdict = [&](std::optional<int> ctas) {
    ResourceRow m = measured();
    m.ctas_per_sm = ctas;
    return judge(r, {m}, {.assembler = "ptxas 13.0"}).rows.at(0);
  };
  CHECK(verdict(3).verdict == GateVerdict::Ok);
  CHECK(verdict(4).verdict == GateVerdict::Ok);
  CHECK(verdict(2).verdict == GateVerdict::Worse);
  CHECK(verdict(2).reason == "ctas_per_sm 2 < 3");
  CHECK(verdict({}).verdict == GateVerdict::Broken);
}

TEST_CASE("spills are stores and loads together, so that neither grows unseen") {
  RegistryFile r = sample();
  r.kernels[0].schedules[0].budgets[0].spills = 24;
  ResourceRow m = measured();
  m.spill_stores = 8;
  m.spill_loads = 16;
  CHECK(judge(r, {m}, {.assembler = "ptxas 13.0"}).passed());
  CHECK(pins_of({m}).at(0).spills == 24);
  m.spill_stores = 12;
  CHECK(judge(r, {m}, {.assembler = "ptxas 13.0"}).rows[0].reason == "spills 28 > 24");
}

TEST_CASE("a config of which no block fits an SM is BROKEN, whatever its budget says") {
  ResourceRow m = measured();
  m.ctas_per_sm = 0;
  RegistryFile r = sample();
  r.kernels[0].schedules[0].budgets[0].min_ctas_per_sm = 1;
  for (const RegistryFile& registry : {sample(), r}) {
    GateRow row = judge(registry, {m}, {.assembler = "ptxas 13.0"}).rows.at(0);
    CHECK(row.verdict == GateVerdict::Broken);
    CHECK(row.reason ==
          "no block fits an SM with 40 registers a thread and 64 bytes of shared memory; take "
          "fewer threads, registers or bytes");
  }
}

TEST_CASE("a note passes where the budget takes its code, and only while it is noted") {
  RegistryFile r = sample();
  r.kernels[0].schedules[0].budgets[0].allow_notes = {"C7510"};
  ResourceRow m = measured();
  m.notes = {"C7510"};
  CHECK(judge(r, {m}, {.assembler = "ptxas 13.0"}).passed());
  m.notes = {"C7510", "C7508"};
  GateRow both = judge(r, {m}, {.assembler = "ptxas 13.0"}).rows[0];
  CHECK(both.verdict == GateVerdict::Broken);
  CHECK(both.reason == "ptxas notes a loss of performance (C7508)");
  CHECK(pins_of({m}).at(0).notes == std::vector<std::string>{"C7510", "C7508"});
  m.from_cubin = true;
  CHECK(pins_of({m}).at(0).notes == std::nullopt);
  m.from_cubin = false;
  m.notes = {};
  GateRow gone = judge(r, {m}, {.assembler = "ptxas 13.0"}).rows[0];
  CHECK(gone.verdict == GateVerdict::Improved);
  CHECK(gone.reason == "ptxas notes C7510 no more, and allow_notes has it");
}

TEST_CASE("bank conflicts are pinned both ways, the largest of the element types") {
  RegistryFile r = sample();
  r.kernels[0].schedules[0].bank_conflicts = 8;
  auto verdict = [&](int one, int other) {
    ResourceRow a = measured(), b = measured();
    a.bank_conflicts = one;
    b.bank_conflicts = other;
    return judge(r, {a, b}, {.assembler = "ptxas 13.0"}).rows[0];
  };
  CHECK(verdict(8, 0).verdict == GateVerdict::Ok);
  CHECK(verdict(0, 8).verdict == GateVerdict::Ok);
  CHECK(verdict(9, 8).reason == "bank_conflicts 9 > 8");
  CHECK(verdict(9, 8).verdict == GateVerdict::Worse);
  CHECK(verdict(4, 4).verdict == GateVerdict::Improved);
  CHECK(pins_of({measured()}).at(0).bank_conflicts == std::nullopt);
}

TEST_CASE("a row of a cubin needs no assembler, and its spills are part of its stack") {
  RegistryFile r = sample();
  SourceEntry s;
  s.name = "axpy";
  s.files = {{.target = "sm_80", .path = "axpy.cubin"}};
  s.config.budgets = {{.target = "sm_80", .registers = 40, .smem = 64}};
  r.sources = {s};
  ResourceRow m = measured();
  m.kernel = "axpy";
  m.type = m.schedule = "";
  m.barriers = 0;
  m.from_cubin = true;
  CHECK(judge(r, {m}, {}).passed());
  CHECK(judge(r, {m}, {.assembler = "ptxas 12.8"}).passed());
  m.stack = 16;
  CHECK(judge(r, {m}, {}).rows[0].reason == "stack (spills are part of it in a cubin) 16 > 0");
  m.error = "axpy.cubin: it holds no kernel 'axpy'";
  m.gone = true;
  CHECK(judge(r, {m}, {}).rows[0].verdict == GateVerdict::Gone);
}
