// SPDX-License-Identifier: Apache-2.0
// What a plugin includes once: the stamp by which `barline --plugin` knows, before it runs any of
// the plugin's code, that both sides were compiled for the same ABI. The plugin then exports
//   extern "C" void barline_plugin(barline::dsl::Registry& registry);
#pragma once

#include <cstdint>

#include "dsl/registry.h"

namespace barline::dsl {

/// Plain data, read out of the plugin by its symbol's name.
struct PluginStamp {
  char magic[8] = {'b', 'a', 'r', 'l', 'i', 'n', 'e', 1};
  std::uint32_t compiler_abi = __GXX_ABI_VERSION;
  std::uint32_t string_abi = _GLIBCXX_USE_CXX11_ABI;
  std::uint32_t entry_bytes = sizeof(KernelEntry);
  std::uint32_t source_bytes = sizeof(KernelSource);
  std::uint32_t config_bytes = sizeof(Config);
  bool operator==(const PluginStamp&) const = default;
};

}  // namespace barline::dsl

// Weak: every translation unit of a plugin may include this header. One symbol of it stays.
extern "C" [[gnu::weak, gnu::used,
             gnu::visibility("default")]] const barline::dsl::PluginStamp barline_plugin_stamp{};
