// SPDX-License-Identifier: Apache-2.0
// What is known of a compiled kernel besides its code: all that a host needs to launch it and all
// that a report prints, so that a cache hit answers both without the compiler.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace barline::runtime {

struct Metadata {
  std::string kernel{};     ///< registry name
  std::string schedule{};   ///< schedule name
  std::string target{};     ///< "sm_90a"
  std::string entry{};      ///< symbol in the cubin
  std::string signature{};  ///< launch signature as the compiler spells it; opaque here
  std::string assembler{};  ///< full version line

  std::uint32_t registers = 0;
  std::uint32_t spill_stores = 0, spill_loads = 0;  ///< bytes, maximum over the call graph
  std::uint32_t stack = 0;                          ///< bytes
  std::uint32_t static_smem = 0, dynamic_smem = 0;  ///< bytes a block
  std::uint32_t barriers = 0;                       ///< static count on the IR
  std::uint32_t barriers_per_step = 0;
  std::uint32_t threads_x = 1, threads_y = 1, threads_z = 1;  ///< .maxntid
  std::uint32_t min_blocks_per_sm = 0;                        ///< .minnctapersm, 0: none
  std::uint32_t cluster_x = 1, cluster_y = 1, cluster_z = 1;
  bool cooperative = false;
  bool persistent = false;       ///< as many blocks are launched as fit, at most one a tile
  bool awaits_previous = false;  ///< waits for the grid before itself: may be launched beside it
  std::uint64_t workspace_bytes = 0, workspace_align = 0;
  double compile_ms = 0;
  std::string verdicts{};  ///< gate and proof verdicts, as the caller spells them

  /// Anything else, by name. Readers keep what they do not know.
  std::vector<std::pair<std::string, std::string>> extra{};

  /// Visits every typed member with its name; serves encoding, decoding, printing and JSON.
  template <typename Self, typename F>
  static void fields(Self& self, F&& f) {
    f("kernel", self.kernel);
    f("schedule", self.schedule);
    f("target", self.target);
    f("entry", self.entry);
    f("signature", self.signature);
    f("assembler", self.assembler);
    f("registers", self.registers);
    f("spill_stores", self.spill_stores);
    f("spill_loads", self.spill_loads);
    f("stack", self.stack);
    f("static_smem", self.static_smem);
    f("dynamic_smem", self.dynamic_smem);
    f("barriers", self.barriers);
    f("barriers_per_step", self.barriers_per_step);
    f("threads_x", self.threads_x);
    f("threads_y", self.threads_y);
    f("threads_z", self.threads_z);
    f("min_blocks_per_sm", self.min_blocks_per_sm);
    f("cluster_x", self.cluster_x);
    f("cluster_y", self.cluster_y);
    f("cluster_z", self.cluster_z);
    f("cooperative", self.cooperative);
    f("persistent", self.persistent);
    f("awaits_previous", self.awaits_previous);
    f("workspace_bytes", self.workspace_bytes);
    f("workspace_align", self.workspace_align);
    f("compile_ms", self.compile_ms);
    f("verdicts", self.verdicts);
  }

  std::string_view extra_value(std::string_view name) const;
  std::uint32_t smem() const { return static_smem + dynamic_smem; }

  std::vector<std::byte> encode() const;
  static std::optional<Metadata> decode(std::span<const std::byte> bytes);
  friend bool operator==(const Metadata&, const Metadata&) = default;
};

}  // namespace barline::runtime
