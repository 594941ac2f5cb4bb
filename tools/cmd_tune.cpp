// SPDX-License-Identifier: Apache-2.0
// `barline tune`: the fastest schedule of a kernel for each shape, out of the space that the gate,
// the proof and an SM admit. What it finds is kept in the cache and, where asked, as YAML.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <filesystem>

#include "runtime/jit/tuned_store.h"
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/error.h"
#include "tools/file.h"
#include "tools/subject.h"
#include "tools/tune_report.h"
#include "tools/tune_results.h"
#include "tools/tuned_file.h"

namespace barline::tools {
namespace {

struct Options {
  std::string kernel, device = "cuda:0", arch, write;
  std::vector<std::string> shapes, from;
  TuneOptions tune{};
  MeasureOptions measure{};
  bool dry_run = false, no_proof = false;
};

/// The jobs of one kernel, one type and one target.
std::vector<Job> jobs_of(const Session& session, const Options& o, const std::string& target) {
  std::vector<Job> jobs = session.jobs({o.kernel}, target);
  std::string type = jobs.front().type;
  std::erase_if(jobs, [&](const Job& j) { return j.type != type; });
  return jobs;
}

std::vector<verify::Shape> shapes_of(const Job& job, const Options& o) {
  std::vector<verify::Shape> shapes;
  for (const std::string& name : o.shapes) {
    const verify::Shape* shape = job.kernel->shape(name);
    if (!shape)
      throw UsageError(
          fmt::format("kernel {} has no shape '{}' in the register", job.kernel->name, name));
    shapes.push_back(*shape);
  }
  if (!shapes.empty()) return shapes;
  for (const verify::Shape& shape : job.kernel->shapes)
    if (!is_sim_shape(shape.name)) shapes.push_back(shape);
  if (shapes.empty())
    throw UsageError(fmt::format(
        "kernel {} has no shape to tune at; give kernels.yaml one beside 'sim'", job.kernel->name));
  return shapes;
}

dsl::TunedRow row_of(const Job& job, const TunedShape& shape, const driver::DeviceInfo& device) {
  const Timed& best = shape.rows.front();
  dsl::TunedRow row;
  row.kernel = job.kernel->name;
  row.type = job.type;
  row.target = job.target;
  row.shape = shape.shape;
  row.sizes = shape.sizes;
  row.schedule = best.tried->candidate.schedule;
  row.us = best.time.median_us;
  row.us_min = best.time.min_us;
  row.us_max = best.time.max_us;
  row.device = device.name;
  row.driver = fmt::format("{}", device.driver_version);
  row.date = fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr)));
  return row;
}

/// The rows over those that the file already has.
void write_tuned(const std::string& path, const dsl::Tuned& rows) {
  if (path.empty()) return;
  dsl::Tuned all;
  if (std::filesystem::exists(path)) read_tuned(path, all);
  for (const dsl::TunedRow& row : rows.rows()) all.add(row);
  write_file(path, to_yaml(all));
}

nlohmann::ordered_json to_json(const std::vector<Tried>& space) {
  auto rows = nlohmann::ordered_json::array();
  for (const Tried& t : space) rows.push_back(to_json(t));
  return rows;
}

ExitCode dry_run(Session& session, const Options& o) {
  std::vector<Job> jobs = jobs_of(session, o, o.arch.empty() ? "sm_90a" : o.arch);
  std::vector<Tried> space = try_space(session, jobs, o.tune);
  auto stand = std::count_if(space.begin(), space.end(), [](const Tried& t) { return t.stands(); });
  if (session.context().json)
    print_json("tune", {{"target", jobs.front().target}, {"candidates", to_json(space)}});
  else
    print_out(table(space) + fmt::format("{} of {} candidates stand\n", stand, space.size()));
  return stand ? ExitCode::Ok : ExitCode::Failed;
}

