// SPDX-License-Identifier: Apache-2.0
// What C, C++ and Python hosts take from this tree.
#include <fmt/format.h>

#include <filesystem>

#include "tools/doctor.h"

namespace barline::tools {
namespace {

/// The first of the places that exists in the program's tree or above it, up to the source tree.
std::filesystem::path find_place(const Context& context,
                                 std::initializer_list<const char*> places) {
  std::error_code error;
  auto dir = context.program.parent_path();
  for (int level = 0; level < 4 && dir.has_relative_path(); ++level, dir = dir.parent_path()) {
    for (const char* place : places) {
      if (std::filesystem::exists(dir / place, error)) return dir / place;
    }
  }
  return {};
}

Check check_place(const Context& context, Check c, std::initializer_list<const char*> places,
                  const char* fix) {
  std::filesystem::path found = find_place(context, places);
  c.detail = found.string();
  if (!found.empty()) return c;
  c.health = Health::Warn;
  c.detail = "not found beside the program";
  c.fix = fix;
  return c;
}

}  // namespace

void check_hosts(const Context& context, Checks& out) {
  out.push_back(check_place(context, {.name = "host library", .why = "C and C++ hosts link it"},
                            {"lib/libbarline_runtime.so", "lib64/libbarline_runtime.so",
                             "lib/x86_64-linux-gnu/libbarline_runtime.so"},
                            "build or install the whole tree: ninja, then cmake --install"));
  out.push_back(check_place(context,
                            {.name = "python", .why = "`import barline` with it in PYTHONPATH"},
                            {"share/barline/python/barline", "python/barline"},
                            "install the whole tree; the module is share/barline/python/barline"));
}

}  // namespace barline::tools
