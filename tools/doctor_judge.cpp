// SPDX-License-Identifier: Apache-2.0
// The bounds of doctor, as functions of what was found on the machine.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>

#include "ir/target.h"
#include "tools/doctor.h"
#include "verify/gate/suggest.h"

namespace barline::tools {
namespace {

constexpr double gib = 1 << 30;
constexpr std::uint64_t least_space = 256 << 20, least_memory = 1 << 30;

}  // namespace

Check judge_release(const std::string& found, const std::string& pinned) {
  Check c{.name = "budgets", .why = "a budget holds for one release of ptxas"};
  c.detail = pinned.empty() ? "none are pinned" : fmt::format("pinned to {}", pinned);
  if (pinned.empty() || found == pinned) return c;
  c.health = Health::Warn;
  c.detail += fmt::format(", and this is {}", found);
  c.fix = fmt::format("install {}, or re-pin with `barline gate --update`", pinned);
  return c;
}

Check judge_space(std::uint64_t free, std::uint64_t cap, const std::string& folder) {
  Check c{.name = "cache space", .why = "an entry that cannot be written is compiled every time"};
  c.detail = fmt::format("{:.1f} GiB free for {} (cap {:.1f} GiB)", static_cast<double>(free) / gib,
                         folder, static_cast<double>(cap) / gib);
  if (free < least_space) {
    c.health = Health::Warn;
    c.fix = "free some space, or put the cache on another disk: --cache-dir DIR";
  }
  return c;
}

const std::vector<std::string>& known_variables() {
  static const std::vector<std::string> names = {"BARLINE_ASSEMBLER",
                                                 "BARLINE_CACHE_DIR",
                                                 "BARLINE_CACHE_MAX_BYTES",
                                                 "BARLINE_CACHE_MAX_FILES",
                                                 "BARLINE_CACHE_MODE",
                                                 "BARLINE_CACHE_SEED",
                                                 "BARLINE_JIT",
                                                 "BARLINE_LIBCUDA",
                                                 "BARLINE_NVJITLINK",
                                                 "BARLINE_PACK",
                                                 "BARLINE_PTXAS",
                                                 "BARLINE_STRICT_BUDGET"};
  return names;
}

Check judge_open_files(std::uint64_t limit) {
  Check c{.name = "open files",
          .detail = fmt::format("{} allowed", limit),
          .why = "each compile holds a few descriptors"};
  if (limit < 256) {
    c.health = Health::Warn;
    c.fix = "raise it: ulimit -n 1024";
  }
  return c;
}

Check judge_memory(std::uint64_t available) {
  Check c{.name = "memory",
          .detail = fmt::format("{:.1f} GiB available", static_cast<double>(available) / gib),
          .why = "a compile takes up to a few hundred MiB a thread"};
  if (available < least_memory) {
    c.health = Health::Warn;
    c.fix = "compile on fewer threads: --jobs 1";
  }
  return c;
}

Check judge_clock(std::int64_t now, std::int64_t built) {
  Check c{.name = "clock", .why = "the cache removes what was used least recently"};
  std::tm utc{};
  std::time_t seconds = now;
  char text[32] = "";
  if (::gmtime_r(&seconds, &utc)) std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  c.detail = text;
  if (now + 86400 < built) {
    c.health = Health::Warn;
    c.detail += ", more than a day before the program was built";
    c.fix = "set the clock";
  }
  return c;
}

Check judge_variables(const std::vector<std::string>& names) {
  Check c{.name = "environment", .why = "variables go over defaults, and options over variables"};
  c.detail =
      names.empty() ? "no BARLINE_ variable is set" : fmt::format("{}", fmt::join(names, " "));
  for (const std::string& name : names) {
    const auto& known = known_variables();
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    c.health = Health::Warn;
    c.fix += fmt::format("{}{} is no variable that is read; {}", c.fix.empty() ? "" : "; ", name,
                         verify::did_you_mean(name, known));
  }
  return c;
}

Check judge_device(const std::string& label, const std::string& detail, int sm,
                   const std::vector<std::string>& targets) {
  Check c{.name = label, .detail = detail, .why = "a cubin runs on the GPU it was made for"};
  for (const std::string& name : targets) {
    const ir::Target* target = ir::find_target(name);
    if (target && target->capability == sm) {
      c.detail += fmt::format(", compiled for as {}", name);
      return c;
    }
  }
  c.health = Health::Warn;
  c.detail += fmt::format(", and no target is for sm_{}", sm);
  c.fix = fmt::format("kernels are compiled for {}; add a target of this GPU to kernels.yaml",
                      fmt::join(targets, ", "));
  return c;
}

}  // namespace barline::tools
