// SPDX-License-Identifier: Apache-2.0
#include "runtime/jit/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>
#include <stdexcept>

#include "dsl/plugin.h"

namespace barline::jit {
namespace {

/// The symbol in that very object, and not in one that it depends on.
void* symbol_of(void* handle, const char* name, const std::filesystem::path& object) {
  void* symbol = ::dlsym(handle, name);
  Dl_info info{};
  if (!symbol || ::dladdr(symbol, &info) == 0) return nullptr;
  std::error_code error;
  return std::filesystem::equivalent(info.dli_fname, object, error) ? symbol : nullptr;
}

}  // namespace

void load_plugin(const std::string& path, dsl::Registry& registry) {
  std::error_code error;
  std::filesystem::path object = std::filesystem::absolute(path, error);
  if (!std::filesystem::is_regular_file(object, error)) {
    throw std::invalid_argument(fmt::format("plugin {}: no such file; check the path", path));
  }
  void* handle = ::dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    throw std::invalid_argument(
        fmt::format("plugin {}: it cannot be loaded ({}); build it as a shared object "
                    "against this barline",
                    path, ::dlerror()));
  }
  auto* stamp =
      static_cast<const dsl::PluginStamp*>(symbol_of(handle, "barline_plugin_stamp", object));
  if (!stamp) {
    throw std::invalid_argument(
        fmt::format("plugin {}: it has no ABI stamp; include dsl/plugin.h in it", path));
  }
  if (!(*stamp == dsl::PluginStamp{})) {
    throw std::invalid_argument(fmt::format(
        "plugin {}: it was compiled for another barline or compiler; rebuild it against this one",
        path));
  }
  void* entry = symbol_of(handle, "barline_plugin", object);
  if (!entry) {
    throw std::invalid_argument(
        fmt::format("plugin {}: it does not export barline_plugin; define extern \"C\" "
                    "void barline_plugin(barline::dsl::Registry&)",
                    path));
  }
  try {
    registry.from_library(entry);
    reinterpret_cast<void (*)(dsl::Registry&)>(entry)(registry);
  } catch (const std::invalid_argument& e) {
    throw std::invalid_argument(fmt::format("plugin {}: {}", path, e.what()));
  }
}

}  // namespace barline::jit
