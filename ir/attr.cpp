// SPDX-License-Identifier: Apache-2.0
#include "ir/attr.h"

#include <iterator>

namespace barline::ir {
namespace {

constexpr AttrInfo table[] = {
    {"", AttrKind::Int},
#define ATTR(id, name, kind) {name, AttrKind::kind},
#include "ir/attrs.def"
};

#define ATTR_ENUM(type, ...) constexpr std::string_view spellings_of_##type[] = __VA_ARGS__;
#include "ir/attrs.def"

}  // namespace

const AttrInfo& info(Key key) { return table[static_cast<int>(key)]; }

std::span<const std::string_view> spellings(AttrKind kind) {
  switch (kind) {
// clang-format off
#define ATTR_ENUM(type, ...) case AttrKind::type: return spellings_of_##type;
#include "ir/attrs.def"
    // clang-format on
    default: return {};
  }
}

}  // namespace barline::ir
