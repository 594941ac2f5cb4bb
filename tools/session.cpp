// SPDX-License-Identifier: Apache-2.0
#include "tools/session.h"

#include <algorithm>

#include "kernels/kernels.h"
#include "runtime/jit/assemblers.h"
#include "runtime/jit/plugin.h"
#include "tools/error.h"

namespace barline::tools {

Session::Session(const Context& context) : context_(context) {
  kernels::register_all(library_);
  std::size_t built_in = library_.entries().size();
  for (const std::string& plugin : context.plugins) load(plugin);
  bool named = !context.registry.empty();
  std::string path = named ? context.registry : default_registry_path(context.program);
  if (!path.empty()) {
    source_ = load_registry(path);
  } else {
    context.warn("no kernels.yaml was found; pass --registry FILE for budgets and shapes");
  }
  // A register that was named decides which of the library's kernels count; a plugin's always do.
  const dsl::KernelEntry* first = library_.entries().data();
  join_library(source_, library_, [&](const dsl::KernelEntry& e) {
    return !named || static_cast<std::size_t>(&e - first) >= built_in;
  });
}

void Session::load(const std::string& plugin) {
  try {
    jit::load_plugin(plugin, library_);
  } catch (const std::invalid_argument& e) {
    throw UsageError(e.what());
  }
}

std::vector<Job> Session::jobs(const std::vector<std::string>& names,
                               const std::string& arch) const {
  return expand(registry(), names, parse_targets(arch, registry()));
}

const dsl::KernelEntry& Session::entry(const Job& job) const {
  return *library_.find(job.kernel->name);
}

ir::Elem Session::elem(const Job& job) const {
  return job.type.empty() ? entry(job).types.front() : *ir::parse_elem(job.type);
}

const ir::Schedule& Session::schedule(const Job& job) const {
  const std::vector<ir::Schedule>& all = entry(job).schedules;
  return *std::find_if(all.begin(), all.end(),
                       [&](const ir::Schedule& s) { return s.name == job.schedule->name; });
}

dsl::Config Session::config(const Job& job, const verify::Dims& dims) const {
  dsl::Config config;
  config.schedule = schedule(job);
  for (const verify::Dim& d : job.schedule->dims) config.dims[d.name] = d.value;
  for (const verify::Dim& d : dims) {
    if (config.dims.contains(d.name)) config.dims[d.name] = d.value;
  }
  config.label = job.config();
  return config;
}

const codegen::Assembler& Session::assembler() {
  if (!assembler_) assembler_ = jit::choose_assembler(context_.runtime);
  return *assembler_;
}

const codegen::Ptxas& Session::ptxas() {
  if (!ptxas_) {
    const runtime::Options& o = context_.runtime;
    ptxas_ = codegen::Ptxas::find({.explicit_path = o.ptxas.string(),
                                   .cuda_home = o.cuda_home.string(),
                                   .path_env = o.path,
                                   .allow_path = true,
                                   .toolkit = o.toolkit.string()});
  }
  return *ptxas_;
}

runtime::KernelCache& Session::cache() {
  if (!cache_) cache_ = std::make_unique<runtime::KernelCache>(context_.runtime.cache);
  return *cache_;
}

}  // namespace barline::tools
