// SPDX-License-Identifier: Apache-2.0
// Text as HTML, SVG and other XML show it.
#pragma once

#include <string>
#include <string_view>

namespace barline::verify {

/// The text with &, <, > and " as entities: good between tags and in quoted attributes.
std::string markup(std::string_view text);

}  // namespace barline::verify
