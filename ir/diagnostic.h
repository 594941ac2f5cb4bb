// SPDX-License-Identifier: Apache-2.0
// Diagnostics: an error names the place, what was found there, the rule it breaks and the fix.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "ir/loc.h"

namespace barline::ir {

enum class Diag {
#define DIAG(id, ...) id,
#include "ir/diagnostics.def"
#undef DIAG
};

inline constexpr int diag_count = 0
#define DIAG(...) +1
#include "ir/diagnostics.def"
#undef DIAG
    ;

std::string_view code(Diag d);
std::string_view rule(Diag d);

struct Diagnostic {
  Diag diag{};
  Loc loc;
  std::string message;  ///< what was found, naming the op
  std::string fix;      ///< what the author does about it
};

/// "file:line:column: error[code]: message\n  rule: ...\n  fix: ..."
std::string to_string(const Diagnostic& d);

/// Thrown where a kernel breaks a rule; what() is the whole text of the diagnostic.
class Error : public std::runtime_error {
 public:
  explicit Error(Diagnostic d) : std::runtime_error(to_string(d)), diagnostic_(std::move(d)) {}
  const Diagnostic& diagnostic() const { return diagnostic_; }

 private:
  Diagnostic diagnostic_;
};

[[noreturn]] void fail(Diag diag, const Loc& loc, std::string message, std::string fix);

}  // namespace barline::ir
