// SPDX-License-Identifier: Apache-2.0
#include "codegen/compile.h"

#include <algorithm>

#include "codegen/cubin/check.h"
#include "codegen/report/serialised.h"
#include "ir/passes/place_syncs.h"

namespace barline::codegen {
namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Fills in what log and cubin say of the kernel.
void read_results(Compiled& c, const CompileOptions& options) {
  c.record = Cubin::parse(c.cubin).kernel(c.name);
  const PtxasLog log = parse_ptxas_log(c.log);
  if (std::string lost = explain_serialised(log, c.name); !lost.empty())
    throw AssembleError("the assembler took the PTX without the overlap it was written for:\n" + lost,
                        c.log, 0);
  c.report = log.verdict(c.name, c.record.callees);
  c.disagreements = check_against(c.report, c.record);
  if (options.calibration) c.skeleton = skeleton(c.cubin, c.name, *options.calibration);
}

}  // namespace

AssembleOptions assemble_options(const ir::Target& target, const CompileOptions& options) {
  AssembleOptions a;
  a.sm = std::string(target.name);
  a.lineinfo = options.lineinfo;
  a.extra = options.extra_flags;
  a.timeout = options.timeout;
  return a;
}

Compiled compile(const ir::Kernel& lowered, const ir::Target& target, const Assembler& assembler,
                 const CompileOptions& options) {
  Compiled c;
  c.name = lowered.name;
  c.target = std::string(target.name);
  // Where there are gates, all threads wait at the start until one has made them ready.
  c.barriers = ir::count_barriers(lowered) + std::ranges::any_of(lowered.slots, &ir::Slot::is_gate);
  c.smem_dynamic = static_cast<int>(ir::shared_bytes(lowered));
  auto start = Clock::now();
  c.ptx = emit_ptx(lowered, target, {.lineinfo = options.lineinfo});
  c.times.ptx_ms = ms_since(start);
  Assembled assembled = assembler.assemble(c.ptx, assemble_options(target, options));
  c.times.ptxas_ms = assembled.ms;
  start = Clock::now();
  c.cubin = std::move(assembled.cubin);
  c.log = std::move(assembled.log);
  read_results(c, options);
  c.times.read_ms = ms_since(start);
  return c;
}

}  // namespace barline::codegen
