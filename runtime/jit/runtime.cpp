// SPDX-License-Identifier: Apache-2.0
#include "runtime/jit/runtime.h"

#include <fmt/format.h>

namespace barline::jit {

Runtime::Runtime(runtime::Options options) : options_(std::move(options)), cache_(options_.cache) {
  for (const auto& path : options_.packs) packs_.push_back(runtime::Pack::open(path));
}

const codegen::Ptxas& Runtime::ptxas() {
  std::call_once(ptxas_once_, [&] {
    ptxas_ = codegen::Ptxas::find({.explicit_path = options_.ptxas.string(),
                                   .cuda_home = options_.cuda_home.string(),
                                   .path_env = options_.path,
                                   .allow_path = !options_.path.empty()});
  });
  return *ptxas_;
}

runtime::Found Runtime::find(const Unit& unit) {
  if (std::shared_ptr<const runtime::Entry> entry = memory_.find(unit)) {
    ++cache_.disk().counters().mem_hit;
    return {std::move(entry), runtime::Source::Memory};
  }
  runtime::Found found = find_in_packs(unit);
  if (!found && options_.jit == runtime::Jit::Off) found = find_or_refuse(unit);
  if (!found)
    found = find_or_build(cache_, unit, pinned_assembler,
                          [this]() -> const codegen::Ptxas& { return ptxas(); });
  memory_.keep(unit, found.entry);
  return found;
}

runtime::Found Runtime::find_in_packs(const Unit& unit) const {
  // A library without a build id cannot tell its old kernels from its new ones.
  if (packs_.empty() || unit.entry->library.empty()) return {};
  const runtime::Hash256 warm = warm_key(unit, pinned_assembler).hash();
  for (const auto& pack : packs_)
    if (const runtime::PackRow* row = pack->find(warm))
      return {pack->entry(*row), runtime::Source::Pack};
  return {};
}

runtime::Found Runtime::find_or_refuse(const Unit& unit) {
  const runtime::WarmKey warm = warm_key(unit, pinned_assembler);
  if (runtime::Found found = cache_.lookup_warm(warm)) return found;
  throw JitDisabled(
      fmt::format("'{}' for {} is in no pack and not in the cache, and compiling is off; fill the "
                  "cache first or "
                  "allow it\n{}",
                  config_text(unit), unit.target->name, warm.record().text()));
}

Prepared Runtime::prepare(const driver::Device& device, const dsl::KernelEntry& entry,
                          ir::Elem elem, const dsl::Config& config) {
  runtime::Found found =
      find({.entry = &entry, .elem = elem, .config = config, .target = &target_for(device.info())});
  return {device, std::move(found)};
}

const ir::Target& target_for(const driver::DeviceInfo& device) {
  // Code for capability x.y runs on x.z, z >= y; the sm_90a code on 9.0 alone.
  const ir::Target* best = nullptr;
  for (const ir::Target& t : ir::targets())
    if (t.capability / 10 == device.major && t.capability <= device.sm()) best = &t;
  if (!best)
    throw std::runtime_error(
        fmt::format("{} has compute capability {}.{}; the targets are sm_80, sm_86, sm_89, sm_90a, "
                    "sm_120 and sm_121",
                    device.name, device.major, device.minor));
  return *best;
}

}  // namespace barline::jit
