// SPDX-License-Identifier: Apache-2.0
// `barline demo`: every kernel of the register through compiler, gate, proof, simulator and, where
// there is one, a GPU; one table that ends in one verdict.
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/compile_job.h"
#include "tools/error.h"
#include "tools/execute.h"
#include "tools/parallel.h"
#include "tools/progress.h"
#include "tools/verify_config.h"
#include "verify/gate/gate_report.h"

namespace barline::tools {
namespace {

/// One config: a line of the table.
struct Line {
  std::string config;
  std::vector<verify::GateRow> gate;  ///< one a target; empty without ptxas
  int targets = 0;
  std::vector<verify::LevelResult> levels;
  std::string gpu = "-";
  std::string gpu_fault{};
  bool ok = true;
};

/// The GPU of this machine with what a run on it needs. Runs are serial: a GPU is one device.
class Gpu {
 public:
  Gpu(Session& session, driver::Device device)
      : session_(session),
        device_(std::move(device)),
        target_(jit::target_for(device_.info()).name),
        runtime_(session.context().runtime) {}

  const std::string& name() const { return device_.info().name; }

  /// Runs the config on the shape `sim` and compares with the reference.
  void run(const ConfigJob& config, Line& line) {
    if (std::find(config.targets.begin(), config.targets.end(), target_) == config.targets.end())
      return;
    std::lock_guard lock(mutex_);
    try {
      const Job& job = config.job;
      Problem problem = make_problem(session_, job, {.where = target_});
      jit::Prepared prepared =
          runtime_.prepare(device_, session_.entry(job), session_.elem(job), problem.config);
      DeviceProblem on_device(device_, problem, 1);
      driver::Stream stream(device_);
      on_device.launch(prepared, stream.handle(), 0);
      stream.synchronize();
      Judgement j = judge(problem, on_device.download(0), job.kernel->compare);
      bool exact = job.kernel->compare.exact_at(target_);
      line.gpu = !j.ok ? "DIFFERS" : exact ? "EQUAL" : "WITHIN";
      if (!j.ok) line.gpu_fault = j.text;
    } catch (const std::exception& e) {
      line.gpu = "FAILED";
      line.gpu_fault = e.what();
    }
  }

