// SPDX-License-Identifier: Apache-2.0
// `barline gate`: the budgets of kernels.yaml against the assembler, and --update to pin them anew.
#include <fmt/format.h>

#include <optional>

#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/error.h"
#include "tools/file.h"
#include "tools/gate_output.h"
#include "tools/gate_run.h"
#include "tools/yaml_reader.h"

namespace barline::tools {
namespace {

struct GateCommand {
  std::vector<std::string> kernels;
  std::string arch;
  bool update = false, allow_improved = false;
  GateOutputOptions output;

  bool partial() const { return !kernels.empty() || !arch.empty(); }
};

/// Writes the measured figures into kernels.yaml. The new text is read back before it is written.
void update(const Session& session, const GateCommand& o,
            const std::vector<verify::ResourceRow>& rows, const std::string& assembler) {
  const RegistrySource& source = session.source();
  if (source.path.empty()) throw UsageError("there is no kernels.yaml to update; pass --registry");
  if (o.partial() && !assembler.empty() && source.file.assembler != assembler) {
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
    if (r.spills() > 0 && r.error.empty()) {
      context.warn(fmt::format("{} on {} is pinned with {} bytes of spills", r.config(), r.target,
                               r.spills()));
    }
  }
}

/// A register that is refused is reported in the form that was asked for, too.
Session open_session(const Context& context, const GateOutput& output) {
  try {
    return Session(context);
  } catch (const verify::FileError& e) {
    bool gone = dynamic_cast<const verify::NameError*>(&e);
    verify::GateReport report;
    report.file = e.file;
    report.problem = {gone ? verify::GateVerdict::Gone : verify::GateVerdict::Invalid, e.at,
                      e.message};
    output.write(std::move(report));
    throw;
  }
}

/// The assembler's release, or "" where no job takes one. Without an assembler that one takes,
/// reports all that can be said and throws MissingPtxas.
std::string need_assembler(Session& session, const GateJobs& jobs, const GateOutput& output) {
  if (!jobs.assembled()) return "";
  try {
    return session.ptxas().release();
  } catch (const codegen::MissingPtxas& e) {
    verify::GateReport report =
        verify::judge(session.registry(), measure_all(session, jobs, false).rows, {});
    report.problem = {verify::GateVerdict::NoPtxas, session.registry().assembler_at, e.what()};
    output.write(std::move(report));
    throw;
  }
}

ExitCode gate(const Context& context, const GateCommand& o) {
  GateOutput output(context, o.output);
  Session session = open_session(context, output);
  GateJobs jobs = gate_jobs(session, o.kernels, o.arch);
  const std::string assembler = need_assembler(session, jobs, output);
  GateRows measured = measure_all(session, jobs, !assembler.empty());
  std::optional<RegistrySource> pinned;
  if (o.update) {
    update(session, o, measured.rows, assembler);
    warn_of_spills(context, measured.rows);
    pinned = load_registry(session.source().path);
  }
  verify::GateReport report =
      verify::judge(pinned ? pinned->file : session.registry(), measured.rows,
                    {.assembler = assembler, .improved_fails = !o.allow_improved});
  bool passed = report.passed();
  output.write(std::move(report));
  return worse(measured.code, passed ? ExitCode::Ok : ExitCode::Failed);
}

}  // namespace

void add_gate(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(app, "gate", "Hold kernels to the budgets of kernels.yaml",
                              "barline gate --arch sm_90a --format github "
                              "--report markdown=summary.md");
  auto o = std::make_shared<GateCommand>();
  sub.add_option("kernels", o->kernels, "family[.type][@schedule]; all when left out");
  sub.add_option("--arch", o->arch, "Targets, as in sm_80,sm_90a; all when left out");
  sub.add_option("--format", o->output.format, "text, json, junit, sarif, github or markdown")
      ->check(CLI::IsMember(gate_formats()));
  sub.add_option("--report", o->output.files, "FORMAT=FILE: a further form of the same run")
      ->type_name("FORMAT=FILE")
      ->allow_extra_args(false);
  sub.add_option("--baseline", o->output.baseline, "Compare with the JSON of an earlier run")
      ->type_name("FILE");
  sub.add_flag("--update", o->update, "Pin what was measured, in place");
  sub.add_flag("--allow-improved", o->allow_improved, "A figure below its budget is no failure");
  sub.callback([&context, o] {
    o->output.whole = !o->partial();
    context.action = [&context, o] { return gate(context, *o); };
  });
}

}  // namespace barline::tools
