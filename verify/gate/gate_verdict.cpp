// SPDX-License-Identifier: Apache-2.0
#include "verify/gate/gate.h"

namespace barline::verify {
namespace {

struct VerdictText {
  std::string_view name, meaning, advice;
};

// In the order of GateVerdict.
constexpr VerdictText texts[] = {
    {"OK", "every figure is its budget", ""},
    {"IMPROVED", "a figure is below its budget",
     "pin the gain with `barline gate --update`, or it can be lost without notice"},
    {"NEW", "the register has no budget for it", "pin one with `barline gate --update`"},
    {"WORSE", "a figure is above its budget",
     "bring it back, or pin it with `barline gate --update` and say why in the review"},
    {"BROKEN",
     "two witnesses disagree, ptxas notes a loss of performance, or no launch is possible",
     "mend the kernel or its launch; no budget allows this, and a note passes by `allow_notes` "
     "alone"},
    {"ASSEMBLER", "the budgets hold for another assembler",
     "install the pinned one, or re-pin all budgets with `barline gate --update`"},
    {"NO PTXAS", "there is no assembler to measure with",
     "run `scripts/setup --ptxas`, or pass --ptxas PATH"},
    {"MISSING", "there is no record of the kernel's resources",
     "make it compile, or mend its entry or file; what is not measured does not pass"},
    {"GONE", "the register names a kernel that is not there",
     "rename or delete its entry as the kernel was"},
    {"INVALID", "the register is malformed", "mend the line"},
};
static_assert(std::size(texts) == gate_verdict_count);

const VerdictText& text(GateVerdict v) { return texts[static_cast<int>(v)]; }

}  // namespace

std::string_view name(GateVerdict v) { return text(v).name; }
std::string_view meaning(GateVerdict v) { return text(v).meaning; }
std::string_view advice(GateVerdict v) { return text(v).advice; }

}  // namespace barline::verify