 private:
  Session& session_;
  driver::Device device_;
  std::string target_;
  jit::Runtime runtime_;
  std::mutex mutex_;
};

std::unique_ptr<Gpu> find_gpu(Session& session) {
  try {
    return std::make_unique<Gpu>(session, open_device(session.context(), "cuda:0"));
  } catch (const MissingError& e) {
    session.context().note(e.what());
    return nullptr;
  }
}

std::unique_ptr<JobCompiler> find_compiler(Session& session) {
  try {
    return std::make_unique<JobCompiler>(session, JobOptions{.skeleton = true, .pinned = true});
  } catch (const codegen::MissingAssembler& e) {
    session.context().warn(e.what());
    return nullptr;
  }
}

void gate(const Session& session, JobCompiler& compiler, const std::string& assembler,
          const ConfigJob& config, Line& line) {
  std::vector<verify::ResourceRow> rows;
  for (const std::string& target : config.targets) {
    Job job = config.job;
    job.target = target;
    rows.push_back(compiler.compile(job).row);
  }
  line.gate = verify::judge(session.registry(), rows, {.assembler = assembler}).rows;
}

bool holds(const Line& line) {
  for (const verify::GateRow& row : line.gate)
    if (row.fails) return false;
  for (const verify::LevelResult& r : line.levels)
    if (!r.ok) return false;
  return line.gpu_fault.empty();
}

// ---- the table -----------------------------------------------------------------------------

/// One figure where all targets agree, else "24..32".
template <class Get>
std::string range(const std::vector<verify::GateRow>& rows, Get get) {
  int low = get(rows.front().measured), high = low;
  for (const verify::GateRow& row : rows) {
    low = std::min(low, get(row.measured));
    high = std::max(high, get(row.measured));
  }
  return low == high ? std::to_string(low) : fmt::format("{}..{}", low, high);
}

std::string gate_cell(const Line& line) {
  if (line.gate.empty()) return "NO PTXAS";
  verify::GateVerdict worst = verify::GateVerdict::Ok;
  for (const verify::GateRow& row : line.gate) worst = std::max(worst, row.verdict);
  return std::string(verify::name(worst));
}

std::string level_cell(const Line& line, int level) {
  verify::Verdict verdict = verify::Verdict::Proved;
  bool any = false;
  for (const verify::LevelResult& r : line.levels) {
    if (r.level != level) continue;
    verdict = any ? verify::worse(verdict, r.verdict) : r.verdict;
    any = true;
  }
  return any ? std::string(verify::name(verdict)) : "-";
}

std::string verdict_cell(const Line& line) {
  if (!line.ok) return "FAIL";
  return line.gate.empty() ? "INCOMPLETE" : "PASS";
}

using Resources = verify::ResourceRow;

std::array<std::string, 3> figures(const Line& line) {
  if (line.gate.empty()) return {"-", "-", "-"};
  return {range(line.gate, [](const Resources& m) { return m.registers; }),
          range(line.gate, [](const Resources& m) { return m.spills(); }),
          range(line.gate, [](const Resources& m) { return m.barriers; })};
}

constexpr const char* row_format =
    "{:<{}}  {:>7}  {:>9}  {:>6}  {:>8}  {:<9}  {:<9}  {:<9}  {:<9}  {:<7}  {}\n";

std::string table(const std::vector<Line>& lines) {
  std::size_t width = 6;
  for (const Line& line : lines) width = std::max(width, line.config.size());
  std::string out =
      fmt::format(fmt::runtime(row_format), "kernel", width, "targets", "registers", "spills",
                  "barriers", "gate", "structure", "proof", "simulator", "GPU", "verdict");
  for (const Line& line : lines) {
    auto [registers, spills, barriers] = figures(line);
    out += fmt::format(fmt::runtime(row_format), line.config, width, line.targets, registers,
                       spills, barriers, gate_cell(line), level_cell(line, 0), level_cell(line, 1),
                       level_cell(line, 2), line.gpu, verdict_cell(line));
  }
  return out;
}

/// The budgets that do not hold, targets with one reason together.
std::string gate_faults(const Line& line) {
  std::vector<std::pair<std::string, std::string>> found;  // reason, targets
  for (const verify::GateRow& row : line.gate) {
    if (!row.fails) continue;
    std::string reason = fmt::format("{} {}", verify::name(row.verdict), row.reason);
    auto same =
        std::find_if(found.begin(), found.end(), [&](auto& f) { return f.first == reason; });
    if (same == found.end()) same = found.insert(found.end(), {reason, ""});
    same->second += (same->second.empty() ? "" : ", ") + row.measured.target;
  }
  std::string out;
  for (const auto& [reason, targets] : found)
    out += fmt::format("{} on {}: {}\n", line.config, targets, reason);
  return out;
}

/// What is wrong, a line each, under the table.
std::string faults(const std::vector<Line>& lines) {
  std::string out;
  for (const Line& line : lines) {
    out += gate_faults(line);
    for (const verify::LevelResult& r : line.levels)
      if (!r.ok) out += verify::to_string(r) + "\n";
    if (!line.gpu_fault.empty())
      out += fmt::format("{} on the GPU: {}\n", line.config, line.gpu_fault);
  }
  return out;
}

nlohmann::ordered_json to_json(const Line& line) {
  nlohmann::ordered_json targets = nlohmann::ordered_json::array();
  for (const verify::GateRow& row : line.gate) {
    nlohmann::ordered_json r = verify::to_json(row.measured);
    r["verdict"] = verify::name(row.verdict);
    if (!row.reason.empty()) r["reason"] = row.reason;
    targets.push_back(std::move(r));
  }
  nlohmann::ordered_json out{{"kernel", line.config},
                             {"gate", gate_cell(line)},
                             {"structure", level_cell(line, 0)},
                             {"proof", level_cell(line, 1)},
                             {"simulator", level_cell(line, 2)},
                             {"gpu", line.gpu},
                             {"verdict", verdict_cell(line)}};
  out["targets"] = std::move(targets);
  return out;
}

ExitCode print(const Context& context, const std::vector<Line>& lines, const std::string& assembler,
               const std::string& gpu) {
  std::size_t good = 0;
  for (const Line& line : lines) good += line.ok;
  bool complete = !assembler.empty();
  ExitCode code = complete ? ExitCode::Ok : ExitCode::Missing;
  if (good < lines.size()) code = worse(code, ExitCode::Failed);
  const char* verdict = good < lines.size() ? "FAIL" : complete ? "PASS" : "INCOMPLETE";
  if (context.json) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const Line& line : lines) rows.push_back(to_json(line));
    print_json("demo",
               {{"verdict", verdict}, {"assembler", assembler}, {"gpu", gpu}, {"results", rows}});
    return code;
  }
  print_out(table(lines) + faults(lines) +
            fmt::format(
                "{}: {} of {} configs hold; {}; {}\n", verdict, good, lines.size(),
                complete ? assembler : "NO PTXAS, so no gate: `scripts/setup --ptxas` fetches one",
                gpu.empty() ? "no GPU: run on the simulator alone"
                            : "run on the simulator and on " + gpu));
  return code;
}

ExitCode demo(const Context& context, const std::vector<std::string>& names) {
  Session session(context);
  std::vector<ConfigJob> configs = by_config(session.jobs(names, ""));
  std::unique_ptr<JobCompiler> compiler = find_compiler(session);
  std::string assembler = compiler ? session.ptxas().release() : "";
  std::unique_ptr<Gpu> gpu = compiler ? find_gpu(session) : nullptr;
  std::vector<Line> lines(configs.size());
  {
    Progress progress(context, "demo", configs.size());
    for_each_parallel(context.threads(), configs.size(), [&](std::size_t i) {
      Line& line = lines[i];
      line.config = configs[i].job.config();
      line.targets = static_cast<int>(configs[i].targets.size());
      if (compiler) gate(session, *compiler, assembler, configs[i], line);
      line.levels = verify_config(session, configs[i], verify::top_level);
      if (gpu) gpu->run(configs[i], line);
      line.ok = holds(line);
      progress.step(line.config);
    });
  }
  return print(context, lines, assembler, gpu ? gpu->name() : "");
}

}  // namespace

void add_demo(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(
      app, "demo", "Compile, gate, prove and run every kernel; one table that ends in PASS",
      "barline demo");
  auto names = std::make_shared<std::vector<std::string>>();
  sub.add_option("kernels", *names, "family[.type][@schedule]; all when left out");
  sub.callback(
      [&context, names] { context.action = [&context, names] { return demo(context, *names); }; });
}

}  // namespace barline::tools
