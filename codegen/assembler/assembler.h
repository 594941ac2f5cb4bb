// SPDX-License-Identifier: Apache-2.0
// What makes machine code of PTX text: the ptxas program, nvJitLink in this process, or the driver.
// All give the same: a whole cubin, and a log that report/ptxas_log.h reads.
#pragma once

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace barline::codegen {

/// From the most to the least trusted: a process of its own that can be stopped, a library, and the
/// driver, whose compiler changes with the machine.
enum class AssemblerKind { Ptxas, NvJitLink, Driver };

/// "ptxas", "nvJitLink", "driver".
std::string_view name(AssemblerKind kind);

/// No usable assembler was found. The text lists each place that was looked at, why it was refused,
/// and how to get one. The command line exits 3 on it.
struct MissingAssembler : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The assembler refused the text, was killed, left a cubin that is not whole, or code without the
/// overlap that the text asks for.
struct AssembleError : std::runtime_error {
  AssembleError(const std::string& what, std::string log, int exit_status, bool timed_out = false)
      : std::runtime_error(what),
        log(std::move(log)),
        exit_status(exit_status),
        timed_out(timed_out) {}
  std::string log;      ///< all that it printed, cut at the output cap
  int exit_status = 0;  ///< of ptxas: the exit code, or 128 + signal; -1 when it was never learnt.
                        ///< Of a library: its result
  bool timed_out = false;
};

struct AssembleOptions {
  std::string sm = "sm_90a";            ///< `-arch`: sm_<number> with an optional a or f
  bool lineinfo = false;                ///< keep the line table of the PTX's `.loc` lines
  bool fmad = false;                    ///< contract products and sums without a rounding mode
  std::vector<std::string> extra = {};  ///< appended in this order; flags that would hide or alter
                                        ///< the report (-w, -Werror, -maxrregcount, -o) are refused
  // Of ptxas alone; what runs in this process cannot be stopped.
  std::chrono::milliseconds timeout{60'000};     ///< then the whole process group is killed
  std::size_t output_cap = 8u << 20;             ///< bytes of log; more is an error
  std::size_t cubin_cap = std::size_t{1} << 30;  ///< bytes of cubin; more is an error
};

struct Assembled {
  std::vector<std::byte>
      cubin;        ///< a whole ELF file: bounds of header, sections and kernels checked
  std::string log;  ///< all that was printed; see report/ptxas_log.h
  double ms = 0;    ///< wall time
};

/// The flags of one assembly, in the order used, as ptxas takes them: part of a cache key. Throws
/// std::invalid_argument on a target that is none and on extra flags that are refused.
std::vector<std::string> assemble_flags(const AssembleOptions& options);

/// All members may be called from any thread.
class Assembler {
 public:
  virtual ~Assembler() = default;

  virtual AssemblerKind kind() const = 0;
  /// All that tells one build of it from another; part of every cache key.
  virtual const std::string& version() const = 0;
  /// "ptxas 13.0": the form that kernels.yaml pins budgets to.
  virtual const std::string& release() const = 0;
  /// Throws AssembleError; its text has the messages, each with the PTX line that it speaks of.
  virtual Assembled assemble(std::string_view ptx, const AssembleOptions& options) const = 0;
};

}  // namespace barline::codegen
