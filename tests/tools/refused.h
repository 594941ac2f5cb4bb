// SPDX-License-Identifier: Apache-2.0
// Command lines that are refused: exit 2, one error on one line of stderr, nothing on stdout.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <span>

#include "tests/tools/cli.h"

namespace barline::test {

struct Refused {
  const char *words, *message;  ///< the message holds this
};

inline void check_refused(std::span<const Refused> cases) {
  Cli cli;
  for (const Refused& c : cases) {
    Ran r = cli.run(c.words);
    INFO(c.words << "\n" << r.out << r.err);
    CHECK(r.code == 2);
    CHECK(r.out.empty());
    CHECK(has(r.err, "error: "));
    CHECK(has(r.err, c.message));
    CHECK(std::count(r.err.begin(), r.err.end(), '\n') == 1);
  }
}

}  // namespace barline::test
