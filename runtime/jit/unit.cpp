// SPDX-License-Identifier: Apache-2.0
#include "runtime/jit/unit.h"

#include <barline_codegen_id.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "codegen/compile.h"
#include "ir/check.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "runtime/jit/signature.h"
#include "runtime/launch/budget.h"
#include "runtime/launch/workspace.h"
#include "runtime/regions/table.h"
#include "verify/cadence/cadence.h"

namespace barline::jit {
namespace {

codegen::CompileOptions compile_options(const Unit& unit) { return {.lineinfo = unit.lineinfo}; }

/// Registers of a thread that the schedule promises, by its own cap or by the blocks that an SM
/// shall hold; 0: none.
int promised_registers(const Unit& unit) {
  const ir::Schedule& s = unit.config.schedule;
  if (s.budget.regs > 0) return s.budget.regs;
  const int threads = s.budget.ctas_per_sm * block_threads(s);
  return threads > 0 ? unit.target->registers_per_sm / threads / 8 * 8 : 0;
}

runtime::Metadata metadata_of(const Unit& unit, const ir::Kernel& k, const codegen::Compiled& c,
                              const codegen::Assembler& assembler) {
  auto u32 = [](auto v) { return static_cast<std::uint32_t>(v); };
  runtime::Metadata m;
  m.kernel = unit.entry->name;
  m.schedule = std::string(unit.config.schedule.name);
  m.target = std::string(unit.target->name);
  m.entry = k.name;
  const runtime::Signature signature = signature_of(k);
  m.signature = to_text(signature);
  // Where sizes are open, a prepared kernel says what each launch needs.
  if (signature.axes.empty()) {
    const runtime::WorkspaceSize workspace = runtime::workspace_size(signature, {});
    m.workspace_bytes = workspace.bytes;
    m.workspace_align = workspace.align;
  }
  m.assembler = assembler.version();
  m.registers = u32(c.report.registers);
  m.spill_stores = u32(c.report.spill_stores);
  m.spill_loads = u32(c.report.spill_loads);
  m.stack = u32(std::max(c.report.stack, c.report.cumulative_stack));
  m.static_smem = u32(c.report.smem_static);
  m.dynamic_smem = u32(c.smem_dynamic);
  m.barriers = u32(c.barriers);
  m.barriers_per_step = u32(verify::barriers_per_step(k));
  m.threads_x = u32(k.launch.threads[0]);
  m.threads_y = u32(k.launch.threads[1]);
  m.threads_z = u32(k.launch.threads[2]);
  m.min_blocks_per_sm = u32(k.launch.min_ctas_per_sm);
  m.cooperative = k.launch.cooperative;
  m.persistent = k.launch.persistent;
  m.cluster_x = u32(k.launch.cluster);
  ir::walk(k.body,
           [&](const ir::Operation& op) { m.awaits_previous |= op.is(ir::Op::AwaitPrevious); });
  m.compile_ms = c.times.total();
  if (assembler.kind() == codegen::AssemblerKind::Driver)
    if (const int registers = promised_registers(unit))
      m.extra.emplace_back(runtime::promised_registers, fmt::format("{}", registers));
  std::vector<std::string> notes;
  for (const codegen::Note& note : c.report.notes)
    if (note.performance_loss) notes.push_back(note.code);
  // One a line: neither codes nor disagreements hold a line break.
  if (k.timed) m.extra.emplace_back(regions::metadata_name, regions::to_text(k.region_table));
  if (!notes.empty()) m.extra.emplace_back("notes", fmt::format("{}", fmt::join(notes, "\n")));
  if (!c.disagreements.empty())
    m.extra.emplace_back("conflicts", fmt::format("{}", fmt::join(c.disagreements, "\n")));
  return m;
}

}  // namespace

std::string config_text(const Unit& unit) {
  const ir::Schedule& schedule = unit.config.schedule;
  // A timed kernel has a name of its own: it takes one argument more.
  std::string text =
      fmt::format("{}.{}@{}{} {}", unit.entry->name, ir::name(unit.elem), schedule.name,
                  unit.config.timing ? "+timing" : "", ir::text(schedule));
  for (const auto& [name, extent] : unit.config.dims) text += fmt::format(" {}={}", name, extent);
  return text;
}

runtime::KeyRecord content_key(const Unit& unit, const ir::Kernel& kernel,
                               const codegen::Assembler& assembler) {
  auto flags =
      codegen::assemble_flags(codegen::assemble_options(*unit.target, compile_options(unit)));
  runtime::KeyRecord key;
  key.add("ir", ir::print(kernel, {.locations = unit.lineinfo || kernel.debug}))
      .add("config", config_text(unit))
      .add("target", std::string(unit.target->name))
      .add("ptx", std::string(unit.target->ptx))
      .add("assembler", assembler.version())
      .add("flags", fmt::format("{}", fmt::join(flags, " ")))
      .add("debug", kernel.debug ? "1" : "0")
      .add("codegen_id", BARLINE_CODEGEN_ID);
  return key;
}

runtime::WarmKey warm_key(const Unit& unit, std::string_view pinned) {
  return {.kernel = fmt::format("{} of {}", unit.entry->name, unit.entry->library),
          .config = config_text(unit),
          .target = std::string(unit.target->name),
          .codegen_id = BARLINE_CODEGEN_ID,
          .assembler = std::string(pinned),
          .options = fmt::format("debug={} lineinfo={}", unit.config.debug, unit.lineinfo)};
}

runtime::Entry build_entry(const Unit& unit, ir::Kernel kernel,
                           const codegen::Assembler& assembler) {
  ir::run_pipeline(kernel);
  ir::check_for(kernel, *unit.target);
  codegen::Compiled compiled =
      codegen::compile(kernel, *unit.target, assembler, compile_options(unit));
  runtime::Entry entry;
  entry.metadata = metadata_of(unit, kernel, compiled, assembler);
  entry.cubin = std::move(compiled.cubin);
  entry.ptx = std::move(compiled.ptx);
  return entry;
}

std::string_view warm_name(codegen::AssemblerKind kind, std::string_view pinned) {
  return kind == codegen::AssemblerKind::Ptxas ? pinned : name(kind);
}

runtime::Found find_or_build(runtime::KernelCache& cache, const Unit& unit, std::string_view pinned,
                             const AskAssembler& ask) {
  // A library without a build id cannot tell its old kernels from its new ones: no warm path then.
  const bool known = !unit.entry->library.empty();
  runtime::WarmKey warm = warm_key(unit, pinned);
  if (known)
    if (runtime::Found found = cache.lookup_warm(warm)) return found;
  const codegen::Assembler& assembler = ask();
  if (std::string_view own = warm_name(assembler.kind(), pinned); own != pinned) {
    warm = warm_key(unit, own);
    if (known)
      if (runtime::Found found = cache.lookup_warm(warm)) return found;
  }
  ir::Kernel kernel = dsl::instantiate(unit.entry->make(unit.elem), unit.config);
  runtime::KeyRecord key = content_key(unit, kernel, assembler);
  if (!known) warm.options += " " + key.hash().hex();
  return cache.get_or_build(key, warm,
                            [&] { return build_entry(unit, std::move(kernel), assembler); });
}

}  // namespace barline::jit
