// SPDX-License-Identifier: Apache-2.0
// The manifest of a pack as bytes.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "runtime/pack/pack.h"

namespace barline::runtime {

std::vector<std::byte> encode_manifest(std::span<const PackRow> rows);
/// Nothing when a length does not fit, bytes are left over or a field is missing or malformed.
std::optional<std::vector<PackRow>> decode_manifest(std::span<const std::byte> bytes,
                                                    std::size_t rows);

}  // namespace barline::runtime
