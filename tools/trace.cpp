// SPDX-License-Identifier: Apache-2.0
#include "tools/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "ir/pipeline.h"
#include "runtime/regions/table.h"
#include "tools/error.h"
#include "tools/measure.h"
#include "tools/settings.h"

namespace barline::tools {
namespace {

constexpr int sim_launches = 3, device_launches = 20;

using Buffers = std::vector<std::vector<std::uint64_t>>;

std::vector<std::uint64_t> words_of(const ir::Tensor& t) {
  std::vector<std::uint64_t> words(static_cast<std::size_t>(t.count()));
  std::memcpy(words.data(), t.data.data(), words.size() * sizeof(std::uint64_t));
  return words;
}

const std::string& buffer_name() {
  static const std::string name(regions::parameter);
  return name;
}

void require(const Judgement& j, const Job& job) {
  if (!j.ok)
    throw Failure(fmt::format("{} with timing: {}; nothing was traced", job.config(), j.text));
}

/// A kernel that says where its time may go.
void require_regions(const Problem& timed, const Job& job) {
  if (timed.kernel.region_table.empty())
    throw UsageError(fmt::format(
        "{} has no regions; put t.region(name, Class::Work, [&] {{ .. }}) around its parts",
        job.config()));
}

void finish(Trace& t, std::vector<regions::Region> table, const Problem& timed,
            const Buffers& buffers) {
  const ir::Tensor& buffer = timed.tensors.at(buffer_name());
  std::size_t blocks = 1;
  for (std::size_t i = 0; i + 1 < buffer.shape.size(); ++i)
    blocks *= static_cast<std::size_t>(buffer.shape[i]);
  t.samples = regions::read_samples(std::move(table), blocks, buffers);
  t.reduced = regions::reduce(t.samples);
  std::vector<std::pair<double, std::size_t>> spans;
  for (std::size_t i = 0; i < t.samples.launches.size(); ++i)
    spans.emplace_back(t.samples.launches[i].span, i);
  std::sort(spans.begin(), spans.end());
  t.shown = spans[spans.size() / 2].second;
  t.path = regions::critical_path(t.samples, t.samples.launches[t.shown]);
}

/// The simulator's launches take its orders of warps and blocks in turn.
verify::SimOptions order_of(int launch, std::uint64_t seed) {
  verify::SimOptions o;
  o.order = launch == 0   ? verify::WarpOrder::RoundRobin
            : launch == 1 ? verify::WarpOrder::Reverse
                          : verify::WarpOrder::Random;
  o.seed = seed + static_cast<std::uint64_t>(launch);
  return o;
}

SimRun simulate_clean(const Problem& problem, const verify::SimOptions& options, const Job& job) {
  SimRun run = run_on_simulator(problem, options);
  if (run.report.finding)
    throw Failure(fmt::format("{}: {}", job.config(), verify::to_string(*run.report.finding)));
  return run;
}

void trace_on_simulator(Trace& t, const Job& job, const Problem& timed, const Problem& untimed,
                        const TraceOptions& o) {
  t.simulated = true;
  t.cost_unit = "warp steps";
  Buffers buffers;
  for (int i = 0; i < (o.launches ? o.launches : sim_launches); ++i) {
    const verify::SimOptions order = order_of(i, o.seed);
    SimRun run = simulate_clean(timed, order, job);
    const Judgement j = judge(timed, run.tensors, job.kernel->compare);
    require(j, job);
    t.verdict = j.text;
    buffers.push_back(words_of(run.tensors.at(buffer_name())));
    if (i > 0) continue;
    t.cost.timed = static_cast<double>(run.report.counts.warp_steps);
    t.cost.untimed =
        static_cast<double>(simulate_clean(untimed, order, job).report.counts.warp_steps);
  }
  ir::Kernel lowered = timed.kernel;
  ir::run_pipeline(lowered);
  finish(t, lowered.region_table, timed, buffers);
}

/// One launch a time, on copies of the operands that take turns so that none finds its weights in
/// the L2 cache.
class DeviceTrace {
 public:
  DeviceTrace(Session& session, const Job& job, const Problem& timed, const Problem& untimed,
              const driver::Device& device)
      : session_(session),
        job_(job),
        timed_(timed),
        untimed_(untimed),
        device_(device),
        runtime_(session.context().runtime) {}

