// SPDX-License-Identifier: Apache-2.0
#include "runtime/jit/runtime.h"

#include <fmt/format.h>

#include "runtime/jit/assemblers.h"
#include "runtime/launch/budget.h"

namespace barline::jit {
Runtime::Runtime(runtime::Options options) : options_(std::move(options)), cache_(options_.cache) {
  for (const auto& path : options_.packs) packs_.push_back(runtime::Pack::open(path));
}

const codegen::Assembler& Runtime::assembler() {
  std::call_once(assembler_once_, [&] { assembler_ = choose_assembler(options_); });
  return *assembler_;
}

runtime::Found Runtime::find(const Unit& unit) {
  if (std::shared_ptr<const runtime::Entry> entry = memory_.find(unit)) {
    ++cache_.disk().counters().mem_hit;
    return {std::move(entry), runtime::Source::Memory};
  }
  runtime::Found found = find_in_packs(unit);
  if (!found && options_.jit == runtime::Jit::Off) found = find_or_refuse(unit);
  if (!found)
    found = find_or_build(cache_, unit,
                          warm_name(allowed_assemblers(options_).front(), pinned_assembler),
                          [this]() -> const codegen::Assembler& { return assembler(); });
  memory_.keep(unit, found.entry);
  return found;
}

runtime::Found Runtime::find_in_packs(const Unit& unit) const {
  // A library without a build id cannot tell its old kernels from its new ones.
  if (packs_.empty() || unit.entry->library.empty()) return {};
  for (const codegen::AssemblerKind kind : allowed_assemblers(options_)) {
    const runtime::Hash256 warm = warm_key(unit, warm_name(kind, pinned_assembler)).hash();
    for (const auto& pack : packs_)
      if (const runtime::PackRow* row = pack->find(warm))
        return {pack->entry(*row), runtime::Source::Pack};
  }
  return {};
}

runtime::Found Runtime::find_or_refuse(const Unit& unit) {
  const auto kinds = allowed_assemblers(options_);
  for (const codegen::AssemblerKind kind : kinds)
    if (runtime::Found found =
            cache_.lookup_warm(warm_key(unit, warm_name(kind, pinned_assembler))))
      return found;
  const runtime::WarmKey warm = warm_key(unit, warm_name(kinds.front(), pinned_assembler));
  throw JitDisabled(
      fmt::format("'{}' for {} is in no pack and not in the cache, and compiling is off; fill the "
                  "cache first or "
                  "allow it\n{}",
                  config_text(unit), unit.target->name, warm.record().text()));
}

Prepared Runtime::prepare(const driver::Device& device, const dsl::KernelEntry& entry,
                          ir::Elem elem, const dsl::Config& config) {
  const Unit unit{
      .entry = &entry, .elem = elem, .config = config, .target = &target_for(device.info())};
  Prepared prepared(device, find(unit), libraries_);
  runtime::hold_to_budget(prepared, runtime::Code::Cubin, options_.strict_budget,
                          options_.cache.warn);
  return prepared;
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
