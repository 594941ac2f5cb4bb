// SPDX-License-Identifier: Apache-2.0
#include "tools/subject.h"

#include <fmt/format.h>

#include "ir/pipeline.h"

namespace barline::tools {

std::vector<ConfigJob> by_config(const std::vector<Job>& jobs) {
  std::vector<ConfigJob> out;
  for (const Job& job : jobs) {
    auto same = std::find_if(out.begin(), out.end(), [&](const ConfigJob& c) {
      return c.job.kernel == job.kernel && c.job.schedule == job.schedule && c.job.type == job.type;
    });
    if (same == out.end()) same = out.insert(out.end(), {job, {}});
    same->targets.push_back(job.target);
  }
  return out;
}

Subject make_subject(const Session& session, const Job& job) {
  Subject s;
  std::vector<std::string> shapes;
  for (const verify::Shape& shape : job.kernel->shapes)
    if (is_sim_shape(shape.name) && (shape.name == "sim" || fits_multiples(session, job, shape)))
      shapes.push_back(shape.name);
  if (shapes.empty()) shapes.push_back("sim");
  for (const std::string& shape : shapes) {
    Problem p = make_problem(session, job, {.shape = shape});
    bool known = std::any_of(s.problems.begin(), s.problems.end(),
                             [&](const Problem& q) { return q.sizes == p.sizes; });
    if (!known) s.problems.push_back(std::move(p));
  }
  s.lowered = s.problems.front().kernel;
  ir::run_pipeline(s.lowered);
  return s;
}

namespace {

verify::SimCase sim_case(const Subject& subject, const Problem& p,
                         const verify::CompareRule& rule) {
  verify::SimCase c;
  for (const auto& [name, size] : p.own_sizes()) {
    c.name += fmt::format("{}{}={}", c.name.empty() ? "" : " ", name, size);
  }
  std::vector<std::string> names;
  for (const ir::Param& param : subject.lowered.params) {
    if (param.type.is_pointer()) {
      c.tensors.push_back(p.tensors.at(param.name));
      names.push_back(param.name);
    } else {
      c.scalars.push_back(p.scalar(param));
    }
  }
  c.axis_sizes = p.axis_sizes();
  c.compare = [&p, rule, names](const verify::Outputs& outputs) {
    std::map<std::string, ir::Tensor> got;
    for (std::size_t i = 0; i < names.size(); ++i) got[names[i]] = outputs[i];
    Judgement j = judge(p, got, rule);
    return j.ok ? std::string() : j.text;
  };
  return c;
}

}  // namespace

std::vector<verify::SimCase> sim_cases(const Subject& subject, const verify::CompareRule& rule) {
  std::vector<verify::SimCase> cases;
  for (const Problem& p : subject.problems) cases.push_back(sim_case(subject, p, rule));
  return cases;
}

}  // namespace barline::tools
