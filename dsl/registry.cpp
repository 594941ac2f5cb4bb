// SPDX-License-Identifier: Apache-2.0
#include "dsl/registry.h"

#include <fmt/format.h>

#include <stdexcept>

#include "ir/build_id.h"

namespace barline::dsl {

void Registry::from_library(const void* address) { library_ = ir::build_id(address); }

void Registry::add(KernelEntry entry) {
  if (find(entry.name))
    throw std::invalid_argument(
        fmt::format("kernel '{}' is registered twice; rename one", entry.name));
  entry.library = library_;
  entries_.push_back(std::move(entry));
}

const KernelEntry* Registry::find(std::string_view name) const {
  for (const KernelEntry& e : entries_)
    if (e.name == name) return &e;
  return nullptr;
}

}  // namespace barline::dsl
