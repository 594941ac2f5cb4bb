// SPDX-License-Identifier: Apache-2.0
// Reads YAML text into a YamlNode tree. Strict: one document, UTF-8 without byte order mark, no
// anchors, aliases, tags or duplicate keys, at most max_registry_bytes.
#pragma once

#include <string_view>

#include "verify/gate/yaml_tree.h"

namespace barline::tools {

/// Parses `text`; messages name `file`. Throws verify::FileError.
verify::YamlNode read_yaml(std::string_view text, std::string_view file);

}  // namespace barline::tools
