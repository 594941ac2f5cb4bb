// SPDX-License-Identifier: Apache-2.0
// The certificate that a kernel's barriers are none too many: each is taken out and the kernel
// proved again.
#pragma once

#include <string>
#include <vector>

#include "verify/proof/prove.h"

namespace barline::verify {

struct BarrierNeed {
  enum Kind : std::uint8_t {
    Needed,    ///< refuted without it
    Needless,  ///< proved without it and the other needless ones
    Open       ///< neither
  } kind = Open;
  std::string why;  ///< Needed: the witness; Open: what stands in the way
};

/// One a barrier, in order of the text. Barriers are tried from the last to the first, and a
/// needless one stays out, so that of two that do the same work one is needless. `proof`: of the
/// kernel as it is; `options`: with those it was made.
std::vector<BarrierNeed> certify_barriers(const ir::Kernel& lowered, const ProofReport& proof,
                                          const ProofOptions& options = {});

std::string_view name(BarrierNeed::Kind kind);

}  // namespace barline::verify
