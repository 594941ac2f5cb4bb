// SPDX-License-Identifier: Apache-2.0
// `barline build`: compiles kernels and prints one line a kernel and target.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "codegen/ptx.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/compile_job.h"
#include "tools/error.h"
#include "tools/file.h"
#include "tools/launch_json.h"
#include "verify/gate/gate_report.h"
#include "verify/gate/suggest.h"

namespace barline::tools {
namespace {

struct BuildOptions {
  std::vector<std::string> kernels;
  std::string arch, folder = ".", dump_after;
  std::vector<std::string> emit;
  bool lineinfo = false, launch_json = false;

  bool emits(std::string_view what) const {
    return std::find(emit.begin(), emit.end(), what) != emit.end();
  }
};

std::string_view view(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void check_dump(const BuildOptions& o) {
  if (o.dump_after.empty() || o.dump_after == "all" || o.dump_after == "input") return;
  std::vector<std::string> names = {"all", "input"};
  for (const ir::Pass& pass : ir::passes()) names.emplace_back(pass.name);
  if (std::find(names.begin(), names.end(), o.dump_after) == names.end()) {
    throw UsageError(fmt::format("unknown pass '{}'; {}", o.dump_after,
                                 verify::did_you_mean(o.dump_after, names)));
  }
}

/// What does not need the assembler: IR dumps on stdout, .bir and .ll files.
void emit_text(const Session& session, const Job& job, const BuildOptions& o) {
  if (o.dump_after.empty() && !o.emits("bir") && !o.emits("llvm")) return;
  ir::Kernel kernel = instantiate(session, job);
  ir::run_pipeline(kernel, [&](std::string_view pass, const ir::Kernel& k) {
    if (o.dump_after != "all" && o.dump_after != pass) return;
    print_out(fmt::format("// {} {} after {}\n{}\n", job.config(), job.target, pass, ir::print(k)));
  });
  std::string stem = (std::filesystem::path(o.folder) / job.file_stem()).string();
  if (o.emits("bir")) write_file(stem + ".bir", ir::print(kernel));
  if (o.emits("llvm")) {
    write_file(stem + ".ll",
               codegen::emit_llvm(kernel, *ir::find_target(job.target), {.lineinfo = o.lineinfo}));
  }
}

void emit_binary(const JobResult& result, const Job& job, const BuildOptions& o) {
  if (!result.entry) return;
  std::string stem = (std::filesystem::path(o.folder) / job.file_stem()).string();
  if (o.emits("ptx")) write_file(stem + ".ptx", result.entry->ptx);
  if (o.emits("cubin")) write_file(stem + ".cubin", view(result.entry->cubin));
}

/// The cubins and launches.json, which says how a host that has no barline launches them.
void emit_launches(const Session& session, const std::vector<Job>& jobs,
                   const std::vector<JobResult>& results, const BuildOptions& o) {
  auto rows = nlohmann::ordered_json::array();
  std::filesystem::path folder(o.folder);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!results[i].entry) continue;
    const Job& job = jobs[i];
    std::string cubin = job.file_stem() + ".cubin";
    write_file((folder / cubin).string(), view(results[i].entry->cubin));
    ir::Kernel lowered = instantiate(session, job);
    ir::run_pipeline(lowered);
    nlohmann::ordered_json row{{"name", job.config()}, {"kernel", job.kernel->name},
                               {"type", job.type},     {"schedule", job.schedule->name},
                               {"target", job.target}, {"cubin", cubin}};
    row.update(launch_json(lowered, results[i].entry->metadata));
    rows.push_back(std::move(row));
  }
  nlohmann::ordered_json bundle{{"schema", "barline.launches/1"}, {"kernels", std::move(rows)}};
  write_file((folder / "launches.json").string(), bundle.dump(1) + "\n");
}

std::string table(const std::vector<JobResult>& results) {
  std::size_t width = 6;
  for (const JobResult& r : results) width = std::max(width, r.row.config().size());
  std::string out =
      fmt::format("{:<{}}  {:<7} {:>9} {:>6} {:>6} {:>8} {:>7}  {}\n", "kernel", width, "target",
                  "registers", "spills", "smem", "barriers", "ms", "cache");
  for (const JobResult& r : results) {
    const verify::ResourceRow& m = r.row;
    if (!m.error.empty()) {
      out += fmt::format("{:<{}}  {:<7} FAILED\n", m.config(), width, m.target);
      continue;
    }
    out +=
        fmt::format("{:<{}}  {:<7} {:>9} {:>6} {:>6} {:>8} {:>7.1f}  {}\n", m.config(), width,
                    m.target, m.registers, m.spills(), m.smem, m.barriers, m.compile_ms, m.cache);
  }
  return out;
}

ExitCode build(const Context& context, const BuildOptions& o) {
  check_dump(o);
  if (!o.emit.empty() || o.launch_json)
    check_output((std::filesystem::path(o.folder) / "x").string());
  Session session(context);
  std::vector<Job> jobs = session.jobs(o.kernels, o.arch);
  for (const Job& job : jobs) emit_text(session, job, o);
  JobCompiler compiler(session, {.lineinfo = o.lineinfo});
  std::vector<JobResult> results = compiler.compile_all(jobs);
  for (std::size_t i = 0; i < jobs.size(); ++i) emit_binary(results[i], jobs[i], o);
  if (o.launch_json) emit_launches(session, jobs, results, o);
  for (const JobResult& r : results) {
    if (!r.row.error.empty()) {
      fmt::print(stderr, "error: {} {}: {}\n", r.row.config(), r.row.target, r.row.error);
    }
  }
  if (context.json) {
    auto rows = nlohmann::ordered_json::array();
    for (const JobResult& r : results) rows.push_back(verify::to_json(r.row));
    print_json("build", {{"assembler", session.assembler().release()}, {"results", rows}});
  } else if (o.dump_after.empty()) {
    print_out(table(results));
  }
  return worst(results);
}

}  // namespace

void add_build(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(app, "build", "Compile kernels; one line a kernel and target",
                              "barline build rms_norm.bf16 --arch sm_90a --emit ptx,cubin -o out");
  auto o = std::make_shared<BuildOptions>();
  sub.add_option("kernels", o->kernels, "family[.type][@schedule]; all when left out");
  sub.add_option("--arch", o->arch, "Targets, as in sm_80,sm_90a; all when left out");
  sub.add_option("--emit", o->emit, "Files to write: bir, llvm, ptx, cubin")
      ->delimiter(',')
      ->check(CLI::IsMember({"bir", "llvm", "ptx", "cubin"}));
  sub.add_option("-o,--output", o->folder, "Folder of the files")->type_name("DIR");
  sub.add_option("--dump-after", o->dump_after, "Print the IR after a pass, `input` or `all`")
      ->type_name("PASS");
  sub.add_flag("--lineinfo", o->lineinfo, "Line table that leads back to the kernel's source");
  sub.add_flag("--launch-json", o->launch_json,
               "Write the cubins and launches.json, which says how to launch them");
  sub.callback([&context, o] { context.action = [&context, o] { return build(context, *o); }; });
}

}  // namespace barline::tools
