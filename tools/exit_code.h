// SPDX-License-Identifier: Apache-2.0
// The exit codes of the command line, and the one place where an exception becomes one.
#pragma once

#include <exception>
#include <string>

namespace barline::tools {

enum class ExitCode : int {
  Ok = 0,
  Failed = 1,    ///< a gate, proof, comparison or launch failed
  Usage = 2,     ///< usage, or a named input missing or malformed
  Missing = 3,   ///< a needed tool or device is missing
  Internal = 4,  ///< a defect of barline
  Io = 5         ///< a failing read or write of a good path
};

/// The code of two failures together: 4 before 5 before 3 before 2 before 1.
ExitCode worse(ExitCode a, ExitCode b);

struct ExitReport {
  ExitCode code = ExitCode::Internal;
  std::string message;
};

/// What to exit with, and to say on stderr, for an exception that reached main.
ExitReport report_of(std::exception_ptr error);

}  // namespace barline::tools