  void run(Trace& t, int launches) {
    const jit::Prepared prepared = prepare(timed_);
    Buffers buffers;
    {
      DeviceProblem operands(device_, timed_, rotation(operand_bytes(timed_), {}));
      driver::Stream stream(device_);
      for (int i = 0; i < launches; ++i) {
        buffers.push_back(launch(operands, prepared, stream, i, t));
      }
    }
    t.cost.untimed = time_launches(device_, untimed_, prepare(untimed_), {}).median_us;
    t.cost.timed = time_launches(device_, timed_, prepared, {}).median_us;
    // The table comes with the code that wrote the samples.
    const runtime::Found found = find(timed_);
    finish(t, regions::parse_table(found.entry->metadata.extra_value(regions::metadata_name)),
           timed_, buffers);
  }

 private:
  jit::Prepared prepare(const Problem& p) {
    return runtime_.prepare(device_, session_.entry(job_), session_.elem(job_), p.config);
  }
  runtime::Found find(const Problem& p) {
    return runtime_.find({.entry = &session_.entry(job_),
                          .elem = session_.elem(job_),
                          .config = p.config,
                          .target = &jit::target_for(device_.info())});
  }

  std::vector<std::uint64_t> launch(DeviceProblem& operands, const jit::Prepared& prepared,
                                    const driver::Stream& stream, int i, Trace& t) {
    const int copy = i % operands.copies();
    operands.reset(copy, buffer_name());
    operands.launch(prepared, stream.handle(), copy);
    stream.synchronize();
    if (i == 0) {
      first_ = operands.download(copy);
      const Judgement j = judge(timed_, first_, job_.kernel->compare);
      require(j, job_);
      t.verdict = j.text;
    }
    for (const ir::Param& p : timed_.kernel.params)
      if (p.type.is_pointer() && p.access == ir::Access::Out &&
          operands.download(copy, p.name).data != first_.at(p.name).data)
        throw Failure(fmt::format("{}: launch {} gave other bits in '{}' than the first",
                                  job_.config(), i, p.name));
    return words_of(operands.download(copy, buffer_name()));
  }

  Session& session_;
  const Job& job_;
  const Problem &timed_, &untimed_;
  driver::Device device_;
  jit::Runtime runtime_;
  std::map<std::string, ir::Tensor> first_{};
};

}  // namespace

Trace make_trace(Session& session, const TraceOptions& o) {
  const bool sim = o.device == "sim";
  std::optional<driver::Device> device;
  if (!sim) device = open_device(session.context(), o.device, Elsewhere::Simulator);
  const std::string target = sim ? "sim" : std::string(jit::target_for(device->info()).name);
  const Job job = sim ? expand_for_simulator(session.registry(), o.kernel)
                      : expand_one(session.registry(), o.kernel, target);
  ProblemOptions options{.shape = !o.shape.empty() ? o.shape
                                  : sim            ? "sim"
                                                   : "decode",
                         .set = parse_settings(o.set),
                         .seed = o.seed,
                         .where = target};
  const Problem untimed = make_problem(session, job, options);
  options.timing = true;
  const Problem timed = make_problem(session, job, options);
  require_regions(timed, job);
  Trace t{.kernel = job.config(),
          .device = sim ? "sim" : device->info().name,
          .sizes = untimed.own_sizes()};
  if (sim)
    trace_on_simulator(t, job, timed, untimed, o);
  else
    DeviceTrace(session, job, timed, untimed, *device)
        .run(t, o.launches ? o.launches : device_launches);
  return t;
}

}  // namespace barline::tools
