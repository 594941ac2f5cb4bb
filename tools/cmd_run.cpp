// SPDX-License-Identifier: Apache-2.0
// `barline run`: one kernel on real or generated input, on the simulator or a GPU, compared with
// its reference.
#include <fmt/format.h>

#include <chrono>

#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/error.h"
#include "tools/execute.h"
#include "tools/measure.h"
#include "tools/npy.h"
#include "tools/settings.h"

namespace barline::tools {
namespace {

struct RunOptions {
  std::string kernel, device = "sim", shape = "sim";
  std::vector<std::string> set, in, out;
  std::uint64_t seed = 1;
  int repeat = 1;
  bool debug = false, untimed = false;
};

ProblemOptions problem_options(const RunOptions& o) {
  ProblemOptions p{.shape = o.shape, .set = parse_settings(o.set), .seed = o.seed};
  for (const std::string& s : o.in) p.in.insert(name_and_value(s, "--in"));
  return p;
}

struct Outcome {
  std::map<std::string, ir::Tensor> tensors;
  double us = 0;
  std::string detail;   ///< races, blocks; or registers and cache
  std::string finding;  ///< the simulator's, if any
  std::vector<std::vector<std::int64_t>> writers;
};

Outcome simulate(const Problem& problem, const RunOptions& o) {
  verify::SimOptions options;
  options.seed = o.seed;
  options.record_writers = true;
  options.print = [](std::string_view line) { fmt::print(stderr, "{}\n", line); };
  auto start = std::chrono::steady_clock::now();
  SimRun run = run_on_simulator(problem, options);
  Outcome out;
  out.tensors = std::move(run.tensors);
  out.us =
      std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  const verify::SimCounts& n = run.report.counts;
  out.detail =
      fmt::format("{} blocks, {} lane operations, {} barriers", n.blocks, n.lane_ops, n.barriers);
  if (run.report.finding) out.finding = verify::to_string(*run.report.finding);
  out.writers = std::move(run.report.writers);
  return out;
}

Outcome launch(Session& session, const Job& job, const Problem& problem, const RunOptions& o) {
  driver::Device device = open_device(session.context(), o.device, Elsewhere::Simulator);
  jit::Runtime runtime(session.context().runtime);
  dsl::Config config = problem.config;
  jit::Prepared prepared = runtime.prepare(device, session.entry(job), session.elem(job), config);
  DeviceProblem on_device(device, problem, 1);
  driver::Stream stream(device);
  on_device.launch(prepared, stream.handle(), 0);
  stream.synchronize();
  Outcome out;
  out.tensors = on_device.download(0);
  // Every repetition from the same input gives the same bits.
  for (int i = 1; i < o.repeat; ++i) {
    on_device.reset(0);
    on_device.launch(prepared, stream.handle(), 0);
    stream.synchronize();
    auto again = on_device.download(0);
    for (const auto& [name, t] : again)
      if (t.data != out.tensors.at(name).data)
        throw Failure(fmt::format("{}: run {} gave other bits in '{}' than the first", job.config(),
                                  i + 1, name));
  }
  if (!o.untimed) out.us = time_launches(device, problem, prepared, {}).median_us;
  out.detail = fmt::format("{}, {} registers", device.info().name, prepared.metadata().registers);
  return out;
}

int run_exit(const Judgement& j, const Outcome& out) { return j.ok && out.finding.empty() ? 0 : 1; }

std::string writer_of(const Problem& problem, const Outcome& out, const Judgement& j) {
  for (std::size_t i = 0; i < problem.kernel.params.size() && i < out.writers.size(); ++i) {
    if (problem.kernel.params[i].name != j.tensor || j.index < 0 || out.writers[i].empty())
      continue;
    std::int64_t w = out.writers[i].at(static_cast<std::size_t>(j.index));
    if (w < 0) return ", written by no thread";
    int n = problem.kernel.launch.block_threads();
    return fmt::format(", written by thread {} of block {}", w % n, w / n);
  }
  return {};
}

ExitCode run(Context& context, const RunOptions& o) {
  Session session(context);
  bool sim = o.device == "sim";
  ProblemOptions options = problem_options(o);
  if (!sim)
    options.where =
        jit::target_for(open_device(context, o.device, Elsewhere::Simulator).info()).name;
  Job job = sim ? expand_for_simulator(session.registry(), o.kernel)
                : expand_one(session.registry(), o.kernel, options.where);
  Problem problem = make_problem(session, job, options);
  if (o.debug) {
    problem.kernel.debug = true;
    problem.config.debug = true;
  }
  Outcome out = sim ? simulate(problem, o) : launch(session, job, problem, o);
  Judgement j = judge(problem, out.tensors, job.kernel->compare);
  if (!j.ok) j.text += writer_of(problem, out, j);
  for (const std::string& s : o.out) {
    auto [name, file] = name_and_value(s, "--out");
    auto t = out.tensors.find(name);
    if (t == out.tensors.end())
      throw UsageError(fmt::format("--out {}: the kernel has no tensor of that name", name));
    write_npy(file, t->second);
  }
  auto per_second = [&](const dsl::SizedFigure& of, double unit) {
    return of && out.us > 0 ? of(session.elem(job), problem.sizes) / out.us / unit : 0;
  };
  double gbs = per_second(session.entry(job).bytes, 1e3);
  double tflops = per_second(session.entry(job).flops, 1e6);
  const char* verdict = run_exit(j, out) == 0 ? "PASS" : "FAIL";
  if (context.json) {
    nlohmann::ordered_json row{
        {"kernel", job.config()}, {"device", o.device},   {"sizes", problem.own_sizes()},
        {"verdict", verdict},     {"comparison", j.text}, {"us", out.us},
        {"gb_per_s", gbs},        {"detail", out.detail}};
    if (tflops > 0) row["tflop_per_s"] = tflops;
    if (!out.finding.empty()) row["finding"] = out.finding;
    print_json("run", row);
  } else {
    std::string sizes, rates;
    if (!sim) rates = fmt::format("  {:.0f} GB/s", gbs);
    if (!sim && tflops > 0) rates += fmt::format("  {:.1f} TFLOP/s", tflops);
    for (const auto& [name, n] : problem.own_sizes()) sizes += fmt::format(" {}={}", name, n);
    print_out(fmt::format("{} on {}{}: {}  {}  {:.1f} us{}  ({})\n", job.config(), o.device, sizes,
                          verdict, j.text, out.us, rates, out.detail));
    if (!out.finding.empty()) print_out(out.finding + "\n");
  }
  return run_exit(j, out) == 0 ? ExitCode::Ok : ExitCode::Failed;
}

}  // namespace

void add_run(CLI::App& app, Context& context) {
  CLI::App& sub =
      add_command(app, "run", "Run a kernel and compare it with its reference",
                  "barline run rms_norm.bf16 --device sim --set rows=3 --set d=100 --out y=y.npy");
  auto o = std::make_shared<RunOptions>();
  sub.add_option("kernel", o->kernel, "family[.type][@schedule]")->required();
  sub.add_option("--device", o->device, "sim, or cuda:N");
  sub.add_option("--shape", o->shape, "A shape of kernels.yaml");
  sub.add_option("--set", o->set, "dim=value or scalar=value");
  sub.add_option("--in", o->in, "name=file.npy");
  sub.add_option("--out", o->out, "name=file.npy");
  sub.add_option("--seed", o->seed, "Of the generated input");
  sub.add_option("--repeat", o->repeat, "Runs on a GPU; every one must give the same bits")
      ->check(CLI::PositiveNumber);
  sub.add_flag("--no-timing", o->untimed, "Launch once (for a memory checker, say)");
  sub.add_flag("--debug", o->debug, "Keep the kernel's print and check");
  sub.callback([&context, o] { context.action = [&context, o] { return run(context, *o); }; });
}

}  // namespace barline::tools
