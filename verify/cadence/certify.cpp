// SPDX-License-Identifier: Apache-2.0
#include "verify/cadence/certify.h"

#include <fmt/format.h>
#include <algorithm>

namespace barline::verify {
namespace {

std::vector<const ir::Operation*> barriers_of(const ir::Kernel& k) {
  std::vector<const ir::Operation*> out;
  ir::walk(k.body, [&](const ir::Operation& op) {
    if (op.is(ir::Op::Barrier)) out.push_back(&op);
  });
  return out;
}

bool erase(ir::Region& region, const ir::Operation* gone) {
  for (std::size_t i = 0; i < region.ops.size(); ++i) {
    if (&region.ops[i] == gone) {
      region.ops.erase(region.ops.begin() + static_cast<std::ptrdiff_t>(i));
      return true;
    }
    for (ir::Region& inner : region.ops[i].regions)
      if (erase(inner, gone)) return true;
  }
  return false;
}

std::string witness_of(const ProofFinding& f) {
  return f.sizes.empty() ? f.message : fmt::format("{} (with {})", f.message, f.sizes);
}

/// Which barriers some replayed case comes to.
std::vector<bool> reached_barriers(const ir::Kernel& k, const ProofReport& proof) {
  std::vector<bool> out;
  std::size_t at = 0;
  ir::walk(k.body, [&](const ir::Operation& op) {
    if (op.is(ir::Op::Barrier)) out.push_back(at < proof.reached.size() && proof.reached[at]);
    ++at;
  });
  return out;
}

}  // namespace

std::vector<BarrierNeed> certify_barriers(const ir::Kernel& lowered, const ProofReport& proof,
                                          const ProofOptions& options) {
  ir::Kernel k = lowered;
  std::vector<bool> reached = reached_barriers(k, proof);
  std::vector<BarrierNeed> needs(reached.size());
  for (std::size_t n = needs.size(); n-- > 0;) {
    BarrierNeed& need = needs[n];
    if (proof.verdict != Verdict::Proved) {
      need.why = "the kernel is not proved";
      continue;
    }
    if (!reached[n]) {
      need.why = "no replayed case comes to it";
      continue;
    }
    ProofOptions without = options;
    without.without = barriers_of(k)[n];  // those that went already come after it
    without.minimal = without.costs = false;
    without.first_finding_only = true;
    ProofReport r = prove(k, without);
    need.kind = r.verdict == Verdict::Refuted  ? BarrierNeed::Needed
                : r.verdict == Verdict::Proved ? BarrierNeed::Needless
                                               : BarrierNeed::Open;
    if (!r.findings.empty()) need.why = witness_of(r.findings[0]);
    if (need.kind == BarrierNeed::Needless) erase(k.body, without.without);
  }
  return needs;
}

std::string_view name(BarrierNeed::Kind kind) {
  constexpr std::string_view names[] = {"needed", "needless", "open"};
  return names[kind];
}

}  // namespace barline::verify
