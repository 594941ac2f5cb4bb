// SPDX-License-Identifier: Apache-2.0
// `barline doctor`: what this machine has of what barline needs, and how to get the rest.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/doctor.h"
#include "tools/session.h"

namespace barline::tools {

std::string_view name(Health health) {
  switch (health) {
    case Health::Ok: return "ok";
    case Health::Warn: return "warn";
    case Health::Fail: return "FAIL";
  }
  return "";
}

Checks examine(const Context& context) {
  Checks out;
  std::optional<Session> session;
  try {
    session.emplace(context);
  } catch (...) {
    ExitReport report = report_of(std::current_exception());
    out.push_back({.name = "register",
                   .health = Health::Fail,
                   .detail = report.message,
                   .why = "it names kernels, targets and budgets",
                   .fix = "mend what the line says, or name another with --registry",
                   .code = report.code});
  }
  Session* found = session ? &*session : nullptr;
  check_build(context, found, out);
  check_assembler(found, out);
  check_cache(context, out);
  check_machine(context, out);
  check_gpus(context, found, out);
  check_hosts(context, out);
  return out;
}

namespace {

std::string text_of(const Check& c, bool verbose) {
  std::string out = fmt::format("{:<13} {:<5} {}\n", c.name, name(c.health), c.detail);
  bool bad = c.health != Health::Ok;
  if (bad || verbose) out += fmt::format("{:<19} why: {}\n", "", c.why);
  if (bad) out += fmt::format("{:<19} fix: {}\n", "", c.fix);
  return out;
}

ExitCode doctor(const Context& context) {
  Checks checks = examine(context);
  ExitCode code = ExitCode::Ok;
  auto rows = nlohmann::ordered_json::array();
  std::string out;
  for (const Check& c : checks) {
    if (c.health == Health::Fail) code = worse(code, c.code);
    rows.push_back({{"name", c.name},
                    {"health", c.health == Health::Fail ? "fail" : name(c.health)},
                    {"detail", c.detail},
                    {"why", c.why},
                    {"fix", c.fix}});
    out += text_of(c, context.verbose);
  }
  auto count = [&](Health h) {
    return std::count_if(checks.begin(), checks.end(), [&](auto& c) { return c.health == h; });
  };
  if (context.json) {
    print_json("doctor", {{"healthy", code == ExitCode::Ok}, {"checks", rows}});
  } else {
    print_out(out + fmt::format("{} checks: {} ok, {} to look at, {} failed\n", checks.size(),
                                count(Health::Ok), count(Health::Warn), count(Health::Fail)));
  }
  return code;
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(
      app, "doctor", "Look over program, assembler, cache, machine and GPUs; exit 3 without ptxas",
      "barline doctor --json");
  sub.callback([&context] { context.action = [&context] { return doctor(context); }; });
}

}  // namespace barline::tools
