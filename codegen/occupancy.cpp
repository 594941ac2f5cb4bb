// SPDX-License-Identifier: Apache-2.0
// Constants: CUDA programming guide, "Technical Specifications per Compute Capability". Rounding:
// a warp takes registers in granules of 256 from one of the SM's four files; a block takes shared
// memory in granules of 128 bytes plus the 1 KiB that the system reserves.
#include "codegen/occupancy.h"

#include <algorithm>
#include <charconv>

namespace barline::codegen {
namespace {

constexpr int kib = 1024;

constexpr SmLimits table[] = {
    {.sm = 80, .warps = 64, .blocks = 32, .smem = 164 * kib, .smem_per_block = 163 * kib},
    {.sm = 86, .warps = 48, .blocks = 16, .smem = 100 * kib, .smem_per_block = 99 * kib},
    {.sm = 89, .warps = 48, .blocks = 24, .smem = 100 * kib, .smem_per_block = 99 * kib},
    {.sm = 90, .warps = 64, .blocks = 32, .smem = 228 * kib, .smem_per_block = 227 * kib},
    {.sm = 120, .warps = 48, .blocks = 24, .smem = 100 * kib, .smem_per_block = 99 * kib},
    {.sm = 121, .warps = 48, .blocks = 24, .smem = 100 * kib, .smem_per_block = 99 * kib},
};

int round_up(int value, int granule) { return (value + granule - 1) / granule * granule; }

// Warps come in whole numbers a register file, so the files are filled one by one.
int blocks_by_registers(const SmLimits& limits, int registers, int warps_per_block) {
  int per_warp = round_up(std::max(registers, 1) * 32, limits.register_granule);
  int warps = limits.registers / limits.partitions / per_warp * limits.partitions;
  return warps / warps_per_block;
}

int blocks_by_smem(const SmLimits& limits, int smem) {
  return limits.smem / round_up(smem + limits.smem_reserved, limits.smem_granule);
}

bool fits(const SmLimits& limits, const KernelUse& use, int warps_per_block) {
  int per_warp = round_up(use.registers * 32, limits.register_granule);
  return use.threads > 0 && use.threads <= limits.threads_per_block && use.registers >= 0 &&
         use.registers <= limits.registers_per_thread && use.smem >= 0 &&
         use.smem <= limits.smem_per_block &&
         per_warp * warps_per_block <= limits.registers_per_block;
}

}  // namespace

std::optional<SmLimits> sm_limits(std::string_view target) {
  if (!target.starts_with("sm_")) return {};
  target.remove_prefix(3);
  if (target.ends_with('a') || target.ends_with('f')) target.remove_suffix(1);
  int sm = 0;
  auto [end, error] = std::from_chars(target.data(), target.data() + target.size(), sm);
  if (error != std::errc() || end != target.data() + target.size()) return {};
  auto found = std::ranges::find(table, sm, &SmLimits::sm);
  if (found == std::end(table)) return {};
  return *found;
}

std::string_view limiter_name(Limiter limiter) {
  switch (limiter) {
    case Limiter::Warps: return "warps";
    case Limiter::Blocks: return "blocks";
    case Limiter::Registers: return "registers";
    case Limiter::SharedMemory: return "shared memory";
    case Limiter::DoesNotFit: return "does not fit";
  }
  return "does not fit";
}

Occupancy occupancy(const SmLimits& limits, const KernelUse& use) {
  int warps_per_block = (use.threads + 31) / 32;
  if (!fits(limits, use, warps_per_block)) return {};
  const std::pair<Limiter, int> bounds[] = {
      {Limiter::Warps, limits.warps / warps_per_block},
      {Limiter::Blocks, limits.blocks},
      {Limiter::Registers, blocks_by_registers(limits, use.registers, warps_per_block)},
      {Limiter::SharedMemory, blocks_by_smem(limits, use.smem)}};
  auto least = std::ranges::min_element(bounds, {}, &std::pair<Limiter, int>::second);
  if (least->second < 1) return {};
  int warps = least->second * warps_per_block;
  return {.blocks_per_sm = least->second,
          .warps_per_sm = warps,
          .fraction = static_cast<double>(warps) / limits.warps,
          .limiter = least->first};
}

}  // namespace barline::codegen
