// SPDX-License-Identifier: Apache-2.0
#include "tools/source_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "codegen/foreign.h"
#include "tools/error.h"
#include "tools/file.h"
#include "tools/row_metadata.h"

namespace barline::tools {
namespace {

constexpr std::size_t max_source_bytes = 256u << 20;

template <class T>
bool holds(const std::vector<T>& list, const T& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

codegen::ForeignKernel read(const SourceJob& job, const std::string& path,
                            const codegen::Ptxas* ptxas, verify::ResourceRow& row) {
  const std::string bytes = read_file(path, max_source_bytes);
  const std::string& entry = job.source->entry;
  if (job.assembled()) {
    row.ptx_bytes = static_cast<long>(bytes.size());
    return codegen::measure_ptx(bytes, entry, job.target, *ptxas);
  }
  return codegen::measure_cubin(std::as_bytes(std::span(bytes)), entry, job.target);
}

/// Why no launch has the threads that the register states; empty where one can.
std::string refused_threads(int threads, const codegen::ForeignKernel& k) {
  if (threads == 0) return {};
  if (k.required_threads && threads != k.required_threads) {
    return fmt::format(
        "no launch can have threads: {}, for .reqntid demands {}; delete it, or compile it for {}",
        threads, k.required_threads, threads);
  }
  if (k.max_threads && threads > k.max_threads) {
    return fmt::format(
        "no launch can have threads: {}, for .maxntid allows {}; write 1 to {}, or compile it for "
        "more",
        threads, k.max_threads, k.max_threads);
  }
  return {};
}

/// Threads of a block as the register states them, else as the file does; 0: neither does.
int threads_of(const SourceJob& job, const codegen::ForeignKernel& k) {
  if (job.source->threads) return job.source->threads;
  return k.required_threads ? k.required_threads : k.max_threads;
}

void fill(verify::ResourceRow& row, const codegen::ForeignKernel& k, const SourceJob& job) {
  row.from_cubin = !job.assembled();
  row.registers = k.registers;
  row.spill_stores = k.spill_stores.value_or(0);
  row.spill_loads = k.spill_loads.value_or(0);
  row.stack = k.stack;
  row.smem = k.smem_static + job.source->dynamic_smem;
  row.barriers = k.barriers;
  row.ctas_per_sm = ctas_per_sm(row, threads_of(job, k));
  row.compile_ms = k.ms;
  row.notes = k.notes;
  row.conflicts = k.conflicts;
  std::string refused = refused_threads(job.source->threads, k);
  if (!refused.empty()) row.conflicts.push_back(std::move(refused));
}

}  // namespace

std::vector<SourceJob> source_jobs(const verify::RegistryFile& registry,
                                   const std::vector<std::string>& names,
                                   const std::vector<std::string>& targets) {
  std::vector<SourceJob> out;
  for (const verify::SourceEntry& source : registry.sources) {
    if (!names.empty() && !holds(names, source.name)) continue;
    std::size_t before = out.size();
    for (const std::string& target : targets) {
      if (holds(source.config.targets, target)) out.push_back({&source, target});
    }
    if (!names.empty() && out.size() == before) {
      throw UsageError(fmt::format("'{}' is for none of the chosen targets; see `barline list {}`",
                                   source.name, source.name));
    }
  }
  return out;
}

verify::ResourceRow row_of(const SourceJob& job) {
  verify::ResourceRow row;
  row.kernel = job.source->name;
  row.target = job.target;
  return row;
}

SourceResult measure(const SourceJob& job, const std::string& registry,
                     const codegen::Ptxas* ptxas) {
  SourceResult result{.row = row_of(job)};
  const std::string& name = job.source->file(job.target).path;
  std::filesystem::path path = std::filesystem::path(registry).parent_path() / name;
  try {
    fill(result.row, read(job, path.string(), ptxas, result.row), job);
  } catch (const codegen::NoSuchKernel& e) {
    result.row.gone = true;
    result.row.error = fmt::format("{}: {}", name, e.what());
    result.code = ExitCode::Usage;
  } catch (const codegen::UnnamedKernel& e) {
    result.row.error = fmt::format("{}: {}", name, e.what());
    result.code = ExitCode::Usage;
  } catch (const codegen::CubinError& e) {
    result.row.error = fmt::format("{} is no cubin that can be judged: {}", name, e.what());
    result.code = ExitCode::Usage;
  } catch (...) {
    ExitReport report = report_of(std::current_exception());
    bool names_it = report.message.find(name) != std::string::npos;
    result.row.error = names_it ? report.message : fmt::format("{}: {}", name, report.message);
    result.code = report.code;
  }
  return result;
}

}  // namespace barline::tools
