// SPDX-License-Identifier: Apache-2.0
// Sizes that a kernel is asked for compiled: "d=8192 K=64".
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace barline::runtime {

struct KernelRequest;

using BoundSizes = std::map<std::string, std::int64_t>;  ///< extents by axis

/// The sizes of KernelRequest::bind. Throws std::invalid_argument that names the word.
BoundSizes bound_sizes(const KernelRequest& request);

/// True if a config (the key's field of that name) is one with all these sizes.
bool binds(std::string_view config, const BoundSizes& sizes);

}  // namespace barline::runtime
