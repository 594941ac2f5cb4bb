// SPDX-License-Identifier: Apache-2.0
// Machine: replays the threads of one block through a plan, all of them op by op under masks.
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>

#include "verify/proof/eval.h"
#include "verify/proof/memory.h"
#include "verify/proof/plan.h"
#include "verify/proof/recorder.h"
#include "verify/proof/sizes.h"

namespace barline::verify::proof {

/// Thrown where the thread-ops allowed are used up.
struct Exhausted {};
/// Thrown once a slot turns out to have indices that are not known: the case runs again with the
/// slot's accesses kept as a whole too.
struct NeedsWhole {
  int slot;
};

/// Guesses of conditions that are one for the block but not known: a path through all choices.
class Decisions {
 public:
  /// The option for the value of this name; equal names give equal options within a path.
  int choose(std::uint64_t symbol, int options);
  /// Goes to the next path; false if all were taken.
  bool next();
  void restart_path() { at_ = 0, known_.clear(); }
  std::size_t taken() const { return at_; }
  std::string text() const;

 private:
  struct Choice {
    int option, options;
  };
  std::vector<Choice> path_;
  std::size_t at_ = 0;
  std::unordered_map<std::uint64_t, int> known_;
};

/// Which threads are where: No, Yes, Maybe or MaybeWarp a thread.
struct Mask {
  std::vector<std::uint8_t> on;
  int count = 0;     ///< threads that are not No
  bool sure = true;  ///< none is Maybe or MaybeWarp
  bool full() const { return count == static_cast<int>(on.size()) && sure; }
  static Mask all(int threads) { return {std::vector<std::uint8_t>(threads, Yes), threads, true}; }
};

class Meetings;

/// What all blocks of a case share.
struct CaseState {
  const Plan& plan;
  const Sizes& sizes;
  Recorder& recorder;
  Decisions& decisions;
  std::vector<std::unique_ptr<TensorMemory>> tensors;  ///< by parameter; null where only read
  std::vector<bool> whole;                             ///< slots kept as a whole too
  std::vector<FlagTimes> block_flags, device_flags;    ///< by block ordinal
  std::int64_t steps_left = 0;
  bool costs = false;            ///< count them in the first block
  bool lifetimes = true;         ///< judge stale reads
  bool periodic = true;          ///< runtime loops repeated themselves so far
  Meetings* meetings = nullptr;  ///< of a kernel whose blocks meet
};

class Machine {
 public:
  Machine(CaseState& state, int ordinal, const std::int64_t (&block)[3]);
  void run();

 private:
  // control.cpp
  void exec(const Steps& steps, const Mask& mask);
  void one(const Step& s, const Mask& mask);
  void exec_if(const Step& s, const Mask& mask);
  void guess_if(const Step& s, const Mask& mask, const Value& c);
  void exec_for(const Step& s, const Mask& mask);
  bool knows_reads(const Step& s) const;
  void uniform_for(const Step& s, const Mask& mask, std::int64_t lo, std::int64_t hi,
                   std::int64_t step);
  void lanes_for(const Step& s, const Mask& mask);
  void unknown_for(const Step& s, const Mask& mask);
  void exec_while(const Step& s, const Mask& mask);
  void unknown_while(const Step& s, Mask active, const Value& condition);
  void note_bounded(const ir::Operation& op);
  void start_carried(const Step& s, const std::vector<ir::ValueId>& args, std::size_t first_arg,
                     std::size_t first_in);
  void forget(const std::vector<ir::ValueId>& ids);
  void note_period(const std::vector<std::uint64_t>& trips);
  void pass_on(const std::vector<ir::ValueId>& from, std::size_t skip,
               const std::vector<ir::ValueId>& to, std::size_t first, const Mask* changed);
  // sync.cpp
  void barrier(const Step& s, const Mask& mask);
  void warp_op(const Step& s, const Mask& mask);
  void fence(const Step& s, const Mask& mask);
  void commit(const Step& s, const Mask& mask);
  void await_previous(const Step& s, const Mask& mask);
  void before_previous(const Step& s, const Mask& mask);
  void ended();
  bool in_flight(const Flight& f) const { return f.group >= landed_[f.issue.thread]; }
  void note_order(const Step& s, const Mask& mask);
  // meet.cpp
  void counter(const Step& s, const Mask& mask, const Value& index);
  // access.cpp
  void access(const Step& s, const Mask& mask);
  void shared(const Step& s, const Mask& mask, const Value& index, const Value* use);
  void shared_rows(const Step& s, const Mask& mask, const Value& index, const Value* use);
  void shared_touch(const Step& s, const Entry& now, std::int64_t use, std::int64_t element,
                    int lanes);
  void shared_use(const Step& s, const Entry& now, std::int64_t use, std::int64_t element, Cell& c);
  void shared_conflict(const Step& s, const Entry& old, const Entry& now, std::int64_t copy,
                       std::int64_t element, bool in_flight = false);
  void shared_unknown(const Step& s, const Mask& mask, const Value& index, const Value* use);
  bool flying(const Step& s, const Mask& mask);
  void global(const Step& s, const Mask& mask, const Value& index);
  void chosen(const Step& s, const Mask& mask, const Value& index);
  void global_touch(const Step& s, const Entry& now, std::int64_t element);
  void global_unknown(const Step& s, const Value& index, const Mask& mask);
  void result(const Step& s, const Mask& mask, const Value& index, const Value* use);
  void cost(const Step& s, const Mask& mask, const Value& index, const Value* use);
  bool in_bounds(const Step& s, const Entry& now, std::int64_t element, std::int64_t extent,
                 Property p);
  std::int64_t tensor_extent(int param) const;

  Mask masked(const Mask& mask, const Value& condition, bool otherwise) const;
  Entry entry(const Step& s, const Mask& mask, int thread) const;
  bool wants(ir::ValueId v) const { return plan_.needed[v]; }
  ir::Team team_of(const Value& v) const;
  std::uint64_t fresh_symbol(const Step& s) { return mix(mix(block_symbol_, s.index), ++fresh_); }
  void spend(const Mask& mask);
  /// Guesses that this block rests on so far.
  std::size_t guesses() const { return state_.decisions.taken() - guesses_before_; }

  CaseState& state_;
  const Plan& plan_;
  const ir::Kernel& k_;
  Ids ids_;
  int ordinal_;
  std::size_t guesses_before_;
  std::uint64_t block_symbol_;
  std::uint64_t fresh_ = 0;
  std::vector<Value> values_;
  std::vector<SlotMemory> slots_;
  std::uint32_t epoch_ = 1;
  std::vector<std::uint32_t> warp_epoch_;
  std::vector<std::uint8_t> fenced_;    ///< by thread: fences passed, 1 block scope, 2 device scope
  std::vector<std::uint8_t> pending_;   ///< by thread: relaxed reads that a fence makes acquire
  std::vector<std::uint32_t> commits_;  ///< by thread: groups of asynchronous copies closed
  std::vector<std::uint32_t> landed_;   ///< by thread: of those, how many have landed
  std::vector<std::uint8_t> awaited_;   ///< by thread: waits for the grid before; at most 2
  int bound_;                           ///< trips tried where a count is not known
  std::uint32_t number_ = 0;            ///< accesses so far
  std::uint64_t trace_ = 0;             ///< hash of the shared accesses of the trip at hand
  bool tracing_ = false;
};

}  // namespace barline::verify::proof
