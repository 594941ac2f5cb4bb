// SPDX-License-Identifier: Apache-2.0
#include "runtime/jit/driver_assembler.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "codegen/cubin/cubin.h"
#include "codegen/report/ptxas_log.h"
#include "runtime/driver/link.h"

namespace barline::jit {
namespace {

using codegen::Assembled;
using codegen::AssembleOptions;

driver::LinkOptions link_options(const AssembleOptions& options) {
  codegen::assemble_flags(options);  // refuses what is no target
  driver::LinkOptions link{.line_info = options.lineinfo};
  std::from_chars(options.sm.data() + 3, options.sm.data() + options.sm.size(), link.capability);
  link.specific = options.sm.ends_with('a');
  return link;
}

/// What the cubin says of a kernel, in the words of ptxas -v.
std::string record_text(const codegen::KernelRecord& k, std::string_view sm) {
  return fmt::format(
      "ptxas info    : Compiling entry function '{0}' for '{1}'\n"
      "ptxas info    : Function properties for {0}\n"
      "    {2} bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
      "ptxas info    : Used {3} registers, used {4} barriers, {5} bytes smem\n",
      k.name, sm, k.frame.value_or(0), k.registers.value_or(0), k.barriers.value_or(0),
      k.smem_static);
}

/// The kernels' records that the log lacks.
std::string missing_records(const Assembled& a, std::string_view sm) {
  const codegen::PtxasLog log = codegen::parse_ptxas_log(a.log);
  const codegen::Cubin cubin = codegen::Cubin::parse(a.cubin);
  std::string text;
  for (const codegen::KernelRecord& kernel : cubin.kernels()) {
    const auto at = log.functions.find(kernel.name);
    if (at == log.functions.end() || !at->second.has_usage || !at->second.has_properties)
      text += record_text(kernel, sm);
  }
  return text;
}

}  // namespace

DriverAssembler::DriverAssembler(const driver::Device& device)
    : device_(device), version_(driver::build_of(device.driver())) {
  release_ = version_.substr(0, version_.find(';'));
}

Assembled DriverAssembler::assemble(std::string_view ptx, const AssembleOptions& options) const {
  const auto start = std::chrono::steady_clock::now();
  Assembled out;
  try {
    driver::Linked linked = driver::link_ptx(device_, ptx, link_options(options));
    out.cubin = std::move(linked.cubin);
    out.log = std::move(linked.log);
    if (!out.log.empty() && !out.log.ends_with('\n')) out.log += '\n';
    out.log += missing_records(out, options.sm);
  } catch (const driver::Error& e) {
    throw codegen::AssembleError(
        fmt::format("{} refused the PTX for {}: {}", release_, options.sm, e.what()), e.what(),
        static_cast<int>(e.code()));
  } catch (const codegen::CubinError& e) {
    throw codegen::AssembleError(fmt::format("{} left a cubin of {} bytes that is not whole: {}",
                                             release_, out.cubin.size(), e.what()),
                                 out.log, -1);
  }
  out.ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return out;
}

}  // namespace barline::jit
