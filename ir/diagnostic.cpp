// SPDX-License-Identifier: Apache-2.0
#include "ir/diagnostic.h"

#include <fmt/format.h>

namespace barline::ir {
namespace {

struct Row {
  std::string_view code, rule;
};
constexpr Row rows[] = {
#define DIAG(id, code, rule) {code, rule},
#include "ir/diagnostics.def"
#undef DIAG
};

}  // namespace

std::string to_string(const Loc& loc) {
  if (!loc) return loc.file.empty() ? "<unknown>" : loc.file;
  return fmt::format("{}:{}:{}", loc.file, loc.line, loc.column);
}

std::string_view code(Diag d) { return rows[static_cast<int>(d)].code; }
std::string_view rule(Diag d) { return rows[static_cast<int>(d)].rule; }

std::string to_string(const Diagnostic& d) {
  return fmt::format("{}: error[{}]: {}\n  rule: {}\n  fix: {}", to_string(d.loc), code(d.diag),
                     d.message, rule(d.diag), d.fix);
}

void fail(Diag diag, const Loc& loc, std::string message, std::string fix) {
  throw Error({diag, loc, std::move(message), std::move(fix)});
}

}  // namespace barline::ir
