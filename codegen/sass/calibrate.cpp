// SPDX-License-Identifier: Apache-2.0
// Each probe is assembled with 3 and with 10 copies of its piece. The operation that occurs 7 times
// more often in the second is the one sought, unless it is already known or belongs to what earlier
// probes needed around theirs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <vector>

#include "codegen/cubin/cubin.h"
#include "codegen/sass/calibration.h"
#include "codegen/sass/code_p.h"
#include "codegen/sass/probes_p.h"

namespace barline::codegen {
namespace {

constexpr int operations = 512;
using Counts = std::array<int, operations>;

// ptxas spreads copies over units (a MOV may become an IMAD), so a little less than the whole
// difference is accepted; nothing else in a probe comes near it.
constexpr int least_difference = probe_many - probe_few - 4;

Counts count(std::span<const std::byte> text) {
  Counts counts{};
  each_instruction(text, [&](Instruction i) {
    if (!i.never()) ++counts[i.operation()];
  });
  return counts;
}

class Solver {
 public:
  explicit Solver(std::string_view sm) : out_(std::string(sm)) {}

  void solve(const Probe& probe, const Counts& few, const Counts& many) {
    if (probe.op != SassOp::Other) set_operation(probe, few, many);
    for (int i = 0; i < operations; ++i)
      if (many[i] > 0) seen_.set(i);
  }

  // A kernel ends with exit, a branch to itself and padding.
  void solve_end(std::span<const std::byte> text) {
    std::vector<std::uint16_t> code;
    each_instruction(text, [&](Instruction i) { code.push_back(i.operation()); });
    if (code.empty()) fail("a kernel without code");
    std::uint16_t nop = code.back();
    while (!code.empty() && code.back() == nop) code.pop_back();
    if (code.size() < 2) fail("a kernel of padding alone");
    std::uint16_t branch = code.back(), exit = code[code.size() - 2];
    if (known(nop) || known(branch) || known(exit) || branch == exit)
      fail("a kernel does not end with exit, branch and padding");
    out_.set(nop, SassOp::Nop);
    out_.set(branch, SassOp::Bra);
    out_.set(exit, SassOp::Exit);
  }

  Calibration take() { return std::move(out_); }

 private:
  [[noreturn]] void fail(std::string_view why) const {
    throw std::runtime_error(fmt::format("calibration of {}: {}", out_.target(), why));
  }

  void set_operation(const Probe& probe, const Counts& few, const Counts& many) {
    std::vector<int> found;
    for (int i = 0; i < operations; ++i)
      if (many[i] - few[i] >= least_difference && !known(i) && !(probe.fresh && seen_[i]))
        found.push_back(i);
    if (found.size() != 1)
      fail(fmt::format("{} operations fit the probe for {}, not one", found.size(),
                       sass_op_name(probe.op)));
    out_.set(static_cast<std::uint16_t>(found[0]), probe.op);
  }

  bool known(int operation) const {
    return out_.of(static_cast<std::uint16_t>(operation)) != SassOp::Other;
  }

  Calibration out_;
  std::bitset<operations> seen_;
};

}  // namespace

Calibration calibrate(const Assembler& assembler, std::string_view sm) {
  Solver solver(sm);
  for (ProbeFamily family : {ProbeFamily::Base, ProbeFamily::Hopper, ProbeFamily::Wgmma}) {
    if (!takes(family, sm)) continue;
    Assembled assembled = assembler.assemble(probe_ptx(family), {.sm = std::string(sm)});
    Cubin cubin = Cubin::parse(assembled.cubin);
    for (std::size_t i = 0; i < probes().size(); ++i) {
      if (probes()[i].family != family) continue;
      auto few = cubin.kernel(probe_entry(i, probe_few)).text;
      auto many = cubin.kernel(probe_entry(i, probe_many)).text;
      solver.solve(probes()[i], count(few), count(many));
    }
    if (family == ProbeFamily::Base) solver.solve_end(cubin.kernel(probe_entry(0, probe_few)).text);
  }
  return solver.take();
}

struct CalibrationCache::Entry {
  std::once_flag once;
  Calibration calibration;
};

const Calibration& CalibrationCache::get(std::string_view sm) {
  std::shared_ptr<Entry> entry;
  {
    std::lock_guard lock(mutex_);
    std::shared_ptr<Entry>& slot = entries_[std::string(sm)];
    if (!slot) slot = std::make_shared<Entry>();
    entry = slot;
  }
  // Other targets calibrate meanwhile; a failure is tried again by the next caller.
  std::call_once(entry->once, [&] { entry->calibration = calibrate(ptxas_, sm); });
  return entry->calibration;
}

}  // namespace barline::codegen
