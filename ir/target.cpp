// SPDX-License-Identifier: Apache-2.0
#include "ir/target.h"

namespace barline::ir {
namespace {

constexpr Target table[] = {
#define TARGET(...) {__VA_ARGS__},
#include "ir/targets.def"
#undef TARGET
};

}  // namespace

std::span<const Target> targets() { return table; }

const Target* find_target(std::string_view name) {
  for (const Target& t : table)
    if (t.name == name) return &t;
  return nullptr;
}

}  // namespace barline::ir
