// SPDX-License-Identifier: Apache-2.0
// Assembles PTX text to a cubin with the ptxas program: no shell, no temporary file, a bounded
// wait. Everything here is safe to call from several threads at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace barline::codegen {

/// No usable ptxas was found. The text lists each place that was looked at, why it was refused, and
/// how to get one. The command line exits 3 on it.
struct MissingPtxas : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// ptxas refused the text, was killed, left a cubin that is not whole, or code without the overlap
/// that the text asks for.
struct AssembleError : std::runtime_error {
  AssembleError(const std::string& what, std::string log, int exit_status, bool timed_out = false)
      : std::runtime_error(what),
        log(std::move(log)),
        exit_status(exit_status),
        timed_out(timed_out) {}
  std::string log;      ///< all that ptxas printed, cut at the output cap
  int exit_status = 0;  ///< the exit code, or 128 + signal; -1 when it was never learnt
  bool timed_out = false;
};

/// Where to look for ptxas, in this order: explicit_path, cuda_home/bin, /usr/local/cuda/bin, then
/// (only with allow_path) the elements of path_env. The caller reads the environment, never this
/// code.
struct FindOptions {
  std::string explicit_path = {};  ///< `--ptxas`; when set it is the only place
  std::string cuda_home = {};      ///< value of CUDA_HOME
  std::string path_env = {};       ///< value of PATH
  bool allow_path = false;         ///< whether path_env may be used at all
  std::string toolkit = "/usr/local/cuda";
};

struct AssembleOptions {
  std::string sm = "sm_90a";            ///< `-arch`: sm_<number> with an optional a or f
  bool lineinfo = false;                ///< keep the line table of the PTX's `.loc` lines
  bool fmad = false;                    ///< contract products and sums without a rounding mode
  std::vector<std::string> extra = {};  ///< appended in this order; flags that would hide or alter
                                        ///< the report (-w, -Werror, -maxrregcount, -o) are refused
  std::chrono::milliseconds timeout{60'000};     ///< then the whole process group is killed
  std::size_t output_cap = 8u << 20;             ///< bytes of log; more is an error
  std::size_t cubin_cap = std::size_t{1} << 30;  ///< bytes of cubin; more is an error
};

struct Assembled {
  std::vector<std::byte>
      cubin;        ///< a whole ELF file: bounds of header, sections and kernels checked
  std::string log;  ///< stderr and stdout of `ptxas -v`; see report/ptxas_log.h
  double ms = 0;    ///< wall time, start of the process to its end
};

/// The command line of one assembly without input and output, in the order used: part of a cache
/// key.
std::vector<std::string> assemble_flags(const AssembleOptions& options);

class Ptxas {
 public:
  /// Resolves the program once, to an absolute path. Throws MissingPtxas.
  static Ptxas find(const FindOptions& options);

  /// Takes this program, an absolute path, as it is.
  static Ptxas at(std::string absolute_path);

  const std::string& path() const;

  /// The lines of `ptxas --version` that name release and build, joined by "; ". Asked once, on the
  /// first call: "Cuda compilation tools, release 13.0, V13.0.88; Build cuda_13.0.r13.0/...".
  const std::string& version() const;

  /// "ptxas 13.0": the form that kernels.yaml pins budgets to.
  const std::string& release() const;

  /// Throws AssembleError; its text has ptxas's messages, each with the PTX line that it speaks of.
  Assembled assemble(std::string_view ptx, const AssembleOptions& options = {}) const;

 private:
  struct State;
  explicit Ptxas(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace barline::codegen
