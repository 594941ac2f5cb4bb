// SPDX-License-Identifier: Apache-2.0
// Tuned schedules as YAML: what `barline tune --write` writes and bench/tuned/ holds.
//
//   version: 1
//   tuned:
//     - kernel: qkv_w4a16
//       type: f16
//       target: sm_90a
//       shape: m16
//       sizes: {K: 4096, M: 16, N_k: 4096, N_q: 4096, N_v: 4096}
//       us: 9.9
//       us_range: [9.8, 10.1]
//       device: NVIDIA H200
//       driver: "13000"
//       date: 2026-01-31
//       name: ring64x64
//       schedule: {threads: 256, tile: {m: 64, ..}, .., streams: [{of: x, ..}, ..]}
#pragma once

#include <string>

#include "dsl/tuned.h"

namespace barline::tools {

std::string to_yaml(const dsl::Tuned& tuned);

/// Adds the file's rows. Throws verify::FileError that names line, rule and fix, UsageError or
/// IoError.
void read_tuned(const std::string& path, dsl::Tuned& into);

}  // namespace barline::tools
