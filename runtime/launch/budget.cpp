// SPDX-License-Identifier: Apache-2.0
#include "runtime/launch/budget.h"

#include <fmt/format.h>

#include <charconv>

namespace barline::runtime {
namespace {

struct Budget {
  int registers = 0;    ///< a thread; 0: no promise
  int local_bytes = 0;  ///< a thread: stack and spills
};

Budget budget_of(const Metadata& m, Code code) {
  if (code == Code::Ptx) return {static_cast<int>(m.registers), static_cast<int>(m.stack)};
  Budget budget;
  const std::string_view text = m.extra_value(promised_registers);
  std::from_chars(text.data(), text.data() + text.size(), budget.registers);
  return budget;
}

}  // namespace

void hold_to_budget(const Prepared& prepared, Code code, bool strict,
                    const std::function<void(const std::string&)>& warn) {
  const Metadata& m = prepared.metadata();
  if (code == Code::Cubin && !m.assembler.starts_with("driver ")) return;
  const Budget budget = budget_of(m, code);
  const driver::KernelAttributes got = prepared.kernel().attributes();
  const bool fits = budget.registers == 0 || got.registers <= budget.registers;
  if (fits && got.local_bytes <= budget.local_bytes) return;
  const std::string text = fmt::format(
      "kernel '{}' was compiled by the driver to {} registers and {} bytes of local memory, where "
      "{} and {} are budgeted; take machine code that ptxas made for this GPU, from a pack or a "
      "filled cache",
      m.entry, got.registers, got.local_bytes,
      budget.registers == 0 ? "any number" : fmt::format("{}", budget.registers),
      budget.local_bytes);
  if (strict) throw OverBudget(text);
  if (warn) warn(text);
}

}  // namespace barline::runtime
