// SPDX-License-Identifier: Apache-2.0
// Every key that kernels.yaml may hold, once: the parser refuses others and the JSON schema is
// printed from this table.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace barline::verify {

/// The kinds of map in kernels.yaml.
enum class Section { File, Kernel, Schedule, Source, Row, Compare };

/// What a key's value is.
enum class ValueKind {
  Text,          ///< a scalar that is not empty
  Count,         ///< an integer from the key's `least` to its `most`
  Number,        ///< a floating-point number above 0
  Targets,       ///< a list of distinct known targets
  Types,         ///< a list of distinct element types
  Dims,          ///< a map name -> integer from 1 to largest_dim
  Args,          ///< a map name -> number
  Shapes,        ///< a map name -> Dims
  Kernels,       ///< a map name -> Section::Source where it has a `source`, else Section::Kernel
  Schedules,     ///< a map name -> Section::Schedule, or nothing
  Budget,        ///< a map target -> Section::Row, under an element type where the kernel has types
  TargetBudget,  ///< a map target -> Section::Row
  SourceFiles,   ///< a path, or a map target -> path
  Notes,         ///< a list of codes such as C7510
  Compare,       ///< Section::Compare
  CompareKind,
  RunPlaces  ///< a list of distinct places to run: `sim` and known targets
};

inline constexpr std::int64_t largest_dim = std::int64_t{1} << 40;

struct KeyInfo {
  Section section;
  std::string_view key;
  ValueKind kind;
  bool required;
  std::string_view doc;
  int least = 0, most = 1 << 30;  ///< of a Count
};

std::span<const KeyInfo> registry_keys();
/// The keys of one section, in table order.
std::vector<std::string> keys_of(Section section);
/// GPU targets that a registry may name, oldest first.
const std::vector<std::string>& known_targets();
/// Element types that a registry may name.
const std::vector<std::string>& known_types();
/// `sim`, then the known targets.
const std::vector<std::string>& run_places();
/// The spellings of compare kinds, in the order of CompareKind.
const std::vector<std::string>& compare_kinds();

}  // namespace barline::verify
