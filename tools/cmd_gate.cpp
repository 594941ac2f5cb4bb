// SPDX-License-Identifier: Apache-2.0
// `barline gate`: the budgets of kernels.yaml against the assembler, and --update to pin them anew.
#include <fmt/format.h>

#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/compile_job.h"
#include "tools/error.h"
#include "tools/file.h"
#include "tools/yaml_reader.h"
#include "verify/gate/gate_formats.h"
#include "verify/gate/gate_report.h"

namespace barline::tools {
namespace {

struct GateCommand {
  std::vector<std::string> kernels;
  std::string arch, format = "text";
  bool update = false, allow_improved = false;
};

std::vector<verify::ResourceRow> rows_of(const std::vector<JobResult>& results) {
  std::vector<verify::ResourceRow> rows;
  for (const JobResult& r : results) rows.push_back(r.row);
  return rows;
}

/// Rows of a machine without ptxas: what would have been measured.
std::vector<verify::ResourceRow> unmeasured(const std::vector<Job>& jobs) {
  std::vector<verify::ResourceRow> rows;
  for (const Job& j : jobs) {
    verify::ResourceRow row;
    row.kernel = j.kernel->name;
    row.type = j.type;
    row.schedule = j.schedule->name;
    row.target = j.target;
    rows.push_back(std::move(row));
  }
  return rows;
}

void print_report(const Context& context, const GateCommand& o, const verify::GateReport& report) {
  std::string format = context.json ? "json" : o.format;
  if (format == "json") return print_out(verify::to_json(report).dump(2) + "\n");
  if (format == "junit") return print_out(verify::to_junit(report));
  if (format == "sarif") return print_out(verify::to_sarif(report));
  if (format == "github") return print_out(verify::to_github(report));
  if (format == "markdown") return print_out(verify::to_markdown(report));
  print_out(verify::to_text(report));
}

/// Writes the measured figures into kernels.yaml. The new text is read back before it is written.
void update(const Session& session, const GateCommand& o,
            const std::vector<verify::ResourceRow>& rows, const std::string& assembler) {
  const RegistrySource& source = session.source();
  if (source.path.empty()) throw UsageError("there is no kernels.yaml to update; pass --registry");
  bool partial = !o.kernels.empty() || !o.arch.empty();
  if (partial && source.file.assembler != assembler) {
    throw UsageError(fmt::format(
        "the budgets hold for {}, this is {}: pin all of them, without kernel names and --arch",
        source.file.assembler, assembler));
  }
  std::string text =
      verify::update_budgets(source.text, source.tree, verify::pins_of(rows), assembler);
  verify::parse_registry(read_yaml(text, source.path), source.path);
  if (text == source.text) return session.context().say("budgets are pinned already");
  write_file(source.path, text);
  session.context().say(fmt::format("budgets pinned in {}; review the difference", source.path));
}

/// A spill that is pinned passes from then on, so it is not pinned without a word.
void warn_of_spills(const Context& context, const std::vector<verify::ResourceRow>& rows) {
  for (const verify::ResourceRow& r : rows) {
    int spills = std::max(r.spill_stores, r.spill_loads);
    if (spills > 0 && r.error.empty()) {
      context.warn(
          fmt::format("{} on {} is pinned with {} bytes of spills", r.config(), r.target, spills));
    }
  }
}

ExitCode gate(const Context& context, const GateCommand& o) {
  Session session(context);
  std::vector<Job> jobs = session.jobs(o.kernels, o.arch);
  try {
    session.ptxas();
  } catch (const codegen::MissingPtxas& e) {
    print_report(context, o, verify::judge(session.registry(), unmeasured(jobs), {}));
    throw;
  }
  const std::string& assembler = session.ptxas().release();
  JobCompiler compiler(session, {.skeleton = true});
  std::vector<JobResult> results = compiler.compile_all(jobs);
  std::vector<verify::ResourceRow> rows = rows_of(results);
  if (o.update) {
    update(session, o, rows, assembler);
    warn_of_spills(context, rows);
    RegistrySource pinned = load_registry(session.source().path);
    verify::GateReport report = verify::judge(pinned.file, rows, {.assembler = assembler});
    print_report(context, o, report);
    return worse(worst(results), report.passed() ? ExitCode::Ok : ExitCode::Failed);
  }
  verify::GateReport report = verify::judge(
      session.registry(), rows, {.assembler = assembler, .improved_fails = !o.allow_improved});
  print_report(context, o, report);
  return worse(worst(results), report.passed() ? ExitCode::Ok : ExitCode::Failed);
}

}  // namespace

void add_gate(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(app, "gate", "Hold kernels to the budgets of kernels.yaml",
                              "barline gate --arch sm_90a --format markdown");
  auto o = std::make_shared<GateCommand>();
  sub.add_option("kernels", o->kernels, "family[.type][@schedule]; all when left out");
  sub.add_option("--arch", o->arch, "Targets, as in sm_80,sm_90a; all when left out");
  sub.add_option("--format", o->format, "text, json, junit, sarif, github or markdown")
      ->check(CLI::IsMember({"text", "json", "junit", "sarif", "github", "markdown"}));
  sub.add_flag("--update", o->update, "Pin what was measured, in place");
  sub.add_flag("--allow-improved", o->allow_improved, "A figure below its budget is no failure");
  sub.callback([&context, o] { context.action = [&context, o] { return gate(context, *o); }; });
}

}  // namespace barline::tools
