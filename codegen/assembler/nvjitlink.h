// SPDX-License-Identifier: Apache-2.0
// Assembles with nvJitLink, NVIDIA's ptxas as a library: for machines that have the wheel of it or
// a CUDA runtime, but no ptxas. It is opened when it is asked for; the build needs nothing of it.
#pragma once

#include <memory>

#include "codegen/assembler/assembler.h"

namespace barline::codegen {

/// Where to look for libnvJitLink, in this order: explicit_path, cuda_home/lib64 and /lib, the
/// toolkit's, then what this process has loaded already. The caller reads the environment.
struct NvJitLinkSearch {
  std::string explicit_path = {};  ///< when set it is the only place
  std::string cuda_home = {};      ///< value of CUDA_HOME
  std::string toolkit = "/usr/local/cuda";
  bool loaded = true;  ///< whether a library that this process has loaded may be taken
};

/// It runs in this process: it cannot be stopped, and a fault of it is one of the process. A target
/// that its release does not know ends the process, so such a target is refused here.
class NvJitLink final : public Assembler {
 public:
  /// Opens the library, once; it stays loaded. Throws MissingAssembler.
  static NvJitLink open(const NvJitLinkSearch& search);

  const std::string& path() const;
  AssemblerKind kind() const override { return AssemblerKind::NvJitLink; }
  /// "nvJitLink 13.0; Build <build id of the library>".
  const std::string& version() const override;
  const std::string& release() const override;
  Assembled assemble(std::string_view ptx, const AssembleOptions& options = {}) const override;

 private:
  struct Library;
  explicit NvJitLink(std::shared_ptr<const Library> library) : library_(std::move(library)) {}
  std::shared_ptr<const Library> library_;
};

/// Whether that release of nvJitLink (130 for 13.0) assembles for a target, as in "sm_90a".
bool nvjitlink_knows(int release, std::string_view sm);

}  // namespace barline::codegen
