// SPDX-License-Identifier: Apache-2.0
// `barline trace`: a kernel built with its regions timed; what each took, what the end waited for.
#include <fmt/format.h>

#include <filesystem>

#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/error.h"
#include "tools/file.h"
#include "tools/trace_report.h"

namespace barline::tools {
namespace {

void write_results(const Trace& trace, const std::string& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (!std::filesystem::is_directory(dir))
    throw UsageError(
        fmt::format("--out {}: no folder can be made there; choose another place", dir));
  write_file(dir + "/regions.json", to_json(trace).dump(1) + "\n");
  write_file(dir + "/trace.json", trace_events(trace).dump() + "\n");
  write_file(dir + "/trace.svg", timeline_svg(trace));
}

ExitCode run_trace(const Context& context, const TraceOptions& o) {
  Session session(context);
  const Trace trace = make_trace(session, o);
  write_results(trace, o.out);
  if (context.json)
    print_json("trace", to_json(trace));
  else
    print_out(table(trace));
  return ExitCode::Ok;
}

}  // namespace

void add_trace(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(
      app, "trace", "Time the regions of a kernel block by block: table, timeline, critical path",
      "barline trace wo_nvfp4_producer@cta128_wo_split8 --device cuda:0 --out trace");
  auto o = std::make_shared<TraceOptions>();
  sub.add_option("kernel", o->kernel, "family[.type][@schedule]")->required();
  sub.add_option("--device", o->device, "sim, or cuda:N");
  sub.add_option("--shape", o->shape,
                 "A shape of kernels.yaml; sim on the simulator and decode on a GPU when left out");
  sub.add_option("--set", o->set, "dim=value or scalar=value");
  sub.add_option("--launches", o->launches,
                 "Traced launches; 3 on the simulator (in three orders) and 20 on a GPU")
      ->check(CLI::Range(1, 10000));
  sub.add_option("--seed", o->seed, "Of the generated input");
  sub.add_option("--out", o->out, "Folder of the results (trace)")->type_name("DIR");
  sub.callback(
      [&context, o] { context.action = [&context, o] { return run_trace(context, *o); }; });
}

}  // namespace barline::tools
