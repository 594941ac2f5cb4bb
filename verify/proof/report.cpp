// SPDX-License-Identifier: Apache-2.0
// Proof reports as text and as JSON.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "verify/proof/prove.h"

namespace barline::verify {
namespace {

using Json = nlohmann::ordered_json;

Json to_object(const OpText& op) {
  Json j{{"text", op.text}};
  if (op.loc) j["loc"] = ir::to_string(op.loc);
  return j;
}

Json to_object(const ProofFinding& f) {
  Json j{{"property", name(f.property)}, {"verdict", name(f.verdict)}, {"message", f.message}};
  Json sites = Json::array();
  for (int i = 0; i < 2; ++i) {
    if (f.ops[i].text.empty()) continue;
    Json site = to_object(f.ops[i]);
    if (f.threads[i] >= 0) site["thread"] = f.threads[i];
    if (f.blocks[i] >= 0) site["block"] = f.blocks[i];
    sites.push_back(std::move(site));
  }
  j["ops"] = std::move(sites);
  if (!f.buffer.empty()) j["buffer"] = f.buffer;
  if (f.element >= 0) j["element"] = f.element;
  if (f.address >= 0) j["address"] = f.address;
  if (!f.sizes.empty()) j["sizes"] = f.sizes;
  return j;
}

Json to_object(const AccessCost& c) {
  Json j{{"op", to_object(c.op)}, {"buffer", c.buffer}, {"requests", c.requests}};
  if (c.shared) {
    j["max_ways"] = c.max_ways;
    j["extra_cycles"] = c.extra_cycles;
  } else {
    j["sectors"] = c.sectors;
    j["ideal_sectors"] = c.ideal_sectors;
  }
  return j;
}

}  // namespace

std::string_view name(Property p) {
  constexpr std::string_view names[] = {
      "shared-race", "divergence",    "uninitialised",   "stale",      "shared-bounds",
      "alignment",   "global-bounds", "global-race",     "arithmetic", "replay",
      "deadlock",    "gates",         "proxy-order",     "warpgroup",  "registers",
      "cluster",     "meeting",       "dependent-launch"};
  return names[static_cast<int>(p)];
}

std::string to_string(const ProofFinding& f) {
  std::string text = fmt::format("{} {}: {}", name(f.verdict), name(f.property), f.message);
  if (!f.sizes.empty()) text += fmt::format(" (with {})", f.sizes);
  if (f.address >= 0) text += fmt::format("\n  at byte {} of {}", f.address, f.buffer);
  for (int i = 0; i < 2; ++i) {
    if (f.ops[i].text.empty()) continue;
    text += fmt::format("\n  {}: {}", ir::to_string(f.ops[i].loc), f.ops[i].text);
    if (f.threads[i] >= 0) text += fmt::format("   (thread {})", f.threads[i]);
  }
  return text;
}

std::string to_string(const ProofReport& r) {
  std::string text = fmt::format("{}: {} cases, {} accesses, {:.1f} ms\n", name(r.verdict),
                                 r.enumerated.size(), r.accesses, r.seconds * 1e3);
  for (const ProofFinding& f : r.findings) text += to_string(f) + '\n';
  for (const std::string& e : r.enumerated) text += fmt::format("  replayed {}\n", e);
  if (r.all_trips)
    text += "  shared accesses repeat from trip to trip: no race for any number of trips\n";
  for (const std::string& p : r.preconditions) text += fmt::format("  requires {}\n", p);
  for (const std::string& n : r.notes) text += fmt::format("  note {}\n", n);
  for (const BarrierUse& b : r.barriers)
    text += fmt::format("  barrier {}: {}{}\n", ir::to_string(b.op.loc),
                        b.redundant ? "redundant" : "needed", b.why.empty() ? "" : ", " + b.why);
  for (const AccessCost& c : r.costs)
    if (c.extra_cycles)
      text += fmt::format("  bank conflicts {}: {} ways, {} extra cycles\n", c.op.text, c.max_ways,
                          c.extra_cycles);
  return text;
}

std::string to_json(const ProofReport& r) {
  Json j{{"verdict", name(r.verdict)},
         {"accesses", r.accesses},
         {"seconds", r.seconds},
         {"all_trips", r.all_trips},
         {"extra_cycles", r.extra_cycles}};
  j["findings"] = Json::array();
  for (const ProofFinding& f : r.findings) j["findings"].push_back(to_object(f));
  j["enumerated"] = r.enumerated;
  j["preconditions"] = r.preconditions;
  j["notes"] = r.notes;
  j["barriers"] = Json::array();
  for (const BarrierUse& b : r.barriers) {
    Json barrier = to_object(b.op);
    barrier["why"] = b.why;
    barrier["redundant"] = b.redundant;
    j["barriers"].push_back(std::move(barrier));
  }
  j["costs"] = Json::array();
  for (const AccessCost& c : r.costs) j["costs"].push_back(to_object(c));
  return j.dump(2);
}

}  // namespace barline::verify
