// SPDX-License-Identifier: Apache-2.0
// One compiled config on one target with everything that is counted on it: the row that build, gate
// and explain print, with the field names of their JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace barline::verify {

struct ResourceRow {
  std::string kernel{};  ///< family
  std::string type{};    ///< element type, or empty
  std::string schedule{};
  std::string target{};
  std::string error{};      ///< why there is no record; the figures below then mean nothing
  bool gone = false;        ///< with an error: the register names a kernel that is not there
  bool from_cubin = false;  ///< read from a file's cubin: no assembler, and spills are not known
  int registers = 0;
  int spill_stores = 0, spill_loads = 0;  ///< bytes
  int stack = 0, smem = 0;                ///< bytes
  int barriers = 0;                       ///< static count on the IR
  std::optional<int> barriers_per_step{};
  std::optional<int> ctas_per_sm{};     ///< blocks that fit an SM, where the threads are known
  std::optional<int> bank_conflicts{};  ///< extra cycles of a block, where they were counted
  std::optional<int> bars{};            ///< static count in the machine code
  std::optional<int> local_accesses{};  ///< loads and stores of local memory in the machine code
  std::optional<int> loads_before_wait{}, loads_before_mma{};
  std::optional<double> movs_per_mma{};
  long ptx_bytes = 0;
  double compile_ms = 0;
  std::string cache = "off";             ///< hit, miss or off
  std::vector<std::string> notes{};      ///< codes of ptxas's performance-loss notes: "C7508"
  std::vector<std::string> conflicts{};  ///< figures on which log and cubin disagree

  /// "rms_norm.bf16@row256"
  std::string config() const;
  /// Bytes of stores and loads together: a sum, so that neither grows unseen under the other.
  int spills() const { return spill_stores + spill_loads; }
};

/// "family.type@schedule", without the parts that are empty.
std::string config_name(const std::string& kernel, const std::string& type,
                        const std::string& schedule);

}  // namespace barline::verify
