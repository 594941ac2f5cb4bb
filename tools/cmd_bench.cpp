// SPDX-License-Identifier: Apache-2.0
// `barline bench`: graph-timed medians on a GPU beside the device's copy rate measured in the same
// run. A row is timed only after its result was compared with the reference.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <deque>
#include <filesystem>
#include <future>

#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/error.h"
#include "tools/file.h"
#include "tools/host_figures.h"
#include "tools/measure.h"
#include "tools/progress.h"
#include "tools/subject.h"

namespace barline::tools {
namespace {

struct BenchOptions {
  std::vector<std::string> kernels, notes;
  std::string device = "cuda:0", json_file;
  int replays = 50, repeat = 3;
  bool host = false;
};

struct Row {
  std::string kernel, shape, sizes, verdict, comparison;
  Timing time;
  double bytes = 0, copy_gbs = 0, flops = 0;
  std::uint32_t registers = 0;
  double gbs() const { return bytes / time.median_us / 1e3; }
  double tflops() const { return flops / time.median_us / 1e6; }
  double share() const { return copy_gbs > 0 ? gbs() / copy_gbs : 0; }
};

nlohmann::ordered_json to_json(const Row& r) {
  nlohmann::ordered_json row{{"kernel", r.kernel},
                             {"shape", r.shape},
                             {"sizes", r.sizes},
                             {"verdict", r.verdict},
                             {"comparison", r.comparison},
                             {"registers", r.registers},
                             {"us", r.time.median_us},
                             {"us_min", r.time.min_us},
                             {"us_max", r.time.max_us},
                             {"copies", r.time.copies},
                             {"launches", r.time.launches},
                             {"bytes", r.bytes},
                             {"gb_per_s", r.gbs()},
                             {"copy_gb_per_s", r.copy_gbs},
                             {"share_of_copy", r.share()}};
  if (r.flops > 0) {
    row["flops"] = r.flops;
    row["tflop_per_s"] = r.tflops();
  }
  return row;
}

class Bench {
 public:
  Bench(Context& context, const BenchOptions& o)
      : o_(o),
        session_(context),
        device_(open_device(context, o.device)),
        runtime_(context.runtime) {}

  /// Problems are made ahead on the host's threads: a reference takes longer than its kernel.
  void run() {
    std::string target(jit::target_for(device_.info()).name);
    std::vector<std::pair<Job, std::string>> work;
    for (const Job& job : session_.jobs(o_.kernels, target))
      for (const verify::Shape& shape : job.kernel->shapes)
        if (fits(job, shape)) work.emplace_back(job, shape.name);
    std::deque<std::future<Problem>> ahead;
    std::size_t next = 0, window = static_cast<std::size_t>(session_.context().threads());
    for (const auto& [job, shape] : work) {
      for (; next < work.size() && ahead.size() < window; ++next)
        ahead.push_back(std::async(std::launch::async, [this, &target, &w = work[next]] {
          return make_problem(session_, w.first, {.shape = w.second, .where = target});
        }));
      Problem problem = ahead.front().get();
      ahead.pop_front();
      rows_.push_back(measure(job, shape, problem));
    }
  }

  /// Host-side figures of each named kernel at its first shape.
  nlohmann::ordered_json host_figures(const Context& context) {
    auto out = nlohmann::ordered_json::array();
    std::string target(jit::target_for(device_.info()).name);
    for (const std::string& name : o_.kernels) {
      Job job = expand_one(session_.registry(), name, target);
      Problem problem = make_problem(session_, job, {});
      HostFigures f = measure_host(context, device_, session_, job, problem,
                                   std::filesystem::temp_directory_path(), 9);
      out.push_back({{"kernel", job.config()},
                     {"cold_jit_ms", f.cold_jit_ms},
                     {"warm_disk_ms", f.warm_disk_ms},
                     {"warm_entry_ms", f.warm_entry_ms},
                     {"memory_hit_us", f.memory_hit_us},
                     {"launch_us", f.launch_us},
                     {"driver_launch_us", f.driver_launch_us},
                     {"launch_above_driver_us", f.launch_us - f.driver_launch_us}});
    }
    return out;
  }

  const std::vector<Row>& rows() const { return rows_; }
  const driver::DeviceInfo& device() const { return device_.info(); }

 private:
  /// A shape of another bound size, or of sizes that are no multiple, is not this schedule's.
  bool fits(const Job& job, const verify::Shape& shape) const {
    if (is_sim_shape(shape.name)) return false;
    for (const verify::Dim& bound : job.schedule->dims)
      for (const verify::Dim& d : shape.dims)
        if (d.name == bound.name && d.value != bound.value) return false;
    return fits_multiples(session_, job, shape);
  }

