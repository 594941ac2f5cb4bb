// SPDX-License-Identifier: Apache-2.0
// Cadence: what one step of a loop does between its barriers, once the loop runs steadily, read off
// the lowered IR. Epoch e begins at barrier e of the step and ends at the next barrier, so the last
// one reaches into the next step, up to its first barrier.
//
//   step i           | epoch 1          | epoch 2          |   each bar is a barrier
//   w[i], copy of w  | read w_q         | write w_v        |
//
// It explains barriers; whether they suffice and whether each is needed, the proof says.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/kernel.h"

namespace barline::verify {

/// A buffer in shared memory that the loop touches.
struct CadenceSlot {
  std::string name;  ///< of the operand that it stages, or the slot's own
  int copies = 1;
  /// Uses that a step makes, modulo copies: step i's first is of copy `rate` * i mod copies.
  std::int64_t rate = 0;
};

/// What an access does in step i: in copy rate * i + copy, modulo copies.
struct CadenceAccess {
  enum Kind : std::uint8_t { Read, Write, Copy } kind{};  ///< Copy: asynchronous
  int slot = 0;                                           ///< of CadenceLoop::slots
  std::optional<std::int64_t> copy{};                     ///< nothing: which one is not known
  int epoch = 0;
  std::string of{};            ///< whose data: the parameter's name; empty: computed here
  std::optional<int> ahead{};  ///< which step's data: of step i + ahead
  int flight = 0;              ///< Copy: epochs after its own before a barrier has waited for it
  ir::Loc loc{};
};

/// Matrix products of an epoch that multiply the same reads' data.
struct CadenceProduct {
  int epoch = 0;
  int count = 0;
  std::vector<int> reads{};  ///< of CadenceLoop::accesses
};

/// Two accesses of one copy whose order matters: `from` in step i, `to` in step i + steps.
struct CadenceHazard {
  enum Kind : std::uint8_t { ReadAfterWrite, WriteAfterRead, WriteAfterWrite } kind{};
  int from = 0, to = 0;  ///< of CadenceLoop::accesses
  int steps = 0;
  bool lands = false;  ///< `from` is an asynchronous copy, which must have landed
};

struct CadenceBarrier {
  /// A hazard and where it begins: `before` steps before the step of this barrier.
  struct Orders {
    CadenceHazard hazard;
    int before = 0;
  };
  std::size_t number = 0;        ///< among all barriers of the kernel, in order of the text
  std::optional<int> pending{};  ///< groups of copies that may stay in flight
  ir::Loc loc{};
  std::vector<Orders> alone{};   ///< what no other barrier orders
  std::vector<Orders> shared{};  ///< what others order too
};

struct CadenceLoop {
  ir::Loc loc;
  std::vector<CadenceSlot> slots;
  std::vector<CadenceBarrier> barriers;  ///< of a step
  std::vector<CadenceAccess> accesses;   ///< in order of the text
  std::vector<CadenceProduct> products;
  std::vector<CadenceHazard> open;  ///< copies that no barrier waits for in time
  int period = 1;                   ///< steps after which every slot is at the same copy again
  bool inner_loops = false;         ///< loops within a step are taken as one piece

  int epochs() const { return static_cast<int>(barriers.size()); }
};

struct Cadence {
  std::string kernel;              ///< its config, or its name
  std::vector<CadenceLoop> loops;  ///< those with a barrier in every step, in order of the text
};

/// Precondition: place_syncs ran, or the text has its barriers.
Cadence cadence_of(const ir::Kernel& lowered);

/// Barriers of a step: of the loop that has most of its own, inner loops' apart; 0 without one.
int barriers_per_step(const ir::Kernel& lowered);

/// "w[i+1]", "w[0]" or, of a slot with one copy, "w": the copy that `copy` is in step i.
std::string copy_name(const CadenceSlot& slot, std::optional<std::int64_t> copy);

}  // namespace barline::verify
