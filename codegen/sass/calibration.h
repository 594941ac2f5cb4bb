// SPDX-License-Identifier: Apache-2.0
// The opcodes of one target, learnt by assembling small PTX probes: no disassembler and no table of
// encodings is needed, and a new architecture calibrates itself.
#pragma once

#include <bitset>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "codegen/assembler/ptxas.h"

namespace barline::codegen {

/// Kinds of machine instructions that a schedule makes promises about.
enum class SassOp : std::uint8_t {
#define SASS(name, doc) name,
#include "codegen/sass/sass.def"
#undef SASS
};

inline constexpr int sass_op_count = 0
#define SASS(name, doc) +1
#include "codegen/sass/sass.def"
#undef SASS
    ;

std::string_view sass_op_name(SassOp op);

/// Opcode -> kind. Bits 0..8 of an instruction are its operation, bits 9..11 the operand form;
/// forms of one operation count alike, so the table has 512 rows.
class Calibration {
 public:
  SassOp of(std::uint16_t opcode) const { return ops_[opcode & 511]; }
  bool has(SassOp op) const { return known_[static_cast<int>(op)]; }
  void set(std::uint16_t opcode, SassOp op);
  const std::string& target() const { return target_; }

  /// One line that `from_text` reads back, so that a caller may keep it: it depends on the target
  /// and the version of ptxas alone. "sm_80 Bar=11d Ldg=181 ..."
  std::string text() const;

  /// Throws std::invalid_argument on any other text.
  static Calibration from_text(std::string_view text);

  bool operator==(const Calibration&) const = default;

  explicit Calibration(std::string target = {}) : target_(std::move(target)) {}

 private:
  std::string target_;
  SassOp ops_[512] = {};
  std::bitset<64> known_;
};

/// Assembles the probes for `sm` and reads the opcodes off the cubins. A probe that the target does
/// not accept (wgmma below sm_90a) leaves its kind unknown; one that cannot be told apart throws
/// std::runtime_error. One to three assemblies, about 0.15 s.
Calibration calibrate(const Assembler& assembler, std::string_view sm);

/// Calibrations kept in memory, one a target; safe to share between threads.
class CalibrationCache {
 public:
  explicit CalibrationCache(Ptxas ptxas) : ptxas_(std::move(ptxas)) {}
  const Calibration& get(std::string_view sm);

 private:
  struct Entry;
  Ptxas ptxas_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Entry>, std::less<>> entries_;
};

}  // namespace barline::codegen
