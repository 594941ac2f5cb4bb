// SPDX-License-Identifier: Apache-2.0
// A thread-level kernel all the way to a cubin, with everything that gate, explain and the cache
// say of it: resources from ptxas's log, the cubin's own record, the SASS skeleton, and times.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "codegen/assembler/assembler.h"
#include "codegen/cubin/cubin.h"
#include "codegen/ptx.h"
#include "codegen/report/ptxas_log.h"
#include "codegen/sass/skeleton.h"

namespace barline::codegen {

struct CompileOptions {
  bool lineinfo = false;                      ///< line table in PTX and cubin
  const Calibration* calibration = nullptr;   ///< of the target; without one there is no skeleton
  std::vector<std::string> extra_flags = {};  ///< appended to the assembler's
  std::chrono::milliseconds timeout{60'000};  ///< of ptxas
};

/// Wall time of each part.
struct CompileTimes {
  double ptx_ms = 0;    ///< lowering and LLVM
  double ptxas_ms = 0;  ///< the assembler
  double read_ms = 0;   ///< log, cubin and skeleton
  double total() const { return ptx_ms + ptxas_ms + read_ms; }
};

/// Moved, never copied: `record` holds views into `cubin`.
struct Compiled {
  std::string name;    ///< the entry
  std::string target;  ///< "sm_90a"
  std::string ptx;
  std::vector<std::byte> cubin;
  std::string log;                         ///< all that the assembler printed
  ResourceReport report;                   ///< the verdict over the kernel and its callees
  KernelRecord record;                     ///< what the cubin says
  std::vector<std::string> disagreements;  ///< between report and record; empty when they agree
  std::optional<SassSkeleton> skeleton;    ///< with CompileOptions::calibration
  int barriers = 0;                        ///< block barriers in the IR, counted where they stand
  int smem_dynamic = 0;                    ///< bytes that the launch asks for: the slots
  int smem() const { return smem_dynamic + report.smem_static; }
  CompileTimes times;

  Compiled() = default;
  Compiled(Compiled&&) = default;
  Compiled& operator=(Compiled&&) = default;
};

/// Throws what emit_ptx throws, AssembleError, MissingRecord and CubinError.
Compiled compile(const ir::Kernel& lowered, const ir::Target& target, const Assembler& assembler,
                 const CompileOptions& options = {});

/// The assembler's options for a target: part of the cache key, with assemble_flags.
AssembleOptions assemble_options(const ir::Target& target, const CompileOptions& options = {});

}  // namespace barline::codegen
