// SPDX-License-Identifier: Apache-2.0
// Assembles PTX text to a cubin with the ptxas program: no shell, no temporary file, a bounded
// wait. Everything here is safe to call from several threads at once.
#pragma once

#include <memory>

#include "codegen/assembler/assembler.h"

namespace barline::codegen {

/// No usable ptxas was found.
struct MissingPtxas : MissingAssembler {
  using MissingAssembler::MissingAssembler;
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

class Ptxas final : public Assembler {
 public:
  /// Resolves the program once, to an absolute path. Throws MissingPtxas.
  static Ptxas find(const FindOptions& options);

  /// Takes this program, an absolute path, as it is.
  static Ptxas at(std::string absolute_path);

  const std::string& path() const;
  AssemblerKind kind() const override { return AssemblerKind::Ptxas; }

  /// The lines of `ptxas --version` that name release and build, joined by "; ". Asked once, on the
  /// first call: "Cuda compilation tools, release 13.0, V13.0.88; Build cuda_13.0.r13.0/...".
  const std::string& version() const override;

  const std::string& release() const override;

  Assembled assemble(std::string_view ptx, const AssembleOptions& options = {}) const override;

 private:
  struct State;
  explicit Ptxas(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace barline::codegen
