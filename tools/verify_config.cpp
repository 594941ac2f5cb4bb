// SPDX-License-Identifier: Apache-2.0
#include "tools/verify_config.h"

#include "ir/diagnostic.h"
#include "verify/gate/resource_row.h"

namespace barline::tools {

verify::LevelResult refuted(const verify::LevelInput& in, const std::string& witness) {
  verify::LevelResult r;
  r.kernel = in.kernel;
  r.schedule = in.schedule;
  r.target = in.target;
  r.verdict = verify::Verdict::Refuted;
  r.witness = witness;
  return r;
}

std::vector<verify::LevelResult> verify_config(const Session& session, const ConfigJob& config,
                                               int last) {
  const Job& job = config.job;
  verify::LevelInput in;
  in.kernel = verify::config_name(job.kernel->name, job.type, "");
  in.schedule = job.schedule->name;
  in.target = job.target;
  in.allow_unknown = job.kernel->allow_unknown;
  Subject subject;
  try {
    subject = make_subject(session, job);
  } catch (const ir::Error& e) {
    return {refuted(in, e.what())};
  }
  in.lowered = &subject.lowered;
  if (last >= 2) in.cases = sim_cases(subject, job.kernel->compare);
  std::vector<verify::LevelResult> once = verify::run_levels(last, in), out;
  for (const std::string& target : config.targets) {
    in.target = target;
    for (verify::LevelResult r : once) {
      if (r.level == 0 && target != job.target) r = verify::run_level(0, in);
      r.target = target;
      out.push_back(std::move(r));
    }
  }
  return out;
}

}  // namespace barline::tools
