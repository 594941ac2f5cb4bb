// SPDX-License-Identifier: Apache-2.0
#include "tools/progress.h"

#include <fmt/format.h>

#include <cstdio>

namespace barline::tools {

Progress::Progress(const Context& context, std::string verb, std::size_t total)
    : on_(context.progress && !context.quiet && total > 1), verb_(std::move(verb)), total_(total) {}

Progress::~Progress() {
  if (on_) fmt::print(stderr, "\r\033[K");
}

void Progress::step(const std::string& what) {
  if (!on_) return;
  std::lock_guard lock(mutex_);
  fmt::print(stderr, "\r\033[K{} {}/{} {:.60}", verb_, ++done_, total_, what);
  std::fflush(stderr);
}

}  // namespace barline::tools
