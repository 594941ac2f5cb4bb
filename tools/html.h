// SPDX-License-Identifier: Apache-2.0
// Text as HTML shows it.
#pragma once

#include <string>
#include <string_view>

namespace barline::tools {

/// The text with &, <, > and " as entities: good between tags and in quoted attributes.
std::string html(std::string_view text);

/// <pre>text</pre>
std::string html_block(std::string_view text);

}  // namespace barline::tools
