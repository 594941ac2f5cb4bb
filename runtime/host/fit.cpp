// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/fit.h"

#include <charconv>

namespace barline::runtime {
namespace {

constexpr std::string_view target_directive = ".target ";

}  // namespace

std::optional<TargetName> parse_target(std::string_view name) {
  if (!name.starts_with("sm_")) return std::nullopt;
  name.remove_prefix(3);
  TargetName target;
  const auto [stop, error] =
      std::from_chars(name.data(), name.data() + name.size(), target.capability);
  if (error != std::errc()) return std::nullopt;
  target.specific = stop != name.data() + name.size();
  return target;
}

std::optional<int> cubin_fit(std::string_view target, const driver::DeviceInfo& device) {
  const auto t = parse_target(target);
  if (!t || t->capability / 10 != device.major || t->capability > device.sm()) return std::nullopt;
  if (t->specific && t->capability != device.sm()) return std::nullopt;
  return t->capability;
}

std::optional<int> ptx_fit(std::string_view ptx, const driver::DeviceInfo& device) {
  const std::size_t at = ptx.find(target_directive);
  if (at == ptx.npos) return std::nullopt;
  const std::string_view rest = ptx.substr(at + target_directive.size());
  const auto t = parse_target(rest.substr(0, rest.find_first_of(", \n\r\t")));
  if (!t || t->specific || t->capability > device.sm()) return std::nullopt;
  return t->capability;
}

}  // namespace barline::runtime
