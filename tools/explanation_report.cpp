// SPDX-License-Identifier: Apache-2.0
// An explanation for people and for programs.
#include <fmt/format.h>

#include "tools/explanation_sections.h"
#include "tools/line_diff.h"
#include "verify/cadence/render.h"
#include "verify/gate/gate_report.h"

namespace barline::tools {
namespace {

using json = nlohmann::ordered_json;

std::string stages_text(const Explanation& e) {
  std::string out;
  for (std::size_t i = 0; i < e.stages.size(); ++i) {
    const Explanation::Stage& stage = e.stages[i];
    if (i == 0) {
      out += fmt::format("== IR as written\n{}\n", stage.text);
      continue;
    }
    std::string diff = line_diff(e.stages[i - 1].text, stage.text);
    out += fmt::format("== after {}{}\n{}\n", stage.pass, diff.empty() ? ": no change" : "", diff);
  }
  return out;
}

std::string resources_text(const Explanation& e) {
  std::string out = fmt::format(
      "== resources and occupancy\n{:<8} {:>9} {:>6} {:>6} {:>8} {:>10} "
      "{:>9}  {}\n",
      "target", "registers", "spills", "smem", "barriers", "blocks/SM", "occupancy", "limited by");
  for (const Explanation::OnTarget& on : e.targets) {
    const verify::ResourceRow& r = on.result.row;
    if (!r.error.empty()) {
      out += fmt::format("{:<8} FAILED: {}\n", r.target, r.error);
      continue;
    }
    out += fmt::format("{:<8} {:>9} {:>6} {:>6} {:>8}", r.target, r.registers, r.spills(), r.smem,
                       r.barriers);
    if (on.occupancy) {
      out +=
          fmt::format(" {:>10} {:>8.0f}%  {}", on.occupancy->blocks_per_sm,
                      100 * on.occupancy->fraction, codegen::limiter_name(on.occupancy->limiter));
    }
    out += "\n";
  }
  return out;
}

json costs_json(const Explanation& e) {
  json out = json::array();
  for (const verify::AccessCost& c : e.proof.costs) {
    json row = {{"op", c.op.text},    {"source", place(c.op)}, {"buffer", c.buffer},
                {"shared", c.shared}, {"writes", c.writes},    {"requests", c.requests}};
    if (c.shared) {
      row.update({{"max_ways", c.max_ways}, {"extra_cycles", c.extra_cycles}});
    } else {
      row.update({{"sectors", c.sectors}, {"ideal_sectors", c.ideal_sectors}});
    }
    out.push_back(std::move(row));
  }
  return out;
}

json targets_json(const Explanation& e) {
  json out = json::array();
  for (const Explanation::OnTarget& on : e.targets) {
    json row = verify::to_json(on.result.row);
    if (on.occupancy) {
      row["occupancy"] = {{"blocks_per_sm", on.occupancy->blocks_per_sm},
                          {"warps_per_sm", on.occupancy->warps_per_sm},
                          {"fraction", on.occupancy->fraction},
                          {"limiter", codegen::limiter_name(on.occupancy->limiter)}};
    }
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace

std::string to_text(const Explanation& e) {
  std::string out = fmt::format("{} for {}\nschedule: {}\n\n", e.config, e.target, e.schedule);
  out += stages_text(e);
  out += fmt::format("== barriers: {}\n{}\n", e.proof.barriers.size(), barriers_text(e));
  if (!e.cadence.loops.empty())
    out += fmt::format("== cadence; +n: data of the n-th step after\n{}\n",
                       verify::cadence_text(e.cadence, e.needs));
  out += fmt::format("== proof: {}\n{}\n", name(e.proof.verdict), proof_text(e));
  out += fmt::format("== memory accesses of one block, at the small shape of kernels.yaml\n{}\n",
                     costs_text(e));
  out += fmt::format("== LLVM IR\n{}\n== PTX\n{}\n", e.llvm, e.ptx);
  return e.targets.empty() ? out : out + resources_text(e);
}

json to_json(const Explanation& e) {
  json passes = json::array(), barriers = json::array();
  for (const Explanation::Stage& s : e.stages) {
    passes.push_back({{"pass", s.pass}, {"ir", s.text}});
  }
  for (std::size_t i = 0; i < e.proof.barriers.size(); ++i) {
    const verify::BarrierUse& b = e.proof.barriers[i];
    barriers.push_back({{"source", place(b.op)},
                        {"why", b.why},
                        {"redundant", e.needs[i].kind == verify::BarrierNeed::Needless},
                        {"need", verify::name(e.needs[i].kind)},
                        {"witness", e.needs[i].why}});
  }
  return {{"config", e.config},
          {"target", e.target},
          {"schedule", e.schedule},
          {"passes", passes},
          {"barriers", barriers},
          {"cadence", verify::cadence_json(e.cadence, e.needs)},
          {"proof", {{"verdict", name(e.proof.verdict)}, {"preconditions", e.proof.preconditions}}},
          {"costs", costs_json(e)},
          {"llvm", e.llvm},
          {"ptx", e.ptx},
          {"results", targets_json(e)}};
}

}  // namespace barline::tools
