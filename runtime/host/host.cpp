// SPDX-License-Identifier: Apache-2.0
// Finding is exact and fails closed: a name that means several entries of a cache is an error that
// lists them, never a guess, since two builds of one kernel library leave entries of one name.
#include "runtime/host/host.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "runtime/driver/stream.h"
#include "runtime/host/fit.h"

namespace barline::runtime {
namespace {

constexpr std::size_t most_listed = 8;

bool meant(const KernelRequest& request, std::string_view name, const Hash256& key) {
  if (!request.key.empty() && key.hex() != request.key) return false;
  return request.name.empty() || request.name == name;
}

std::string asked_for(const KernelRequest& request) {
  std::string text = fmt::format("'{}'", request.name);
  if (!request.key.empty()) text += fmt::format(" of key {}", request.key);
  if (!request.bind.empty()) text += fmt::format(" with bind '{}'", request.bind);
  return text;
}

/// The first items, and how many more there are.
std::string some_of(const std::vector<std::string>& items) {
  const std::vector<std::string> shown(
      items.begin(),
      items.begin() + static_cast<std::ptrdiff_t>(std::min(items.size(), most_listed)));
  std::string text = fmt::format("{}", fmt::join(shown, ", "));
  if (items.size() > shown.size()) text += fmt::format(" and {} more", items.size() - shown.size());
  return text;
}

}  // namespace

Host::Host(Options options) : options_(std::move(options)), cache_(options_.cache) {
  for (const auto& path : options_.packs) packs_.push_back(Pack::open(path));
  if (!options_.kernels.empty()) compiler_ = load_compiler(options_);
}

void Host::add_pack(const std::filesystem::path& path) {
  auto pack = Pack::open(path);
  const std::lock_guard guard(mutex_);
  packs_.push_back(std::move(pack));
}

std::vector<std::shared_ptr<const Pack>> Host::packs() {
  const std::lock_guard guard(mutex_);
  return packs_;
}

driver::Device Host::device(int ordinal) {
  const std::lock_guard guard(mutex_);
  if (!driver_) driver_ = driver::Driver::load(options_.driver);
  if (const auto at = devices_.find(ordinal); at != devices_.end()) return at->second;
  return devices_.emplace(ordinal, driver_->device(ordinal)).first->second;
}

std::shared_ptr<const Prepared> Host::prepare(const KernelRequest& request) {
  if (request.name.empty() && request.key.empty())
    throw std::invalid_argument("no kernel is named; pass its name, as in rms_norm.bf16@row256");
  const BoundSizes bound = bound_sizes(request);
  const driver::Device on = device(request.device);
  if (request.stream != nullptr && driver::is_capturing(on, request.stream))
    throw PrepareInCapture(fmt::format(
        "kernel {} is prepared on a stream that is being captured; prepare before the capture, "
        "launches alone belong into it",
        asked_for(request)));
  Code code = Code::Cubin;
  Found found = from_packs(request, bound, on.info(), code);
  if (!found && compiler_) found = compiler_->find(request, on.info());
  if (!found) found = from_cache(request, bound, on.info());
  if (!found) fail_missing(request, on.info());
  auto prepared = std::make_shared<const Prepared>(on, std::move(found), libraries_, code);
  hold_to_budget(*prepared, code, options_.strict_budget, options_.cache.warn);
  return prepared;
}

Found Host::from_packs(const KernelRequest& request, const BoundSizes& bound,
                       const driver::DeviceInfo& device, Code& code) {
  std::shared_ptr<const Entry> best;
  int best_fit = -1;
  const auto offer = [&](const std::shared_ptr<const Entry>& entry, std::optional<int> fit) {
    if (!fit || *fit <= best_fit) return;
    best = entry;
    best_fit = *fit;
  };
  const auto fits_sizes = [&](const std::shared_ptr<const Entry>& entry) {
    return binds(entry->key.value("config"), bound);
  };
  const auto packs = this->packs();
  for (const auto& pack : packs) {
    for (const PackRow& row : pack->rows())
      if (const auto fit = cubin_fit(row.target, device); fit && meant(request, row.name, row.key))
        if (const auto entry = pack->entry(row); fits_sizes(entry)) offer(entry, fit);
    if (best) return {best, Source::Pack};
  }
  if (options_.jit == Jit::Off) return {};
  for (const auto& pack : packs)
    for (const PackRow& row : pack->rows()) {
      if (!meant(request, row.name, row.key)) continue;
      if (const auto entry = pack->entry(row); fits_sizes(entry))
        offer(entry, ptx_fit(entry->ptx, device));
    }
  if (best) code = Code::Ptx;
  return {best, Source::Pack};
}

Found Host::from_cache(const KernelRequest& request, const BoundSizes& bound,
                       const driver::DeviceInfo& device) {
  std::map<Hash256, NamedEntry> best;
  int best_fit = -1;
  const DiskCache& disk = cache_.disk();
  for (NamedEntry& entry :
       request.name.empty() ? named_entries(disk) : named_entries(disk, request.name)) {
    const auto fit = cubin_fit(entry.target, device);
    if (!fit || *fit < best_fit || !meant(request, entry.name, entry.key)) continue;
    if (!binds(entry.config, bound)) continue;
    if (*fit > best_fit) best.clear();
    best_fit = *fit;
    best.emplace(entry.key, std::move(entry));
  }
  if (best.empty()) return {};
  if (best.size() == 1) return cache_.disk().find(best.begin()->first);
  std::vector<std::string> keys;
  for (const auto& [key, entry] : best)
    keys.push_back(fmt::format("{} ({})", key.hex(), entry.config));
  throw KernelNotFound(
      fmt::format("{} means {} entries of the cache {}; pass the key of one, or load a pack: {}",
                  asked_for(request), best.size(), options_.cache.dir.string(), some_of(keys)));
}

void Host::fail_missing(const KernelRequest& request, const driver::DeviceInfo& device) {
  std::vector<std::string> targets, labels;
  bool has_ptx = false;
  for (const auto& pack : packs()) {
    labels.push_back(pack->label());
    for (const PackRow& row : pack->rows()) {
      if (!meant(request, row.name, row.key)) continue;
      targets.push_back(row.target);
      has_ptx = has_ptx || ptx_fit(pack->entry(row)->ptx, device);
    }
  }
  std::string text =
      fmt::format("no kernel {} for {} (sm_{})", asked_for(request), device.name, device.sm());
  text +=
      fmt::format(" in packs [{}] and cache '{}'", some_of(labels), options_.cache.dir.string());
  if (!targets.empty())
    text += fmt::format("; the packs have it for {}{}", fmt::join(targets, ", "),
                        request.bind.empty() ? "" : ", some of other sizes");
  if (has_ptx) text += " and as PTX, which may not be compiled here (jit is off)";
  if (targets.empty())
    if (const auto known = names(); !known.empty())
      text += fmt::format("; there are {}", some_of(known));
  throw KernelNotFound(text +
                       ". Write a pack with `barline pack NAME --arch ... -o FILE`, fill the cache "
                       "with `barline build`, or compile from kernel libraries (options.kernels)");
}

std::vector<std::string> Host::names() {
  std::set<std::string> names;
  for (const auto& pack : packs())
    for (const PackRow& row : pack->rows()) names.insert(row.name);
  for (const NamedEntry& entry : named_entries(cache_.disk())) names.insert(entry.name);
  if (compiler_)
    for (std::string& name : compiler_->names()) names.insert(std::move(name));
  return {names.begin(), names.end()};
}

}  // namespace barline::runtime
