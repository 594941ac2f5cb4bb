// SPDX-License-Identifier: Apache-2.0
// Findings: what the simulator refuses in a kernel's run, with both places that take part.
#pragma once

#include <cstdint>
#include <string>

#include "ir/loc.h"

namespace barline::verify {

enum class FindingKind : std::uint8_t {
  Race,               ///< two accesses, one of them a write, that nothing orders
  OutOfBounds,        ///< an access outside its tensor or slot
  Misaligned,         ///< a vector access not aligned to its size
  UninitialisedRead,  ///< shared memory that no thread has written
  BarrierDivergence,  ///< threads of a team do not come to a convergent operation together
  Deadlock,           ///< every running warp waits or spins and nothing changes
  Trap,       ///< a failed check, integer division by zero, a loop step that is not positive
  StepLimit,  ///< SimOptions::max_steps ran out
  Protocol,   ///< gates, groups, clusters or register pools used against their rules
};

/// One access or arrival: which op, by which thread.
struct Site {
  std::string op;  ///< text of the operation, empty where there is none
  ir::Loc loc;
  std::int64_t block[3] = {0, 0, 0};
  std::int32_t thread[3] = {0, 0, 0};
};

struct Finding {
  FindingKind kind{};
  std::string kernel;
  Site here;                  ///< the access or arrival at which it was found
  Site other;                 ///< the one it conflicts with; `op` is empty where there is none
  std::string root;           ///< tensor or slot; empty where memory takes no part
  std::int64_t element = -1;  ///< index into the tensor or the slot's copy
  std::int64_t address = -1;  ///< byte offset in the tensor, or in the block's shared memory
  std::string message;        ///< what was found, in one line
};

/// "race", "out-of-bounds", ...
std::string_view name(FindingKind kind);

/// "file:line:column: kind: message" and one line for each site.
std::string to_string(const Finding& f);

}  // namespace barline::verify
