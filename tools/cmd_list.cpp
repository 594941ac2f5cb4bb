// SPDX-License-Identifier: Apache-2.0
// `barline list`: kernels, configs, targets and budgets of kernels.yaml.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/session.h"
#include "verify/gate/registry_keys.h"

namespace barline::tools {
namespace {

using json = nlohmann::ordered_json;

json dims_json(const verify::Dims& dims) {
  json out = json::object();
  for (const verify::Dim& d : dims) out[d.name] = d.value;
  return out;
}

json budgets_json(const std::vector<verify::BudgetRow>& rows) {
  json budgets = json::array();
  for (const verify::BudgetRow& b : rows) {
    json row = {{"target", b.target},
                {"registers", b.registers},
                {"spills", b.spills},
                {"smem", b.smem},
                {"stack", b.stack}};
    if (!b.type.empty()) row["type"] = b.type;
    if (b.min_ctas_per_sm) row["min_ctas_per_sm"] = *b.min_ctas_per_sm;
    if (!b.allow_notes.empty()) row["allow_notes"] = b.allow_notes;
    budgets.push_back(std::move(row));
  }
  return budgets;
}

json schedule_json(const verify::ScheduleEntry& s) {
  json out = {{"name", s.name},         {"dims", dims_json(s.dims)},
              {"types", s.types},       {"targets", s.targets},
              {"barriers", s.barriers}, {"budgets", budgets_json(s.budgets)}};
  if (s.barriers_per_step) out["barriers_per_step"] = *s.barriers_per_step;
  if (s.bank_conflicts) out["bank_conflicts"] = *s.bank_conflicts;
  if (!s.order.empty()) out["order"] = s.order;
  return out;
}

json kernel_json(const verify::KernelEntry& k, const dsl::KernelEntry& entry) {
  json schedules = json::array(), shapes = json::object(), args = json::object();
  for (const verify::ScheduleEntry& s : k.schedules) schedules.push_back(schedule_json(s));
  for (const verify::Shape& s : k.shapes) shapes[s.name] = dims_json(s.dims);
  for (const verify::ScalarArg& a : k.args) args[a.name] = a.value;
  json compare = {{"kind", verify::compare_kinds()[static_cast<std::size_t>(k.compare.kind)]}};
  if (k.compare.kind != verify::CompareKind::Exact) {
    compare["max"] = k.compare.max;
    compare["why"] = k.compare.why;
  }
  return {{"name", k.name},   {"doc", entry.doc}, {"types", k.types},   {"targets", k.targets},
          {"shapes", shapes}, {"args", args},     {"compare", compare}, {"schedules", schedules}};
}

json source_json(const verify::SourceEntry& s) {
  json files = json::object();
  for (const std::string& target : s.config.targets) files[target] = s.file(target).path;
  return {{"name", s.name},
          {"entry", s.entry},
          {"files", files},
          {"targets", s.config.targets},
          {"barriers", s.config.barriers},
          {"budgets", budgets_json(s.config.budgets)}};
}

/// "24-32 registers, 2 barriers"
std::string budget_text(const verify::ScheduleEntry& s) {
  int least = 256, most = 0;
  for (const verify::BudgetRow& b : s.budgets) {
    least = std::min(least, b.registers);
    most = std::max(most, b.registers);
  }
  if (most == 0) return "no budget";
  return fmt::format("{} registers, {} barriers",
                     least == most ? std::to_string(most) : fmt::format("{}-{}", least, most),
                     s.barriers);
}

std::string text_of(const verify::SourceEntry& s, const std::vector<std::string>& all_targets) {
  std::string targets = s.config.targets == all_targets
                            ? ""
                            : fmt::format(" on {}", fmt::join(s.config.targets, ", "));
  return fmt::format("{}  a file: {}\n  {:<13} {}{}\n", s.name, s.files.front().path, "",
                     budget_text(s.config), targets);
}

std::string text_of(const verify::KernelEntry& k, const dsl::KernelEntry& entry,
                    const std::vector<std::string>& all_targets) {
  std::string types = k.types.empty() ? "" : fmt::format(" [{}]", fmt::join(k.types, ", "));
  std::string out = fmt::format("{}{}  {}\n", k.name, types, entry.doc);
  for (const verify::ScheduleEntry& s : k.schedules) {
    std::string targets =
        s.targets == all_targets ? "" : fmt::format(" on {}", fmt::join(s.targets, ", "));
    out += fmt::format("  @{:<12} {}{}\n", s.name, budget_text(s), targets);
  }
  return out;
}

/// Kernels that the words name, in registry order; without words `all` or none.
std::vector<const verify::KernelEntry*> chosen(const Session& session,
                                               const std::vector<std::string>& names, bool all) {
  std::vector<const verify::KernelEntry*> out;
  if (names.empty() && !all) return out;
  std::vector<Job> jobs = session.jobs(names, "");
  for (const verify::KernelEntry& k : session.registry().kernels) {
    bool named =
        std::any_of(jobs.begin(), jobs.end(), [&](const Job& j) { return j.kernel == &k; });
    if (names.empty() || named) out.push_back(&k);
  }
  return out;
}

ExitCode list(const Context& context, const std::vector<std::string>& words, bool names_only) {
  Session session(context);
  const verify::RegistryFile& r = session.registry();
  auto entry = [&](const verify::KernelEntry& k) -> const dsl::KernelEntry& {
    return *session.library().find(k.name);
  };
  std::vector<std::string> families;
  json kernels = json::array(), sources = json::array();
  std::string text;
  for (const std::string& word : words)
    if (!r.source(word)) families.push_back(word);
  for (const verify::KernelEntry* k : chosen(session, families, words.empty())) {
    kernels.push_back(kernel_json(*k, entry(*k)));
    text += names_only ? k->name + "\n" : text_of(*k, entry(*k), r.targets);
  }
  for (const verify::SourceEntry& s : r.sources) {
    bool named = words.empty() || std::find(words.begin(), words.end(), s.name) != words.end();
    if (!named) continue;
    sources.push_back(source_json(s));
    text += names_only ? s.name + "\n" : text_of(s, r.targets);
  }
  if (context.json) {
    print_json("list", {{"registry", session.source().path},
                        {"assembler", r.assembler},
                        {"targets", r.targets},
                        {"kernels", kernels},
                        {"sources", sources}});
    return ExitCode::Ok;
  }
  if (!names_only) {
    text = fmt::format("targets  {}\nbudgets  {} ({})\n\n", fmt::join(r.targets, ", "),
                       session.source().path.empty() ? "none" : session.source().path,
                       r.assembler.empty() ? "no assembler" : r.assembler) +
           text;
  }
  print_out(text);
  return ExitCode::Ok;
}

}  // namespace

void add_list(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(app, "list", "Kernels, configs, targets and budgets of kernels.yaml",
                              "barline list rms_norm --json");
  auto words = std::make_shared<std::vector<std::string>>();
  auto names = std::make_shared<bool>(false);
  sub.add_option("kernels", *words, "family[.type][@schedule]; all when left out");
  sub.add_flag("--names", *names, "One family a line");
  sub.callback([&context, words, names] {
    context.action = [&context, words, names] { return list(context, *words, *names); };
  });
}

}  // namespace barline::tools
