// SPDX-License-Identifier: Apache-2.0
// Entries of kernels.yaml whose kernel another compiler made: files in place of schedules.
#include <fmt/format.h>

#include <algorithm>

#include "verify/gate/registry_parts_p.h"
#include "verify/gate/suggest.h"

namespace barline::verify {
namespace {

/// The path ends in what says how it is read.
SourceEntry::File read_source_file(const RegistryReader& in, const YamlNode& node,
                                   const std::string& target) {
  SourceEntry::File file{.target = target, .path = in.text(node, "a source"), .at = node.at};
  if (!file.path.ends_with(".ptx") && !is_cubin(file)) {
    in.fail(node.at, fmt::format("'{}' is neither PTX nor a cubin by its name", file.path),
            "name a file that ends in .ptx or .cubin (`nvcc -ptx`, `nvcc -cubin`)");
  }
  return file;
}

void read_source_files(const RegistryReader& in, const YamlNode& node, SourceEntry& s,
                       const std::vector<std::string>& targets) {
  if (!node.is_map()) {
    s.files.push_back(read_source_file(in, node, ""));
    return;
  }
  std::vector<std::string> named;
  for (const YamlNode::Entry& e : node.entries) {
    if (std::find(targets.begin(), targets.end(), e.key) == targets.end()) {
      in.fail(e.at, fmt::format("unknown target '{}' in the source of {}", e.key, s.name),
              did_you_mean(e.key, targets));
    }
    s.files.push_back(read_source_file(in, e.value, e.key));
    named.push_back(e.key);
  }
  if (named.empty()) in.fail(node.at, fmt::format("{} has no source", s.name), "name a file");
  s.config.targets = named;
}

void check_source(const RegistryReader& in, const SourceEntry& s) {
  const SourceEntry::File& first = s.files.front();
  if (first.target.empty() && is_cubin(first) && s.config.targets.size() > 1) {
    in.fail(first.at, "a cubin is for one target, and this entry is for several",
            "write source: {sm_80: FILE, ...}, or targets: [sm_80]");
  }
  for (const BudgetRow& row : s.config.budgets) {
    if (row.spills > 0 && is_cubin(s.file(row.target))) {
      in.fail(row.at, "a cubin does not tell spills from other local memory",
              "budget its `stack`, or name the PTX");
    }
  }
}

}  // namespace

bool is_cubin(const SourceEntry::File& file) { return file.path.ends_with(".cubin"); }

const SourceEntry::File& SourceEntry::file(std::string_view target) const {
  auto it = std::find_if(files.begin(), files.end(),
                         [&](const File& f) { return f.target.empty() || f.target == target; });
  return *it;
}

SourceEntry read_source(const RegistryReader& in, const YamlNode::Entry& e,
                        const std::vector<std::string>& targets) {
  in.check_name(e, "kernel");
  const YamlNode& node = e.value;
  in.check_section(node, Section::Source, fmt::format("kernel {} (a source)", e.key));
  SourceEntry s;
  s.name = e.key;
  s.config.at = e.at;
  s.config.targets = targets;
  read_source_files(in, *node.find("source"), s, targets);
  if (const YamlNode* n = node.find("targets")) {
    s.config.targets = in.names(*n, "target", s.config.targets);
  }
  if (const YamlNode* n = node.find("entry")) s.entry = in.text(*n, "entry");
  if (const YamlNode* n = node.find("threads")) s.threads = in.count(*n, "threads");
  if (const YamlNode* n = node.find("dynamic_smem")) s.dynamic_smem = in.count(*n, "dynamic_smem");
  if (const YamlNode* n = node.find("barriers")) s.config.barriers = in.count(*n, "barriers");
  if (const YamlNode* n = node.find("budget")) {
    in.need_map(*n, "a budget");
    read_target_budget(in, *n, s.config);
  }
  check_source(in, s);
  return s;
}

}  // namespace barline::verify
