// SPDX-License-Identifier: Apache-2.0
// A place in the author's source (or in a .bir file), carried by every op and every diagnostic.
#pragma once

#include <cstdint>
#include <source_location>
#include <string>

namespace barline::ir {

struct Loc {
  std::string file;  ///< empty: not known
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  Loc() = default;
  Loc(std::string file, std::uint32_t line, std::uint32_t column)
      : file(std::move(file)), line(line), column(column) {}
  Loc(const std::source_location& s)  // NOLINT: a C++ call site is a place
      : file(s.file_name()), line(s.line()), column(s.column()) {}
  explicit operator bool() const { return line != 0; }
  bool operator==(const Loc&) const = default;
};

/// "file:line:column", or "<unknown>".
std::string to_string(const Loc& loc);

}  // namespace barline::ir
