// SPDX-License-Identifier: Apache-2.0
// `barline cache explain`: is this config's code kept, and if not, why not: the fields of its key
// that differ from those of the nearest entry.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/cache/maintain.h"
#include "runtime/jit/unit.h"
#include "tools/cache_actions.h"
#include "tools/compile_job.h"
#include "tools/line_diff.h"

namespace barline::tools {
namespace {

using json = nlohmann::ordered_json;

struct Difference {
  std::string field, cached, wanted;
};

struct Verdict {
  std::string config, target;
  runtime::Hash256 key;
  std::string state = "miss";  ///< hit, seed or miss
  bool warm = false;           ///< a host finds it without IR and LLVM
  std::optional<runtime::Nearest> nearest;
  std::vector<Difference> differences;
};

Verdict look_up(Session& session, const Job& job) {
  jit::Unit unit{.entry = &session.entry(job),
                 .elem = session.elem(job),
                 .config = session.config(job),
                 .target = ir::find_target(job.target)};
  runtime::KeyRecord key = jit::content_key(unit, instantiate(session, job), session.assembler());
  runtime::DiskCache& disk = session.cache().disk();
  Verdict v;
  v.config = job.config();
  v.target = job.target;
  v.key = key.hash();
  const codegen::Assembler& assembler = session.assembler();
  v.warm = disk.find_warm(jit::warm_key(
               unit, jit::warm_name(assembler.kind(), assembler.release()))) == v.key;
  if (runtime::Found found = disk.find(v.key)) {
    v.state = found.source == runtime::Source::Seed ? "seed" : "hit";
    return v;
  }
  if (disk.store() != nullptr) {
    v.nearest = runtime::cache_nearest(*disk.store(), key, unit.entry->name);
  }
  if (v.nearest) {
    for (const std::string& field : v.nearest->differing) {
      v.differences.push_back(
          {field, std::string(v.nearest->key.value(field)), std::string(key.value(field))});
    }
  }
  return v;
}

/// A short value whole, a long one as the lines or words that differ.
std::string difference_text(const Difference& d) {
  constexpr std::size_t line = 60;
  if (d.cached.size() + d.wanted.size() <= line && d.cached.find('\n') == d.cached.npos) {
    return fmt::format("'{}' there, '{}' wanted\n", d.cached, d.wanted);
  }
  std::string there = d.cached, wanted = d.wanted;
  if (d.field != "ir") {  // values of words: one a line
    std::ranges::replace(there, ' ', '\n');
    std::ranges::replace(wanted, ' ', '\n');
  }
  std::string out = "- there, + wanted\n", diff = line_diff(there, wanted, 0);
  for (std::size_t start = 0; start < diff.size();) {
    std::size_t end = std::min(diff.find('\n', start), diff.size());
    out += "    " + diff.substr(start, end - start) + "\n";
    start = end + 1;
  }
  return out;
}

std::string to_text(const Verdict& v) {
  std::string out = fmt::format(
      "{:<36} {:<8} {:<5} {}{}\n", v.config, v.target, v.state, v.key.hex().substr(0, 16),
      v.state == "miss" || v.warm ? "" : "  (no warm key: a host needs IR to find it)");
  if (v.state != "miss") return out;
  if (!v.nearest) return out + "  the cache holds no entry to compare with\n";
  out += fmt::format("  nearest entry {} differs in {} of the key's fields\n",
                     v.nearest->hash.hex().substr(0, 16), v.differences.size());
  for (const Difference& d : v.differences)
    out += fmt::format("  {}: {}", d.field, difference_text(d));
  return out;
}

json to_json(const Verdict& v) {
  json out = {{"kernel", v.config},
              {"target", v.target},
              {"key", v.key.hex()},
              {"state", v.state},
              {"warm", v.warm}};
  if (!v.nearest) return out;
  json differing = json::array();
  for (const Difference& d : v.differences)
    differing.push_back({{"field", d.field}, {"cached", d.cached}, {"wanted", d.wanted}});
  out["nearest"] = {{"key", v.nearest->hash.hex()}, {"differing", std::move(differing)}};
  return out;
}

}  // namespace

ExitCode run_cache_explain(const Context& context, const std::vector<std::string>& kernels,
                           const std::string& arch) {
  Session session(context);
  json rows = json::array();
  std::string text;
  for (const Job& job : session.jobs(kernels, arch)) {
    Verdict v = look_up(session, job);
    if (context.json) {
      rows.push_back(to_json(v));
    } else {
      text += to_text(v);
    }
  }
  if (context.json) {
    print_json("cache_explain", {{"kernels", std::move(rows)}});
  } else {
    print_out(text);
  }
  return ExitCode::Ok;
}

}  // namespace barline::tools
