// SPDX-License-Identifier: Apache-2.0
#include "tools/row_metadata.h"

#include <algorithm>

#include "codegen/occupancy.h"

namespace barline::tools {
namespace {

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::optional<int> ctas_per_sm(const verify::ResourceRow& row, int threads) {
  auto limits = codegen::sm_limits(row.target);
  if (!limits || row.registers == 0) return {};
  const codegen::KernelUse use{
      .threads = std::max(threads, 1), .registers = row.registers, .smem = row.smem};
  const int blocks = codegen::occupancy(*limits, use).blocks_per_sm;
  if (threads == 0 && blocks > 0) return {};
  return blocks;
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
  row.ctas_per_sm = ctas_per_sm(row, static_cast<int>(m.threads_x * m.threads_y * m.threads_z));
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
