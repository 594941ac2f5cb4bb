// SPDX-License-Identifier: Apache-2.0
// A kept row is a cache entry without a cubin: the schedule's text stands where PTX would, figures
// stand among the metadata. The warm key, which alone may be replaced, leads to the latest one.
#include "runtime/jit/tuned_store.h"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

namespace barline::jit {
namespace {

std::string sizes_text(const dsl::Sizes& sizes) {
  std::string text;
  for (const auto& [axis, n] : sizes) text += fmt::format(" {}={}", axis, n);
  return text;
}

runtime::WarmKey warm_key(const std::string& kernel, const std::string& type,
                          const std::string& target, const std::string& device,
                          const dsl::Sizes& sizes) {
  return {.kernel = kernel,
          .config = fmt::format("{}{}", type, sizes_text(sizes)),
          .target = target,
          .options = "tuned on " + device};
}

double number(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

void keep_tuned(runtime::KernelCache& cache, const dsl::TunedRow& row) {
  runtime::Entry entry;
  entry.ptx = ir::text(row.schedule.value);
  entry.metadata.kernel = row.kernel;
  entry.metadata.schedule = std::string(row.schedule.value.name);
  entry.metadata.target = row.target;
  entry.metadata.extra = {{"what", "tuned schedule"},
                          {"shape", row.shape},
                          {"us", fmt::format("{}", row.us)},
                          {"us_min", fmt::format("{}", row.us_min)},
                          {"us_max", fmt::format("{}", row.us_max)},
                          {"driver", row.driver},
                          {"date", row.date}};
  runtime::WarmKey warm = warm_key(row.kernel, row.type, row.target, row.device, row.sizes);
  entry.key.add("what", "tuned schedule").add("for", warm.record().text()).add("fields", entry.ptx);
  for (const auto& [name, value] : entry.metadata.extra)
    if (name != "what") entry.key.add(name, value);
  runtime::Hash256 hash = entry.key.hash();
  if (cache.disk().publish(hash, entry)) cache.disk().publish_warm(warm, hash);
}

std::optional<dsl::TunedRow> find_tuned(runtime::KernelCache& cache, const std::string& kernel,
                                        const std::string& type, const std::string& target,
                                        const std::string& device, const dsl::Sizes& sizes) {
  auto hash = cache.disk().find_warm(warm_key(kernel, type, target, device, sizes));
  if (!hash) return {};
  runtime::Found found = cache.disk().find(*hash);
  if (!found) return {};
  const runtime::Metadata& m = found.entry->metadata;
  dsl::TunedRow row;
  try {
    row.schedule = ir::parse_schedule(m.schedule, found.entry->ptx);
  } catch (const std::invalid_argument&) {
    return {};
  }
  row.kernel = kernel;
  row.type = type;
  row.target = target;
  row.shape = std::string(m.extra_value("shape"));
  row.sizes = sizes;
  row.us = number(m.extra_value("us"));
  row.us_min = number(m.extra_value("us_min"));
  row.us_max = number(m.extra_value("us_max"));
  row.device = device;
  row.driver = std::string(m.extra_value("driver"));
  row.date = std::string(m.extra_value("date"));
  return row;
}

}  // namespace barline::jit
