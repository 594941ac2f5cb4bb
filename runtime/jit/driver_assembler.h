// SPDX-License-Identifier: Apache-2.0
// The driver's compiler as an assembler, where there is neither ptxas nor nvJitLink. It changes
// with the machine's driver, so what it makes is held to the schedule's budget again once it is
// loaded.
#pragma once

#include "codegen/assembler/assembler.h"
#include "runtime/driver/device.h"

namespace barline::jit {

class DriverAssembler final : public codegen::Assembler {
 public:
  /// Any device of the driver: it assembles for every target that the driver knows.
  explicit DriverAssembler(const driver::Device& device);

  codegen::AssemblerKind kind() const override { return codegen::AssemblerKind::Driver; }
  /// "driver 13.0; libcuda.so.580.95.05".
  const std::string& version() const override { return version_; }
  const std::string& release() const override { return release_; }
  /// A log without the kernels' records is completed by those of the cubin, which know the stack
  /// frame and not what of it is spills.
  codegen::Assembled assemble(std::string_view ptx,
                              const codegen::AssembleOptions& options) const override;

 private:
  driver::Device device_;
  std::string version_, release_;
};

}  // namespace barline::jit
