// SPDX-License-Identifier: Apache-2.0
// `barline explain`: one config from the author's code to its resources.
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/error.h"
#include "tools/explain_page.h"
#include "tools/explanation.h"
#include "tools/file.h"
#include "verify/cadence/render.h"

namespace barline::tools {
namespace {

/// The target that is meant without --arch: sm_90a where the kernel has it, else its first.
std::string default_target(const Session& session, const std::string& name) {
  std::vector<Job> jobs = session.jobs({name}, "");
  for (const Job& job : jobs) {
    if (job.target == "sm_90a") return job.target;
  }
  return jobs.front().target;
}

struct ExplainOptions {
  std::string kernel, arch, svg, html;
};

/// Where sources that a library names by their place in its tree are looked for: the register's
/// folder, then here.
std::vector<std::filesystem::path> source_folders(const Session& session) {
  return {std::filesystem::path(session.source().path).parent_path(),
          std::filesystem::current_path()};
}

ExitCode run_explain(const Context& context, const ExplainOptions& o) {
  for (const std::string& file : {o.svg, o.html})
    if (!file.empty()) check_output(file);
  Session session(context);
  std::string target = o.arch.empty() ? default_target(session, o.kernel)
                                      : parse_targets(o.arch, session.registry()).front();
  Job job = expand_one(session.registry(), o.kernel, target);
  Explanation e = explain(session, job);
  if (!o.svg.empty()) write_file(o.svg, verify::cadence_svg(e.cadence));
  std::exception_ptr missing;
  try {
    add_resources(e, session, job);
  } catch (const codegen::MissingAssembler&) {
    missing = std::current_exception();  // the rest is shown all the same
  }
  if (!o.html.empty()) write_file(o.html, to_html(e, source_folders(session)));
  if (context.json) {
    print_json("explain", to_json(e));
  } else if (o.html.empty()) {
    print_out(to_text(e));
  }
  if (missing) std::rethrow_exception(missing);
  ExitCode code = ExitCode::Ok;
  for (const Explanation::OnTarget& on : e.targets) code = worse(code, on.result.code);
  return code;
}

}  // namespace

void add_explain(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(
      app, "explain",
      "A kernel from source to resources: IR, barriers, cadence, accesses, PTX, occupancy",
      "barline explain rms_norm.bf16@row256 --arch sm_90a");
  auto o = std::make_shared<ExplainOptions>();
  sub.add_option("kernel", o->kernel, "family[.type][@schedule]")->required();
  sub.add_option("--arch", o->arch, "The target whose PTX is shown; sm_90a when left out");
  sub.add_option("--html", o->html,
                 "Write all of it as one page: source beside IR, cadence, proof, resources");
  sub.add_option("--cadence-svg", o->svg, "Draw the timeline of the loops' barriers to this file");
  sub.callback(
      [&context, o] { context.action = [&context, o] { return run_explain(context, *o); }; });
}

}  // namespace barline::tools
