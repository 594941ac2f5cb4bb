// SPDX-License-Identifier: Apache-2.0
// An explanation for people and for programs.
#include <fmt/format.h>

#include "tools/explanation.h"
#include "tools/line_diff.h"
#include "verify/cadence/render.h"
#include "verify/gate/gate_report.h"

namespace barline::tools {
namespace {

using json = nlohmann::ordered_json;

std::string place(const verify::OpText& op) {
  return op.loc ? fmt::format("{}:{}", op.loc.file, op.loc.line) : "";
}

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

std::string barriers_text(const Explanation& e) {
  std::string out = fmt::format("== barriers: {}\n", e.proof.barriers.size());
  for (std::size_t i = 0; i < e.proof.barriers.size(); ++i) {
    const verify::BarrierUse& b = e.proof.barriers[i];
    bool needless = e.needs[i].kind == verify::BarrierNeed::Needless;
    out += fmt::format("{}  {}{}\n", place(b.op), needless ? "REDUNDANT " : "", b.why);
  }
  if (e.cadence.loops.empty()) return out + "\n";
  return out + fmt::format("\n== cadence; +n: data of the n-th step after\n{}\n",
                           verify::cadence_text(e.cadence, e.needs));
}

std::string costs_text(const Explanation& e) {
  std::string out = "== memory accesses of one block, at the small shape of kernels.yaml\n";
  for (const verify::AccessCost& c : e.proof.costs) {
    std::string cost =
        c.shared ? fmt::format("{}-way at most, {} extra cycles", c.max_ways, c.extra_cycles)
                 : fmt::format("{} sectors, {} ideal", c.sectors, c.ideal_sectors);
    out +=
        fmt::format("{:<6} {:<5} {:<12} {:>6} requests, {}  {}\n", c.shared ? "shared" : "global",
                    c.writes ? "write" : "read", c.buffer, c.requests, cost, place(c.op));
  }
  return out + "\n";
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
    out += fmt::format("{:<8} {:>9} {:>6} {:>6} {:>8}", r.target, r.registers,
                       std::max(r.spill_stores, r.spill_loads), r.smem, r.barriers);
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
  out += barriers_text(e);
  out += fmt::format("== proof: {}\n", name(e.proof.verdict));
  for (const verify::ProofFinding& f : e.proof.findings) out += verify::to_string(f) + "\n";
  for (const std::string& p : e.proof.preconditions) out += "launch needs: " + p + "\n";
  out += "\n" + costs_text(e);
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
