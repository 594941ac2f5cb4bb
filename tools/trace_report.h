// SPDX-License-Identifier: Apache-2.0
// A trace as people and programs read it: the table, JSON, a timeline for Perfetto or Chrome, and a
// picture of it.
#pragma once

#include <nlohmann/json.hpp>

#include "tools/trace.h"

namespace barline::tools {

std::string table(const Trace& trace);
nlohmann::ordered_json to_json(const Trace& trace);

/// Chrome's trace event format: a process an SM, a track a block, an event a region from its first
/// begin to its last end, of the launch that is shown.
nlohmann::ordered_json trace_events(const Trace& trace);

/// The same as a picture: a row a block, the SMs' blocks together, the critical path outlined.
std::string timeline_svg(const Trace& trace);

}  // namespace barline::tools