ExitCode from_results(Session& session, const Options& o) {
  dsl::Tuned tuned;
  for (const std::string& file : o.from)
    read_results(file, o.arch.empty() ? "sm_90a" : o.arch, session, tuned);
  if (!o.kernel.empty()) {
    dsl::Tuned one;
    for (const dsl::TunedRow& r : tuned.rows())
      if (r.kernel == parse_kernel_name(o.kernel).family) one.add(r);
    tuned = one;
  }
  write_tuned(o.write, tuned);
  if (o.write.empty()) print_out(to_yaml(tuned));
  return tuned.rows().empty() ? ExitCode::Failed : ExitCode::Ok;
}

ExitCode tune(Session& session, const Context& context, const Options& o) {
  driver::Device device = open_device(context, o.device);
  jit::Runtime runtime(context.runtime);
  std::vector<Job> jobs = jobs_of(session, o, std::string(jit::target_for(device.info()).name));
  std::vector<Tried> space = try_space(session, jobs, o.tune);
  std::vector<Tried> out;
  for (const Tried& t : space)
    if (!t.stands()) out.push_back(t);
  if (!context.json && !out.empty()) print_out(table(out));
  dsl::Tuned tuned;
  auto shapes = nlohmann::ordered_json::array();
  ExitCode code = ExitCode::Ok;
  for (const verify::Shape& shape : shapes_of(jobs.front(), o)) {
    TunedShape timed = time_shape(session, device, runtime, space, shape, o.measure);
    if (context.json)
      shapes.push_back(to_json(timed));
    else
      print_out(table(timed));
    if (!timed.found()) {
      code = ExitCode::Failed;
      continue;
    }
    tuned.add(row_of(jobs.front(), timed, device.info()));
    jit::keep_tuned(session.cache(), tuned.rows().back());
    write_tuned(o.write, tuned);  // after each shape, so that what was measured is not lost
  }
  if (context.json)
    print_json("tune", {{"device", device.info().name},
                        {"target", jobs.front().target},
                        {"candidates", to_json(space)},
                        {"shapes", shapes}});
  return code;
}

ExitCode run(const Context& context, Options& o) {
  o.tune.proof = !o.no_proof;
  if (o.kernel.empty() && o.from.empty())
    throw UsageError("name the kernel to tune, as in barline tune qkv_w4a16 --shape m16");
  if (!o.write.empty()) check_output(o.write);
  Session session(context);
  if (!o.from.empty()) return from_results(session, o);
  return o.dry_run ? dry_run(session, o) : tune(session, context, o);
}

}  // namespace

void add_tune(CLI::App& app, Context& context) {
  CLI::App& sub =
      add_command(app, "tune", "Find the fastest schedule of a kernel for each shape",
                  "barline tune qkv_w4a16 --shape m16 --shape m64 --write bench/tuned/h200.yaml");
  auto o = std::make_shared<Options>();
  sub.add_option("kernel", o->kernel, "family[.type][@schedule]; the first type when left out");
  sub.add_option("--shape", o->shapes, "Shapes of the register; all but `sim*` when left out");
  sub.add_option("--device", o->device, "cuda:N");
  sub.add_flag("--dry-run", o->dry_run,
               "List the candidates with the filters' verdicts; needs no GPU");
  sub.add_option("--arch", o->arch, "Target of --dry-run and of results that name none (sm_90a)");
  sub.add_option("--write", o->write, "Write or update this YAML file of tuned schedules")
      ->type_name("FILE");
  sub.add_option("--from", o->from, "Take the fastest of recorded results of barline bench instead")
      ->type_name("FILE");
  sub.add_option("--moves", o->tune.space.moves, "Moves away from a registered schedule")
      ->check(CLI::Range(0, 3));
  sub.add_option("--limit", o->tune.limit, "Candidates at most")->check(CLI::Range(1, 100000));
  sub.add_option("--replays", o->measure.replays, "Timed replays of a finalist")
      ->check(CLI::Range(1, 10000));
  sub.add_flag("--no-proof", o->no_proof, "Time what the gate admits, proved or not");
  sub.add_flag("--any-order", o->tune.space.any_order,
               "Also schedules that sum in another order, whose bits differ from their seed's");
  sub.callback([&context, o] { context.action = [&context, o] { return run(context, *o); }; });
}

}  // namespace barline::tools
