// SPDX-License-Identifier: Apache-2.0
#include "tools/row_metadata.h"

#include <fmt/format.h>

namespace barline::tools {
namespace {

/// Lines joined by newlines; codes and disagreements hold none themselves.
std::string join(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += (out.empty() ? "" : "\n") + line;
  return out;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::uint32_t bytes(int n) { return static_cast<std::uint32_t>(n); }

}  // namespace

runtime::Metadata to_metadata(const codegen::Compiled& c, const Job& job,
                              const std::string& assembler) {
  runtime::Metadata m;
  m.kernel = verify::config_name(job.kernel->name, job.type, "");
  m.schedule = job.schedule->name;
  m.target = c.target;
  m.entry = c.name;
  m.assembler = assembler;
  m.registers = bytes(c.report.registers);
  m.spill_stores = bytes(c.report.spill_stores);
  m.spill_loads = bytes(c.report.spill_loads);
  m.stack = bytes(c.report.cumulative_stack > c.report.stack ? c.report.cumulative_stack
                                                             : c.report.stack);
  m.static_smem = bytes(c.report.smem_static);
  m.dynamic_smem = bytes(c.smem_dynamic);
  m.barriers = bytes(c.barriers);
  m.compile_ms = c.times.total();
  std::vector<std::string> notes;
  for (const codegen::Note& note : c.report.notes) {
    if (note.performance_loss) notes.push_back(note.code);
  }
  if (!notes.empty()) m.extra.emplace_back("notes", join(notes));
  if (!c.disagreements.empty()) m.extra.emplace_back("conflicts", join(c.disagreements));
  return m;
}

verify::ResourceRow to_row(const runtime::Metadata& m, const Job& job) {
  verify::ResourceRow row;
  row.kernel = job.kernel->name;
  row.type = job.type;
  row.schedule = job.schedule->name;
  row.target = job.target;
  row.registers = static_cast<int>(m.registers);
  row.spill_stores = static_cast<int>(m.spill_stores);
  row.spill_loads = static_cast<int>(m.spill_loads);
  row.stack = static_cast<int>(m.stack);
  row.smem = static_cast<int>(m.smem());
  row.barriers = static_cast<int>(m.barriers);
  if (m.barriers_per_step) row.barriers_per_step = static_cast<int>(m.barriers_per_step);
  row.compile_ms = m.compile_ms;
  row.notes = split(m.extra_value("notes"));
  row.conflicts = split(m.extra_value("conflicts"));
  return row;
}

void add_skeleton(verify::ResourceRow& row, const codegen::SassSkeleton& s) {
  row.bars = s.bars;
  row.local_accesses = s.local_loads + s.local_stores;
  row.loads_before_wait = s.loads_before_wait;
  row.loads_before_mma = s.loads_before_mma;
  row.movs_per_mma = s.movs_per_mma;
}

}  // namespace barline::tools
