// SPDX-License-Identifier: Apache-2.0
#include "ir/type.h"

namespace barline::ir {

std::string_view name(Elem e) { return info(e).name; }
std::string_view name(Space s) { return s == Space::Global ? "global" : "shared"; }

std::optional<Elem> parse_elem(std::string_view text) {
  for (int i = 0; i < elem_count; ++i)
    if (elem_table[i].name == text) return static_cast<Elem>(i);
  return std::nullopt;
}

}  // namespace barline::ir
