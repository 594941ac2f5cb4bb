// SPDX-License-Identifier: Apache-2.0
// What is wrong in a report, one finding a config, worst first: what people read, and what a forge
// shows beside the lines of kernels.yaml.
#pragma once

#include <string>
#include <vector>

#include "verify/gate/gate.h"

namespace barline::verify {

struct GateFinding {
  GateVerdict verdict = GateVerdict::Ok;  ///< the worst of its targets
  bool fails = true;
  Mark at{};
  std::string config{};  ///< empty: it concerns the register as a whole
  std::string reason{};  ///< "registers 41 > 40 on sm_80, sm_86; smem 72 > 64 on sm_90a"

  std::string title() const;  ///< "WORSE rms_norm.f32@row256"
};

/// The problem of the report, then every config with a row that is not OK; rows that only repeat
/// the problem are left out. Of one verdict, in the order of the rows.
std::vector<GateFinding> findings(const GateReport& report);

/// "kernels.yaml:20:25"
std::string place(const GateReport& report, Mark at);

/// The line that closes a report: "FAIL: 299 of 300 configs within budget, 0 improved (ptxas
/// 13.0)".
std::string summary(const GateReport& report);

}  // namespace barline::verify
