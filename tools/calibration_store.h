// SPDX-License-Identifier: Apache-2.0
// Opcode calibrations of the SASS decoder, kept in the cubin cache: learning one takes some forty
// runs of ptxas, reading it back takes none.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "codegen/sass/calibration.h"
#include "runtime/cache/kernel_cache.h"

namespace barline::tools {

class CalibrationStore {
 public:
  CalibrationStore(const codegen::Assembler& assembler, runtime::KernelCache& cache)
      : assembler_(assembler), cache_(cache) {}

  /// The calibration of a target; safe to call from several threads.
  const codegen::Calibration& get(const std::string& target);

 private:
  const codegen::Assembler& assembler_;
  runtime::KernelCache& cache_;
  std::mutex mutex_;
  std::map<std::string, codegen::Calibration> known_;
};

/// "Bar 1a3 2b4\n..." : one line a kind, its opcodes in hexadecimal.
std::string to_text(const codegen::Calibration& calibration);
/// The inverse; nothing when the text is not of this form.
std::optional<codegen::Calibration> calibration_of(const std::string& text,
                                                   const std::string& target);

}  // namespace barline::tools
