// SPDX-License-Identifier: Apache-2.0
// `barline explain`: one config from the author's code to its resources.
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/error.h"
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

ExitCode run_explain(const Context& context, const std::string& name, const std::string& arch,
                     const std::string& svg) {
  if (!svg.empty()) check_output(svg);
  Session session(context);
  std::string target = arch.empty() ? default_target(session, name)
                                    : parse_targets(arch, session.registry()).front();
  Job job = expand_one(session.registry(), name, target);
  Explanation e = explain(session, job);
  if (!svg.empty()) write_file(svg, verify::cadence_svg(e.cadence));
  std::exception_ptr missing;
  try {
    add_resources(e, session, job);
  } catch (const codegen::MissingPtxas&) {
    missing = std::current_exception();  // the rest is shown all the same
  }
  if (context.json) {
    print_json("explain", to_json(e));
  } else {
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
  auto name = std::make_shared<std::string>(), arch = std::make_shared<std::string>(),
       svg = std::make_shared<std::string>();
  sub.add_option("kernel", *name, "family[.type][@schedule]")->required();
  sub.add_option("--arch", *arch, "The target whose PTX is shown; sm_90a when left out");
  sub.add_option("--cadence-svg", *svg, "Draw the timeline of the loops' barriers to this file");
  sub.callback([&context, name, arch, svg] {
    context.action = [&context, name, arch, svg] {
      return run_explain(context, *name, *arch, *svg);
    };
  });
}

}  // namespace barline::tools
