// SPDX-License-Identifier: Apache-2.0
#include "tools/explanation_sections.h"

#include <fmt/format.h>

namespace barline::tools {

std::string place(const verify::OpText& op) {
  return op.loc ? fmt::format("{}:{}", op.loc.file, op.loc.line) : "";
}

std::string barriers_text(const Explanation& e) {
  std::string out;
  for (std::size_t i = 0; i < e.proof.barriers.size(); ++i) {
    const verify::BarrierUse& b = e.proof.barriers[i];
    bool needless = e.needs[i].kind == verify::BarrierNeed::Needless;
    out += fmt::format("{}  {}{}\n", place(b.op), needless ? "REDUNDANT " : "", b.why);
  }
  return out;
}

std::string proof_text(const Explanation& e) {
  std::string out;
  for (const verify::ProofFinding& f : e.proof.findings) out += verify::to_string(f) + "\n";
  for (const std::string& p : e.proof.preconditions) out += "launch needs: " + p + "\n";
  return out;
}

std::string costs_text(const Explanation& e) {
  std::string out;
  for (const verify::AccessCost& c : e.proof.costs) {
    std::string cost =
        c.shared ? fmt::format("{}-way at most, {} extra cycles", c.max_ways, c.extra_cycles)
                 : fmt::format("{} sectors, {} ideal", c.sectors, c.ideal_sectors);
    out +=
        fmt::format("{:<6} {:<5} {:<12} {:>6} requests, {}  {}\n", c.shared ? "shared" : "global",
                    c.writes ? "write" : "read", c.buffer, c.requests, cost, place(c.op));
  }
  return out;
}

}  // namespace barline::tools
