// SPDX-License-Identifier: Apache-2.0
// The kinds of failure that the command line tells apart by its exit code.
#pragma once

#include <stdexcept>
#include <string>

namespace barline::tools {

/// A gate, a proof, a comparison or a launch failed: exit 1.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Wrong usage, or a named input that is missing or malformed: exit 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A tool or a device that the command needs is missing: exit 3.
struct MissingError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A read or write of a good path failed: exit 5.
struct IoError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace barline::tools
