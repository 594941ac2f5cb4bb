// SPDX-License-Identifier: Apache-2.0
// Reads the log of `ptxas -v` (and of nvJitLink) into one record a function. Records may come in
// any order, so each is keyed by its function's name; a function without a record is an error.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace barline::codegen {

/// The log has no complete record of a function that was asked for.
struct MissingRecord : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A numbered advice of ptxas, such as (C7508) "Potential Performance Loss". ptxas prints it as
/// plain information, so -Werror does not see it: the gate judges it by its code.
struct Note {
  std::string code;      ///< "C7508"
  std::string text;      ///< the message without its code
  std::string function;  ///< the function that it names, or empty
  bool performance_loss = false;
};

/// Resources of one function. Sizes in bytes. Absent suffixes of the log mean zero.
struct ResourceReport {
  std::string function;
  std::string target;  ///< "sm_90a"; empty where the log does not say (old toolkits, callees)
  bool entry = false;  ///< a kernel; otherwise a device function
  int registers = 0;
  int barriers = 0;  ///< named-barrier resources, not the number of bar instructions
  int stack = 0;
  int cumulative_stack = 0;  ///< stack along the deepest call chain
  int spill_stores = 0;
  int spill_loads = 0;
  int smem_static = 0;
  int lmem = 0;
  std::map<int, int> cmem = {};  ///< bank -> bytes; ptxas 13 prints none from sm_90 on
  int textures = 0, samplers = 0, surfaces = 0;
  double compile_ms = 0;
  bool has_properties = false;  ///< the "Function properties" block was seen
  bool has_usage = false;       ///< the "Used N registers" line was seen
  bool conflicting = false;     ///< the log holds two records of this name that disagree
  std::vector<Note> notes = {};
  std::vector<std::string> warnings = {};  ///< warnings that name this function
};

struct PtxasLog {
  std::map<std::string, ResourceReport, std::less<>> functions = {};
  int gmem = 0;
  std::map<int, int> gmem_cmem = {};       ///< constant banks of the module line
  std::vector<Note> notes = {};            ///< every note, those of functions too
  std::vector<std::string> warnings = {};  ///< every warning
  std::vector<std::string> errors = {};    ///< "error" and "fatal" lines
  std::vector<std::string> unknown = {};   ///< lines that no rule reads; not a failure by itself

  /// The record of a kernel; throws MissingRecord unless both its blocks were printed, once
  /// or alike.
  const ResourceReport& kernel(std::string_view name) const;

  /// The kernel's record with what its callees cost folded in: spills and stack are printed only in
  /// a callee's own record, so a clean kernel may hide a spilling callee. Each figure is the
  /// maximum over the kernel and `callees`; notes and warnings are joined. A callee without a
  /// record throws.
  ResourceReport verdict(std::string_view name, const std::vector<std::string>& callees) const;

  /// As above with every device function of the log as a callee (the log has no call graph).
  ResourceReport verdict(std::string_view name) const;
};

/// Total on any text: never throws, never reads out of bounds; numbers that do not fit an int make
/// their line unknown.
PtxasLog parse_ptxas_log(std::string_view text);

}  // namespace barline::codegen
