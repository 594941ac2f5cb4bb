// SPDX-License-Identifier: Apache-2.0
// Runs kernels with gates, products in flight and clusters under several orders of their warps, and
// plants faults in their text.
#pragma once

#include <fmt/format.h>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/verify/interp_run.h"

namespace barline::verify::test {

/// The text with one stretch of it replaced.
inline std::string planted(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("no '" + from + "' in the kernel");
  return text.replace(at, from.size(), to);
}

/// Orders of warps and blocks to run a kernel under.
inline std::vector<SimOptions> orders() {
  std::vector<SimOptions> all(2);
  all[1].order = WarpOrder::Reverse;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SimOptions o;
    o.order = WarpOrder::Random;
    o.seed = seed;
    all.push_back(o);
  }
  return all;
}

/// The finding of each order, as "kind: message"; empty where there is none.
inline std::vector<std::string> findings(const std::string& text,
                                         const std::vector<SimArgument>& arguments) {
  std::vector<std::string> all;
  for (const SimOptions& o : orders()) {
    SimReport r = run(text, arguments, {}, o);
    all.push_back(r.finding ? fmt::format("{}: {}", name(r.finding->kind), r.finding->message)
                            : std::string());
  }
  return all;
}

/// Empty if every order finds something that contains one of the texts; else what is wrong.
inline std::string unless_refused(const std::string& text,
                                  const std::vector<SimArgument>& arguments,
                                  const std::vector<std::string>& wanted) {
  for (const std::string& found : findings(text, arguments)) {
    bool known = false;
    for (const std::string& w : wanted) known |= found.find(w) != std::string::npos;
    if (!known) return found.empty() ? "accepted" : found;
  }
  return {};
}

}  // namespace barline::verify::test
