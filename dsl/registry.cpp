// SPDX-License-Identifier: Apache-2.0
#include "dsl/registry.h"

#include <fmt/format.h>
#include <stdexcept>

namespace barline::dsl {

void Registry::add(KernelEntry entry) {
  if (find(entry.name))
    throw std::invalid_argument(
        fmt::format("kernel '{}' is registered twice; rename one", entry.name));
  entries_.push_back(std::move(entry));
}

const KernelEntry* Registry::find(std::string_view name) const {
  for (const KernelEntry& e : entries_)
    if (e.name == name) return &e;
  return nullptr;
}

}  // namespace barline::dsl
