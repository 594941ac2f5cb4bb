// SPDX-License-Identifier: Apache-2.0
// Compares figure by figure. The log speaks of the function, the cubin of what the driver will
// allocate; a difference means that one of the two readers, or the assembler, cannot be believed.
#include "codegen/cubin/check.h"

#include <fmt/format.h>

#include <optional>

namespace barline::codegen {

std::vector<std::string> check_against(const ResourceReport& log, const KernelRecord& cubin) {
  std::vector<std::string> out;
  auto compare = [&](std::string_view what, int logged, std::optional<int> recorded) {
    if (recorded && *recorded != logged)
      out.push_back(fmt::format("{}: ptxas -v says {} {}, the cubin says {}", log.function, what,
                                logged, *recorded));
  };
  if (log.function != cubin.name)
    out.push_back(
        fmt::format("the log's record is of '{}', the cubin's of '{}'", log.function, cubin.name));
  if (!cubin.registers)
    out.push_back(fmt::format("{}: the cubin records no register count", log.function));
  compare("registers", log.registers, cubin.registers);
  compare("registers", log.registers, cubin.section_registers);
  compare("static shared bytes", log.smem_static, cubin.smem_static);
  compare("barriers", log.barriers, cubin.barriers);
  // A verdict that folds callees in has their stack too; the cubin's frame is the kernel's alone.
  if (cubin.callees.empty()) compare("bytes of stack frame", log.stack, cubin.frame);
  return out;
}

}  // namespace barline::codegen
