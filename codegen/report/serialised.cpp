// SPDX-License-Identifier: Apache-2.0
#include "codegen/report/serialised.h"

#include <fmt/format.h>

namespace barline::codegen {
namespace {

struct Fix {
  std::string_view says;  ///< part of the note
  std::string_view fix;
};

// The first row that matches. ptxas numbers these notes C7505 .. C7519 and renumbers them between
// releases, so they are told apart by their words.
constexpr Fix fixes[] = {
    {"determine register count",
     "give the launch max_registers or min_ctas_per_sm, so that a thread's registers are known"},
    {"minimum register requirements",
     "give the role that needs them more registers, or its schedule a smaller tile"},
    {"'setmaxnreg' ignored", "build without debugging and without calls"},
    {"insufficient register", "take a smaller tile a warpgroup, or give its role more registers"},
    {"defining input registers",
     "keep at most two sets of a in registers: wait with pending 1 before a third is written"},
    {"reading accumulator", "read accumulators after the wait that makes them values"},
    {"defining accumulator", "write accumulators before the fence of their group"},
    {"divergent path", "move the products out of conditions that differ between warps"},
    {"ill formed", "keep fence, products, commit and wait of a group in one region"},
    {"Extern calls", "keep calls out of the kernel"},
    {"function boundary", "keep calls out of the kernel"},
};

std::string_view fix_of(std::string_view text) {
  for (const Fix& f : fixes)
    if (text.find(f.says) != std::string_view::npos) return f.fix;
  return "order fence, products, commit and wait as docs/ops.md has them";
}

}  // namespace

std::string explain_serialised(const PtxasLog& log, std::string_view kernel) {
  std::string out;
  for (const Note& note : log.notes) {
    const bool speaks = note.text.find("wgmma") != std::string::npos ||
                        note.text.find("setmaxnreg") != std::string::npos;
    const bool ours = note.function.empty() || note.function == kernel;
    if (!note.performance_loss || !speaks || !ours) continue;
    out += fmt::format(
        "kernel '{}': ptxas ({}): {}\n  rule: products of a group overlap, and registers move "
        "between warpgroups as the schedule says\n  fix: {}\n",
        kernel, note.code, note.text, fix_of(note.text));
  }
  return out;
}

}  // namespace barline::codegen
