// SPDX-License-Identifier: Apache-2.0
// The environment, read once and turned into values. secure_getenv: a program with more rights than
// its user takes no directions from the user's environment.
#include "runtime/options.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace barline::runtime {
namespace {

using namespace std::string_view_literals;

constexpr std::array<std::pair<std::string_view, AssemblerChoice>, 4> assemblers{
    {{"auto"sv, AssemblerChoice::Auto},
     {"ptxas"sv, AssemblerChoice::Ptxas},
     {"nvjitlink"sv, AssemblerChoice::NvJitLink},
     {"driver"sv, AssemblerChoice::Driver}}};

/// Set and not empty.
std::optional<std::string> variable(const char* name) {
  const char* value = ::secure_getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

template <typename T>
void choose(const char* name, T& out, std::span<const std::pair<std::string_view, T>> choices) {
  const auto value = variable(name);
  if (!value) return;
  std::string known;
  for (const auto& [text, choice] : choices) {
    if (*value == text) {
      out = choice;
      return;
    }
    known += fmt::format("{}{}", known.empty() ? "" : ", ", text);
  }
  throw std::invalid_argument(fmt::format("{}='{}': expected one of {}", name, *value, known));
}

void read_path(const char* name, std::filesystem::path& out) {
  const auto value = variable(name);
  if (!value) return;
  out = *value;
  if (!out.is_absolute()) {
    throw std::invalid_argument(fmt::format("{}='{}': expected an absolute path", name, *value));
  }
}

void read_number(const char* name, std::uint64_t& out) {
  const auto value = variable(name);
  if (!value) return;
  const char* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, out);
  if (error != std::errc() || stop != end) {
    throw std::invalid_argument(fmt::format("{}='{}': expected a number", name, *value));
  }
}

/// XDG says that a relative path is no path; so does an unset HOME.
std::filesystem::path default_cache_dir() {
  if (const auto xdg = variable("XDG_CACHE_HOME"); xdg && xdg->starts_with('/')) {
    return std::filesystem::path(*xdg) / "barline";
  }
  if (const auto home = variable("HOME"); home && home->starts_with('/')) {
    return std::filesystem::path(*home) / ".cache" / "barline";
  }
  return {};
}

}  // namespace

std::optional<AssemblerChoice> parse_assembler(std::string_view text) {
  for (const auto& [name, choice] : assemblers)
    if (name == text) return choice;
  return std::nullopt;
}

std::vector<std::filesystem::path> split_paths(std::string rest) {
  std::vector<std::filesystem::path> paths;
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    if (colon > 0) paths.emplace_back(rest.substr(0, colon));
    rest.erase(0, colon + 1);
  }
  return paths;
}

Options options_from_environment() {
  constexpr std::array<std::pair<std::string_view, CacheMode>, 3> modes{
      {{"private"sv, CacheMode::Private},
       {"shared"sv, CacheMode::Shared},
       {"off"sv, CacheMode::Off}}};
  constexpr std::array<std::pair<std::string_view, Jit>, 2> jits{
      {{"on"sv, Jit::On}, {"off"sv, Jit::Off}}};
  constexpr std::array<std::pair<std::string_view, bool>, 2> switches{
      {{"0"sv, false}, {"1"sv, true}}};

  Options options;
  options.cache.dir = default_cache_dir();
  read_path("BARLINE_CACHE_DIR", options.cache.dir);
  choose<CacheMode>("BARLINE_CACHE_MODE", options.cache.mode, modes);
  options.cache.seeds = split_paths(variable("BARLINE_CACHE_SEED").value_or(""));
  options.packs = split_paths(variable("BARLINE_PACK").value_or(""));
  read_number("BARLINE_CACHE_MAX_BYTES", options.cache.max_bytes);
  read_number("BARLINE_CACHE_MAX_FILES", options.cache.max_files);
  choose<Jit>("BARLINE_JIT", options.jit, jits);
  choose<AssemblerChoice>("BARLINE_ASSEMBLER", options.assembler, assemblers);
  choose<bool>("BARLINE_STRICT_BUDGET", options.strict_budget, switches);
  read_path("BARLINE_PTXAS", options.ptxas);
  read_path("BARLINE_NVJITLINK", options.nvjitlink);
  read_path("CUDA_HOME", options.cuda_home);
  options.path = variable("PATH").value_or("");
  if (const auto library = variable("BARLINE_LIBCUDA")) options.driver.libraries = {*library};
  return options;
}

}  // namespace barline::runtime
