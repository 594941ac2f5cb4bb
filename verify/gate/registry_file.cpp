// SPDX-License-Identifier: Apache-2.0
// From the tree of nodes to the register. Every list of a kernel or schedule is a subset of the
// one above it, so a budget that no config can ask for is an error and not dead text.
#include "verify/gate/registry_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "verify/gate/registry_keys.h"
#include "verify/gate/registry_parts_p.h"
#include "verify/gate/registry_reader_p.h"
#include "verify/gate/suggest.h"

namespace barline::verify {
namespace {

template <class T>
const T* by_name(const std::vector<T>& list, std::string_view name) {
  auto it = std::find_if(list.begin(), list.end(), [&](const T& t) { return t.name == name; });
  return it == list.end() ? nullptr : &*it;
}

CompareRule read_compare(const RegistryReader& in, const YamlNode& node) {
  in.check_section(node, Section::Compare, "compare");
  CompareRule rule;
  const YamlNode& kind = *node.find("kind");
  std::string name = in.text(kind, "a compare kind");
  auto it = std::find(compare_kinds().begin(), compare_kinds().end(), name);
  if (it == compare_kinds().end()) {
    in.fail(kind.at, fmt::format("unknown compare kind '{}'", name),
            did_you_mean(name, compare_kinds()));
  }
  rule.kind = static_cast<CompareKind>(it - compare_kinds().begin());
  const YamlNode *max = node.find("max"), *why = node.find("why");
  const YamlNode* exact_on = node.find("exact_on");
  if (exact_on && rule.kind != CompareKind::Bound)
    in.fail(exact_on->at, "only a comparison of kind bound is exact in some places",
            "delete 'exact_on', or use kind: bound");
  if (rule.kind == CompareKind::Exact) {
    if (max)
      in.fail(max->at, "an exact comparison has no 'max'", "delete it, or name another kind");
    return rule;
  }
  if (!why) {
    in.fail(node.at, "a comparison that is not exact states its reason", "add `why: \"...\"`");
  }
  rule.why = in.text(*why, "why");
  if (rule.kind == CompareKind::Bound) {
    if (max)
      in.fail(max->at, "the kernel declares its bound", "delete 'max', or name another kind");
    if (exact_on) rule.exact_on = in.names(*exact_on, "place to run", run_places());
    return rule;
  }
  if (!max) in.fail(node.at, fmt::format("compare kind {} has no bound", name), "add `max:`");
  rule.max = in.number(*max, "max");
  if (rule.max <= 0) in.fail(max->at, "max is above 0", "use kind: exact for equal bits");
  return rule;
}

ScheduleEntry read_schedule(const RegistryReader& in, const YamlNode::Entry& e,
                            const KernelEntry& kernel) {
  in.check_name(e, "schedule");
  ScheduleEntry s{.name = e.key,
                  .dims = kernel.dims,
                  .types = kernel.types,
                  .targets = kernel.targets,
                  .order = {},
                  .barriers = 0,
                  .barriers_per_step = {},
                  .bank_conflicts = {},
                  .budgets = {},
                  .at = e.at};
  if (e.value.is_null()) return s;
  const YamlNode& node = e.value;
  in.check_section(node, Section::Schedule, fmt::format("schedule {}", e.key));
  if (const YamlNode* n = node.find("dims")) {
    for (const Dim& d : in.dims(*n)) {
      auto it =
          std::find_if(s.dims.begin(), s.dims.end(), [&](auto& x) { return x.name == d.name; });
      it == s.dims.end() ? s.dims.push_back(d) : void(*it = d);
    }
  }
  if (const YamlNode* n = node.find("types")) s.types = in.names(*n, "element type", kernel.types);
  if (const YamlNode* n = node.find("targets")) s.targets = in.names(*n, "target", kernel.targets);
  if (const YamlNode* n = node.find("order")) s.order = in.text(*n, "order");
  if (const YamlNode* n = node.find("barriers")) s.barriers = in.count(*n, "barriers");
  if (const YamlNode* n = node.find("barriers_per_step")) {
    s.barriers_per_step = in.count(*n, "barriers_per_step");
  }
  if (const YamlNode* n = node.find("bank_conflicts")) {
    s.bank_conflicts = in.count(*n, "bank_conflicts");
  }
  if (const YamlNode* n = node.find("budget")) read_budget(in, *n, s);
  return s;
}

void read_sizes(const RegistryReader& in, const YamlNode& node, KernelEntry& k) {
  if (const YamlNode* n = node.find("shapes")) {
    in.need_map(*n, "shapes");
    for (const YamlNode::Entry& s : n->entries) {
      in.check_name(s, "shape");
      k.shapes.push_back({s.key, in.dims(s.value)});
    }
  }
  if (const YamlNode* n = node.find("args")) {
    in.need_map(*n, "args");
    for (const YamlNode::Entry& a : n->entries) {
      in.check_name(a, "scalar argument");
      k.args.push_back({a.key, in.number(a.value, "a scalar argument")});
    }
  }
}

KernelEntry read_kernel(const RegistryReader& in, const YamlNode::Entry& e,
                        const std::vector<std::string>& targets) {
  in.check_name(e, "kernel");
  const YamlNode& node = e.value;
  in.check_section(node, Section::Kernel, fmt::format("kernel {}", e.key));
  KernelEntry k;
  k.name = e.key;
  k.at = e.at;
  k.targets = targets;
  if (const YamlNode* n = node.find("dims")) k.dims = in.dims(*n);
  if (const YamlNode* n = node.find("types")) k.types = in.names(*n, "element type", known_types());
  if (const YamlNode* n = node.find("targets")) k.targets = in.names(*n, "target", targets);
  if (const YamlNode* n = node.find("compare")) k.compare = read_compare(in, *n);
  if (const YamlNode* n = node.find("allow_unknown"))
    k.allow_unknown = in.text(*n, "allow_unknown");
  read_sizes(in, node, k);
  const YamlNode& schedules = *node.find("schedules");
  in.need_map(schedules, "schedules");
  for (const YamlNode::Entry& s : schedules.entries) {
    k.schedules.push_back(read_schedule(in, s, k));
  }
  if (k.schedules.empty()) {
    in.fail(schedules.at, fmt::format("kernel {} has no schedule", k.name), "name one");
  }
  return k;
}

}  // namespace

bool CompareRule::exact_at(std::string_view where) const {
  return kind == CompareKind::Exact ||
         std::find(exact_on.begin(), exact_on.end(), where) != exact_on.end();
}

const BudgetRow* ScheduleEntry::budget(std::string_view type, std::string_view target) const {
  for (const BudgetRow& row : budgets) {
    if (row.type == type && row.target == target) return &row;
  }
  return nullptr;
}

const ScheduleEntry* KernelEntry::schedule(std::string_view name) const {
  return by_name(schedules, name);
}
const Shape* KernelEntry::shape(std::string_view name) const { return by_name(shapes, name); }
const KernelEntry* RegistryFile::kernel(std::string_view name) const {
  return by_name(kernels, name);
}
const SourceEntry* RegistryFile::source(std::string_view name) const {
  return by_name(sources, name);
}

RegistryFile parse_registry(const YamlNode& root, std::string_view file) {
  RegistryReader in(file);
  in.check_section(root, Section::File, "the registry");
  RegistryFile r;
  r.file = file;
  const YamlNode& version = *root.find("version");
  r.version = in.count(version, "version");
  if (r.version != 1) {
    in.fail(version.at, fmt::format("version {} of kernels.yaml is not known", r.version),
            "this barline reads version 1");
  }
  r.assembler = in.text(*root.find("assembler"), "assembler");
  r.assembler_at = root.find("assembler")->at;
  r.targets = in.names(*root.find("targets"), "target", known_targets());
  const YamlNode& kernels = *root.find("kernels");
  in.need_map(kernels, "kernels", true);
  for (const YamlNode::Entry& e : kernels.entries) {
    if (e.value.find("source")) {
      r.sources.push_back(read_source(in, e, r.targets));
    } else {
      r.kernels.push_back(read_kernel(in, e, r.targets));
    }
  }
  return r;
}

}  // namespace barline::verify
