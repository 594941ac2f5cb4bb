// SPDX-License-Identifier: Apache-2.0
// Every registered kernel that has regions: not timed, it is the kernel without them, to the byte;
// timed, it is proved where it was, and keeps the bits of its results.
#include <catch2/catch.hpp>
#include <set>

#include "codegen/ptx.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "ir/target.h"
#include "problem.h"
#include "runtime/jit/unit.h"
#include "runtime/regions/table.h"
#include "tests/support/ptxas.h"
#include "verify/proof/prove.h"

using namespace barline;
using namespace barline::test;

namespace {

struct Case {
  const dsl::KernelEntry* kernel;
  dsl::Config config;
};

dsl::Config config_of(const dsl::KernelEntry& e, const ir::Schedule& s) {
  dsl::Config c{.schedule = s, .label = e.name + ".bf16@" + std::string(s.name)};
  const std::string_view name = s.name;
  for (const char* dim : {"K", "B", "wo_split"})
    if (auto at = name.find(std::string("_") + dim); at != name.npos) {
      const auto digits = name.substr(at + 1 + std::string_view(dim).size());
      if (!digits.empty() && std::isdigit(digits[0])) c.dims[dim] = std::stoll(std::string(digits));
    }
  return c;
}

ir::Kernel make(const Case& c, bool timing) {
  dsl::Config config = c.config;
  config.timing = timing;
  return dsl::instantiate(c.kernel->make(c.kernel->types.front()), config);
}

/// Kernels with regions, under each schedule that makes one.
std::vector<Case> with_regions() {
  std::vector<Case> cases;
  for (const dsl::KernelEntry& e : all_entries())
    for (const ir::Schedule& s : e.schedules) {
      Case c{&e, config_of(e, s)};
      try {
        if (!make(c, false).region_table.empty()) cases.push_back(c);
      } catch (const ir::Error&) {  // dims that the name does not tell
      }
    }
  return cases;
}

/// The markers taken out by hand.
void erase_markers(ir::Region& r) {
  std::erase_if(r.ops, [](const ir::Operation& op) {
    return op.is(ir::Op::RegionBegin) || op.is(ir::Op::RegionEnd);
  });
  for (ir::Operation& op : r.ops)
    for (ir::Region& sub : op.regions) erase_markers(sub);
}

std::string ptx(ir::Kernel k) {
  ir::run_pipeline(k);
  return codegen::emit_ptx(k, *ir::find_target("sm_90a"));
}

}  // namespace

TEST_CASE("regions that are not timed leave the PTX as it is, to the byte", "[kernels][regions]") {
  const std::vector<Case> cases = with_regions();
  CHECK(cases.size() >= 12);
  std::set<std::string> families;
  for (const Case& c : cases) {
    families.insert(c.kernel->name);
    INFO(c.config.label);
    const ir::Kernel with = make(c, false);
    ir::Kernel without = with;
    erase_markers(without.body);
    without.region_table.clear();
    const std::string off = ptx(with);
    CHECK(off == ptx(without));
    CHECK(off.find("%clock64") == off.npos);
  }
  for (const char* family : {"wo_nvfp4", "wo_nvfp4_producer", "wo_nvfp4_fast", "wo_nvfp4_chains"})
    CHECK(families.contains(family));
}

TEST_CASE("timed kernels read clocks and take one argument more", "[kernels][regions]") {
  for (const Case& c : with_regions()) {
    INFO(c.config.label);
    const ir::Kernel timed = make(c, true);
    CHECK(timed.params.size() == make(c, false).params.size() + 1);
    CHECK(timed.params.back().name == regions::parameter);
    const std::string on = ptx(timed);
    CHECK(on.find("%clock64") != on.npos);
    CHECK(on.find("%globaltimer") != on.npos);
  }
}

TEST_CASE("a timed entry has a name of its own and carries its table",
          "[kernels][regions][ptxas]") {
  const codegen::Ptxas ptxas = find_ptxas();
  for (const Case& c : with_regions()) {
    if (c.kernel->name != "wo_nvfp4_producer" && c.kernel->name != "wo_nvfp4_fast") continue;
    INFO(c.config.label);
    jit::Unit unit{.entry = c.kernel,
                   .elem = c.kernel->types.front(),
                   .config = c.config,
                   .target = ir::find_target("sm_90a")};
    const std::string untimed = jit::config_text(unit);
    unit.config.timing = true;
    const std::string schedule(c.config.schedule.name);
    CHECK(jit::config_text(unit).find("@" + schedule + "+timing ") != std::string::npos);
    CHECK(untimed.find("+timing") == untimed.npos);
    ir::Kernel lowered = make(c, true);
    const runtime::Entry entry = jit::build_entry(unit, lowered, ptxas);
    ir::run_pipeline(lowered);
    const auto table = regions::parse_table(entry.metadata.extra_value(regions::metadata_name));
    CHECK(table == lowered.region_table);
    CHECK(table.size() >= 1);
    // A stamp is held over its region: where all registers are taken, two words of it go.
    CHECK(entry.metadata.spill_stores == 0);
    CHECK(entry.metadata.signature.find("region_times:inout:u64[") != std::string::npos);
  }
}

TEST_CASE("what is proved stays proved with its regions timed", "[kernels][regions]") {
  int proved = 0;
  for (const Case& c : with_regions()) {
    // One schedule a family: the fast ones take seconds each.
    const bool quick = c.kernel->name == "wo_nvfp4_chains";
    if (!quick) continue;
    INFO(c.config.label);
    verify::ProofOptions options;
    options.minimal = options.costs = false;
    ir::Kernel off = make(c, false), on = make(c, true);
    ir::run_pipeline(off);
    ir::run_pipeline(on);
    const verify::ProofReport was = verify::prove(off, options), is = verify::prove(on, options);
    INFO(verify::to_string(is));
    CHECK(was.verdict == is.verdict);
    proved += is.verdict == verify::Verdict::Proved;
  }
  CHECK(proved >= 2);
}
