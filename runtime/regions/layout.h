// SPDX-License-Identifier: Apache-2.0
// Timed regions of a kernel: their table, which travels with the kernel, and the layout of the
// buffer that blocks write their samples to (fields.def). Compiler and hosts share it; it stands
// alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace barline::regions {

enum class Class : std::uint8_t {
#define REGION_CLASS(id, name, doc) id,
#include "runtime/regions/classes.def"
#undef REGION_CLASS
};

struct Row {
  std::string_view name, doc;
};
inline constexpr Row classes[] = {
#define REGION_CLASS(id, name, doc) {name, doc},
#include "runtime/regions/classes.def"
#undef REGION_CLASS
};
constexpr std::string_view name(Class c) { return classes[static_cast<std::size_t>(c)].name; }
constexpr std::optional<Class> parse_class(std::string_view text) {
  for (std::size_t i = 0; i < std::size(classes); ++i)
    if (classes[i].name == text) return static_cast<Class>(i);
  return std::nullopt;
}

/// One region of a kernel.
struct Region {
  std::string name;
  Class klass = Class::Work;
  /// Which blocks come there: empty for all, a condition on ids and sizes, or `dynamic`.
  std::string where{};
  bool operator==(const Region&) const = default;
};
inline constexpr std::string_view dynamic = "dynamic";

enum class BlockField : std::uint8_t {
#define BLOCK_FIELD(id, name, doc) id,
#include "runtime/regions/fields.def"
};
enum class RegionField : std::uint8_t {
#define REGION_FIELD(id, name, doc) id,
#include "runtime/regions/fields.def"
};
inline constexpr Row block_fields[] = {
#define BLOCK_FIELD(id, name, doc) {name, doc},
#include "runtime/regions/fields.def"
};
inline constexpr Row region_fields[] = {
#define REGION_FIELD(id, name, doc) {name, doc},
#include "runtime/regions/fields.def"
};
// Neighbouring fields are stored two at once.
static_assert(std::size(block_fields) % 2 == 0 && std::size(region_fields) % 2 == 0);

/// Words of a block's row.
constexpr std::size_t words_a_block(std::size_t regions) {
  return std::size(block_fields) + regions * std::size(region_fields);
}
/// Where a field stands in the row.
constexpr std::size_t place(BlockField f) { return static_cast<std::size_t>(f); }
constexpr std::size_t place(std::size_t region, RegionField f) {
  return words_a_block(region) + static_cast<std::size_t>(f);
}

/// The parameter of a timed kernel, its last: u64 [blocks along z][y][x][words of a block].
inline constexpr std::string_view parameter = "region_times";

}  // namespace barline::regions
