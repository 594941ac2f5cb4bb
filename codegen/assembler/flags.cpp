// SPDX-License-Identifier: Apache-2.0
// The flags that every assembler is given, so that their reports can be compared.
#include <fmt/format.h>

#include "codegen/assembler/assembler.h"

namespace barline::codegen {
namespace {

void check_target(const std::string& sm) {
  std::string_view digits = sm;
  bool ok = digits.starts_with("sm_");
  if (ok) digits.remove_prefix(3);
  if (ok && (digits.ends_with('a') || digits.ends_with('f'))) digits.remove_suffix(1);
  ok = ok && !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
  if (!ok)
    throw std::invalid_argument(fmt::format(
        "'{}' is not a target: write sm_<number>, as in sm_80, with an optional a or f", sm));
}

// Flags that would hide part of the report, or turn a measured figure into another.
void check_extra(const std::string& flag) {
  std::string_view name = std::string_view(flag).substr(0, flag.find('='));
  for (std::string_view refused :
       {"-w", "--disable-warnings", "-Werror", "--warning-as-error", "-maxrregcount",
        "--maxrregcount", "-o", "--output-file", "-arch", "--gpu-name", "-fmad", "--fmad"})
    if (name == refused)
      throw std::invalid_argument(
          fmt::format("ptxas flag {} is refused: it hides or changes what the gate reads", flag));
  if (!flag.starts_with('-'))
    throw std::invalid_argument(
        fmt::format("ptxas flag '{}' does not start with '-': write values as --flag=value", flag));
}

}  // namespace

std::string_view name(AssemblerKind kind) {
  switch (kind) {
    case AssemblerKind::Ptxas: return "ptxas";
    case AssemblerKind::NvJitLink: return "nvJitLink";
    case AssemblerKind::Driver: return "driver";
  }
  return "?";
}

std::vector<std::string> assemble_flags(const AssembleOptions& options) {
  check_target(options.sm);
  std::vector<std::string> flags{"-arch", options.sm, "-v", "--warn-on-spills",
                                 "--warn-on-local-memory-usage"};
  if (!options.fmad) flags.push_back("--fmad=false");
  if (options.lineinfo) flags.push_back("-lineinfo");
  for (const std::string& flag : options.extra) {
    check_extra(flag);
    flags.push_back(flag);
  }
  return flags;
}

}  // namespace barline::codegen