  Row measure(const Job& job, const std::string& shape, const Problem& problem) {
    Row row;
    row.kernel = job.config();
    row.shape = shape;
    for (const auto& [name, n] : problem.own_sizes())
      row.sizes += fmt::format("{}{}={}", row.sizes.empty() ? "" : " ", name, n);
    jit::Prepared prepared =
        runtime_.prepare(device_, session_.entry(job), session_.elem(job), problem.config);
    row.registers = prepared.metadata().registers;
    check(job, problem, prepared, row);
    MeasureOptions options{.replays = o_.replays};
    row.time = time_launches(device_, problem, prepared, options);
    const dsl::KernelEntry& entry = session_.entry(job);
    if (entry.flops) row.flops = entry.flops(session_.elem(job), problem.sizes);
    if (entry.bytes) {
      row.bytes = entry.bytes(session_.elem(job), problem.sizes);
      row.copy_gbs = copy_rate(device_, runtime_,
                               static_cast<std::size_t>(row.bytes / 2) / 16 * 16 + 16, options);
    }
    return row;
  }

  void check(const Job& job, const Problem& problem, const jit::Prepared& prepared, Row& row) {
    DeviceProblem on_device(device_, problem, 1);
    driver::Stream stream(device_);
    row.verdict = "PASS";
    for (int i = 0; i < o_.repeat; ++i) {
      if (i > 0) on_device.reset(0);
      on_device.launch(prepared, stream.handle(), 0);
      stream.synchronize();
      Judgement j = judge(problem, on_device.download(0), job.kernel->compare);
      row.comparison = j.text;
      if (!j.ok) row.verdict = "FAIL";
    }
  }

  const BenchOptions& o_;
  Session session_;
  driver::Device device_;
  jit::Runtime runtime_;
  std::vector<Row> rows_;
};

nlohmann::ordered_json document(const Bench& bench, const BenchOptions& o) {
  nlohmann::ordered_json doc{
      {"schema", "barline.bench/1"},
      {"device", bench.device().name},
      {"driver", bench.device().driver_version},
      {"date", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))}};
  for (const std::string& note : o.notes) {
    std::size_t eq = note.find('=');
    if (eq == note.npos) throw UsageError(fmt::format("--note '{}': write name=value", note));
    doc[note.substr(0, eq)] = note.substr(eq + 1);
  }
  doc["rows"] = nlohmann::ordered_json::array();
  for (const Row& r : bench.rows()) doc["rows"].push_back(to_json(r));
  return doc;
}

ExitCode run_bench(Context& context, const BenchOptions& o) {
  Bench bench(context, o);
  if (!o.host) bench.run();
  nlohmann::ordered_json doc = document(bench, o);
  if (o.host) {
    doc["host"] = bench.host_figures(context);
    if (!context.json) print_out(doc["host"].dump(1) + "\n");
  }
  if (!o.json_file.empty()) write_file(o.json_file, doc.dump(1) + "\n");
  if (context.json) print_json("bench", doc);
  bool ok = true;
  for (const Row& r : bench.rows()) {
    ok = ok && r.verdict == "PASS";
    if (!context.json)
      print_out(fmt::format(
          "{:<36} {:<22} {}  {:>3} regs {:>8.2f} us ({:.2f}..{:.2f})  {:>5.0f} GB/s  "
          "{:>3.0f} % of copy {:.0f}{}  {}\n",
          r.kernel, r.sizes, r.verdict, r.registers, r.time.median_us, r.time.min_us, r.time.max_us,
          r.gbs(), 100 * r.share(), r.copy_gbs,
          r.flops > 0 ? fmt::format("  {:.1f} TFLOP/s", r.tflops()) : "", r.comparison));
  }
  return ok ? ExitCode::Ok : ExitCode::Failed;
}

}  // namespace

void add_bench(CLI::App& app, Context& context) {
  CLI::App& sub =
      add_command(app, "bench", "Time kernels on a GPU, each compared with its reference first",
                  "barline bench rms_norm.bf16 --device cuda:0 --json rows.json");
  auto o = std::make_shared<BenchOptions>();
  sub.add_option("kernels", o->kernels, "family[.type][@schedule]; all when left out");
  sub.add_option("--device", o->device, "cuda:N");
  sub.add_option("--json-file", o->json_file, "Write the rows to this file")->type_name("FILE");
  sub.add_option("--note", o->notes, "name=value, kept in the file (a commit, say)");
  sub.add_flag("--host", o->host,
               "Host time instead: cold compile, warm start, launch, of the named kernels");
  sub.add_option("--replays", o->replays, "Timed replays of a row's graph; the median counts")
      ->check(CLI::Range(1, 10000));
  sub.add_option("--repeat", o->repeat, "Compared runs before timing")->check(CLI::Range(1, 1000));
  sub.callback(
      [&context, o] { context.action = [&context, o] { return run_bench(context, *o); }; });
}

}  // namespace barline::tools
