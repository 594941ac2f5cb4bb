// SPDX-License-Identifier: Apache-2.0
#include "tools/tune_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "runtime/jit/signature.h"
#include "tools/progress.h"

namespace barline::tools {
namespace {

constexpr int quick_replays = 9;
constexpr std::size_t finalists = 5;

/// What two candidates must have in common to run on the same operands against one reference.
std::string operands_of(const Tried& t, const ir::Kernel& kernel) {
  std::string signature = runtime::to_text(jit::signature_of(kernel));
  return signature.substr(0, signature.find('|')) + "|" + order_class(t.config.schedule);
}

bool takes(const Tried& t, const ir::Kernel& kernel, const verify::Shape& shape) {
  for (const auto& [axis, bound] : t.config.dims)
    for (const verify::Dim& d : shape.dims)
      if (d.name == axis && d.value != bound) return false;
  return fits_multiples(kernel, shape);
}

/// Candidates that share operands, with these on the device.
class Group {
 public:
  Group(Session& session, const driver::Device& device, jit::Runtime& runtime,
        const std::vector<const Tried*>& members, const std::string& shape,
        const MeasureOptions& options)
      : session_(session),
        device_(device),
        runtime_(runtime),
        options_(options),
        job_(members.front()->job),
        problem_(make_problem(
            session, job_,
            {.shape = shape, .where = job_.target, .schedule = &members.front()->config.schedule})),
        operands_(device, problem_, rotation(operand_bytes(problem_), options)) {}

  dsl::Sizes sizes() const { return problem_.own_sizes(); }

  Timed time(const Tried& t, int replays) {
    Timed out{.tried = &t};
    try {
      jit::Prepared prepared =
          runtime_.prepare(device_, session_.entry(job_), session_.elem(job_), t.config);
      out.why = wrong(prepared);
      MeasureOptions o = options_;
      o.replays = replays;
      if (out.why.empty()) out.time = time_launches(device_, operands_, prepared, o);
    } catch (const std::exception& e) {
      out.why = e.what();
    }
    return out;
  }

 private:
  std::string wrong(const jit::Prepared& prepared) {
    operands_.reset(0);
    driver::Stream stream(device_);
    operands_.launch(prepared, stream.handle(), 0);
    stream.synchronize();
    Judgement j = judge(problem_, operands_.download(0), job_.kernel->compare);
    return j.ok ? std::string() : "wrong: " + j.text;
  }

  Session& session_;
  const driver::Device& device_;
  jit::Runtime& runtime_;
  const MeasureOptions& options_;
  const Job& job_;
  Problem problem_;
  DeviceProblem operands_;
};

bool faster(const Timed& a, const Timed& b) {
  if (a.why.empty() != b.why.empty()) return a.why.empty();
  return a.time.median_us < b.time.median_us;
}

}  // namespace

TunedShape time_shape(Session& session, const driver::Device& device, jit::Runtime& runtime,
                      const std::vector<Tried>& space, const verify::Shape& shape,
                      const MeasureOptions& options) {
  TunedShape out{.shape = shape.name};
  std::map<std::string, std::vector<const Tried*>> groups;
  for (const Tried& t : space) {
    if (!t.stands()) continue;
    ir::Kernel kernel = dsl::instantiate(session.entry(t.job).make(session.elem(t.job)), t.config);
    if (takes(t, kernel, shape)) groups[operands_of(t, kernel)].push_back(&t);
  }
  std::size_t total = 0;
  for (const auto& [key, members] : groups) total += members.size();
  Progress progress(session.context(), "time " + shape.name, total);
  for (const auto& [key, members] : groups) {
    Group group(session, device, runtime, members, shape.name, options);
    out.sizes = group.sizes();
    std::vector<Timed> rows;
    for (const Tried* t : members) {
      rows.push_back(group.time(*t, quick_replays));
      progress.step(t->config.label);
    }
    std::sort(rows.begin(), rows.end(), faster);
    for (std::size_t i = 0; i < std::min(rows.size(), finalists); ++i)
      if (rows[i].why.empty()) rows[i] = group.time(*rows[i].tried, options.replays);
    out.rows.insert(out.rows.end(), rows.begin(), rows.end());
  }
  std::stable_sort(out.rows.begin(), out.rows.end(), faster);
  return out;
}

}  // namespace barline::tools
