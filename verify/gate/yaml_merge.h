// SPDX-License-Identifier: Apache-2.0
// Writes values into YAML text in place: comments, layout and order of what stands there stay.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "verify/gate/yaml_tree.h"

namespace barline::verify {

/// Values to write, as a tree. A node with a text is a scalar, one with `keep` a list, any other a
/// map.
struct YamlWant {
  std::string text{};
  bool only_if_present = false;  ///< replace a value that stands there, never insert one
  /// Of a list that stands there these items stay alone; without one of them its key goes too.
  std::optional<std::vector<std::string>> keep{};
  std::vector<std::pair<std::string, YamlWant>> entries{};

  /// The child of that name; added at the end when there is none.
  YamlWant& operator[](std::string_view key);
};

/// `text` with every scalar of `want` replaced, or inserted where it is missing. `root` is the
/// parse of `text`. Where a scalar stands and a map is wanted, or the other way round, the old
/// value stays. A value inserted in a block map takes a line of its own; long flow maps are
/// wrapped.
std::string merge_yaml(std::string_view text, const YamlNode& root, const YamlWant& want);

/// `text` with `lines` (indented, each ended by a newline) behind the last line of the block map
/// `map`, or behind the line of its key where it has no value.
std::string append_yaml(std::string_view text, const YamlNode& map, std::string_view lines);

}  // namespace barline::verify
