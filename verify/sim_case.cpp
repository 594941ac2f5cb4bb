// SPDX-License-Identifier: Apache-2.0
#include "verify/sim_case.h"

#include <fmt/format.h>

namespace barline::verify {

std::vector<SimSchedule> sim_schedules(int random) {
  std::vector<SimSchedule> all{{WarpOrder::RoundRobin, 1}, {WarpOrder::Reverse, 1}};
  for (int i = 0; i < random; ++i)
    all.push_back({WarpOrder::Random, static_cast<std::uint64_t>(i) + 1});
  return all;
}

std::string to_string(const SimSchedule& s) {
  switch (s.order) {
    case WarpOrder::RoundRobin: return "round robin";
    case WarpOrder::Reverse: return "reverse";
    default: return fmt::format("random seed {}", s.seed);
  }
}

std::string compare_bits(const ir::Kernel& k, const Outputs& got, const Outputs& want) {
  std::size_t at = 0;
  for (const ir::Param& p : k.params) {
    if (!p.type.is_pointer()) continue;
    const ir::Tensor &a = got[at], &b = want[at];
    ++at;
    if (a.data == b.data) continue;
    std::size_t byte = 0;
    while (a.data[byte] == b.data[byte]) ++byte;
    auto element = static_cast<std::int64_t>(byte * 8) / ir::bits(p.type.elem);
    return fmt::format("{}[{}] differs", p.name, element);
  }
  return {};
}

SimOutcome run_case(const ir::Kernel& k, const SimCase& c, std::span<const SimSchedule> schedules,
                    const Outputs* expected) {
  SimOutcome outcome;
  for (const SimSchedule& schedule : schedules) {
    Outputs tensors = c.tensors;
    std::vector<SimArgument> arguments;
    std::size_t tensor = 0, scalar = 0;
    for (const ir::Param& p : k.params) {
      if (p.type.is_pointer())
        arguments.emplace_back(tensors.at(tensor++));
      else
        arguments.emplace_back(c.scalars.at(scalar++));
    }
    SimOptions options;
    options.order = schedule.order;
    options.seed = schedule.seed;
    SimReport report = simulate(k, arguments, c.axis_sizes, options);
    std::string where =
        fmt::format("{}{}{}", c.name, c.name.empty() ? "" : ", ", to_string(schedule));
    if (report.finding) {
      outcome.verdict = Verdict::Refuted;
      outcome.race = report.finding->kind == FindingKind::Race;
      outcome.witness = fmt::format("{} ({})", to_string(*report.finding), where);
      return outcome;
    }
    if (outcome.outputs.empty()) outcome.outputs = tensors;
    std::string wrong = c.compare
                            ? c.compare(tensors)
                            : compare_bits(k, tensors, expected ? *expected : outcome.outputs);
    if (!wrong.empty()) {
      outcome.verdict = Verdict::Refuted;
      outcome.mismatch = true;
      outcome.witness = fmt::format("{} ({})", wrong, where);
      return outcome;
    }
  }
  return outcome;
}

}  // namespace barline::verify
