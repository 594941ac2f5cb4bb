// SPDX-License-Identifier: Apache-2.0
// `barline pack`: compiles kernels for several targets into one file for hosts without a compiler,
// or shows what stands in such a file.
#include <fmt/format.h>

#include "runtime/jit/unit.h"
#include "runtime/pack/pack.h"
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/compile_job.h"
#include "tools/error.h"
#include "tools/file.h"

namespace barline::tools {
namespace {

using Json = nlohmann::ordered_json;
using runtime::Pack;
using runtime::PackRow;

struct PackOptions {
  std::vector<std::string> kernels;
  std::string arch, output, show;
};

/// PTX that a driver may compile for newer GPUs too; an `a` target's never moves.
bool is_portable(const Job& job) { return !ir::find_target(job.target)->ptx.ends_with('a'); }

runtime::PackItem item_of(Session& session, const Job& job, const runtime::Entry& entry) {
  const jit::Unit unit{.entry = &session.entry(job),
                       .elem = session.elem(job),
                       .config = session.config(job),
                       .target = ir::find_target(job.target)};
  runtime::Entry kept = entry;
  if (!is_portable(job)) kept.ptx.clear();
  kept.metadata.compile_ms = 0;  // the same kernels make the same bytes
  const codegen::Assembler& assembler = session.assembler();
  return {jit::warm_key(unit, jit::warm_name(assembler.kind(), assembler.release())).hash(),
          std::make_shared<const runtime::Entry>(std::move(kept))};
}

std::string table(const Pack& pack) {
  std::size_t width = 6;
  for (const PackRow& row : pack.rows()) width = std::max(width, row.name.size());
  std::string out = fmt::format("{:<{}}  {:<7} {:>9} {:>8} {:>8}  {}\n", "kernel", width, "target",
                                "registers", "cubin", "ptx", "key");
  for (const PackRow& row : pack.rows()) {
    const auto entry = pack.entry(row);
    out += fmt::format("{:<{}}  {:<7} {:>9} {:>8} {:>8}  {}\n", row.name, width, row.target,
                       entry->metadata.registers, entry->cubin.size(), entry->ptx.size(),
                       row.key.hex().substr(0, 16));
  }
  return out;
}

Json row_json(const Pack& pack, const PackRow& row) {
  const auto entry = pack.entry(row);
  return {{"name", row.name},
          {"target", row.target},
          {"key", row.key.hex()},
          {"content", row.content.hex()},
          {"bytes", row.bytes},
          {"cubin_bytes", entry->cubin.size()},
          {"ptx_bytes", entry->ptx.size()},
          {"registers", entry->metadata.registers},
          {"signature", entry->metadata.signature},
          {"assembler", entry->metadata.assembler}};
}

void report(const Context& context, const Pack& pack) {
  if (!context.json) {
    print_out(table(pack));
    return;
  }
  Json rows = Json::array();
  for (const PackRow& row : pack.rows()) rows.push_back(row_json(pack, row));
  print_json("pack", {{"file", pack.label()}, {"entries", std::move(rows)}});
}

std::string_view view(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ExitCode write_pack(const Context& context, const PackOptions& o) {
  check_output(o.output);
  Session session(context);
  const std::vector<Job> jobs = session.jobs(o.kernels, o.arch);
  const std::vector<JobResult> results = JobCompiler(session, {}).compile_all(jobs);
  std::vector<runtime::PackItem> items;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (results[i].entry)
      items.push_back(item_of(session, jobs[i], *results[i].entry));
    else
      fmt::print(stderr, "error: {} {}: {}\n", jobs[i].config(), jobs[i].target,
                 results[i].row.error);
  }
  // A pack that lacks a kernel would fail far from here, so there is none at all then.
  if (const ExitCode code = worst(results); code != ExitCode::Ok) return code;
  std::vector<std::byte> bytes = runtime::serialize_pack(items);
  write_file(o.output, view(bytes));
  report(context, *Pack::parse(std::move(bytes), o.output));
  return ExitCode::Ok;
}

ExitCode run(const Context& context, const PackOptions& o) {
  if (o.show.empty() == o.output.empty())
    throw UsageError("pack takes -o FILE to write a pack, or --show FILE to read one");
  try {
    if (!o.show.empty()) {
      report(context, *Pack::open(o.show));
      return ExitCode::Ok;
    }
    return write_pack(context, o);
  } catch (const runtime::PackError& e) {
    throw UsageError(e.what());
  }
}

}  // namespace

void add_pack(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(app, "pack", "Write kernels for several GPUs into one file for hosts",
                              "barline pack rms_norm.bf16 --arch sm_80,sm_90a -o kernels.blp");
  auto o = std::make_shared<PackOptions>();
  sub.add_option("kernels", o->kernels, "family[.type][@schedule]; all when left out");
  sub.add_option("--arch", o->arch, "Targets, as in sm_80,sm_90a; all when left out");
  sub.add_option("-o,--output", o->output, "The pack to write")->type_name("FILE");
  sub.add_option("--show", o->show, "Check every byte of a pack and list what is in it")
      ->type_name("FILE");
  sub.callback([&context, o] { context.action = [&context, o] { return run(context, *o); }; });
}

}  // namespace barline::tools
