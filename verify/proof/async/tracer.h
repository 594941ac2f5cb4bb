// SPDX-License-Identifier: Apache-2.0
// Tracer: runs one warp through the plan, lane by lane where lanes differ, and writes down its
// trace. What depends on this warp alone is judged here: bounds, alignment, whole warps at warp
// operations, accumulators in flight, the wait for the grid before.
#pragma once

#include <array>
#include <string>

#include "verify/proof/async/trace.h"
#include "verify/proof/eval.h"
#include "verify/proof/plan.h"
#include "verify/proof/recorder.h"
#include "verify/proof/sizes.h"

namespace barline::verify::proof::async {

/// Thrown where the trace follows from data: the case is not decided.
struct Undecided {};

/// What the tracers of a case share.
struct TraceState {
  const Plan& plan;
  const Sizes& sizes;
  Recorder& recorder;
  std::vector<Value> values;  ///< of the warp at hand
  std::int64_t steps_left = 0;
  bool costs = false;  ///< count those of the warp at hand
};

class Tracer {
 public:
  /// `ids`: of the block; `block`: its ordinal, for findings.
  Tracer(TraceState& state, const Ids& ids, int block, int warp);
  Trace run();

 private:
  // tracer.cpp
  void exec(const Steps& steps, Lanes lanes);
  void one(const Step& s, Lanes lanes);
  void pure(const Step& s, Lanes lanes);
  void exec_if(const Step& s, Lanes lanes);
  void unknown_if(const Step& s, Lanes lanes, const Value& c);
  void exec_for(const Step& s, Lanes lanes);
  void lanes_for(const Step& s, Lanes lanes);
  void exec_while(const Step& s, Lanes lanes);
  void skip(const Step& s, Lanes lanes, std::string_view what);
  void pass_on(const std::vector<ir::ValueId>& from, std::size_t skip,
               const std::vector<ir::ValueId>& to, std::size_t first, Lanes changed);
  void forget(const std::vector<ir::ValueId>& ids);
  // tracer_ops.cpp
  void sync(const Step& s, Lanes lanes);
  void barrier(const Step& s, Lanes lanes);
  void gate(const Step& s, Lanes lanes);
  void await_previous(const Step& s, Lanes lanes);
  void registers(const Step& s);
  void whole_warp(const Step& s, Lanes lanes);
  void wgmma(const Step& s, Lanes lanes);
  void matrix(const Step& s, const Place& m, int operand);
  void wgmma_wait(const Step& s);
  void held(const Step& s, int done);
  void ended();
  // tracer_access.cpp
  void access(const Step& s, Lanes lanes);
  bool known_place(const Step& s, Lanes lanes);
  void shared(const Step& s, Lanes lanes, bool possible);
  void rows(const Step& s, Lanes lanes, bool possible);
  void global(const Step& s, Lanes lanes, bool possible);
  void copies(const Step& s, Lanes lanes);
  void copy(const Step& s, int lane);
  void before_previous(const Step& s, Lanes lanes, bool write, int param);
  void result(const Step& s);
  void cost(const Step& s, Lanes lanes);
  bool in_bounds(const Step& s, int lane, std::int64_t element, std::int64_t extent, Property p);
  bool aligned(const Step& s, int lane, std::int64_t bytes, std::int64_t to);
  Range range(const Step& s, int lane, std::int64_t element, int lanes) const;

  Event& add(EventKind kind, const Step& s, Lanes lanes);
  void finding(Property p, Verdict v, const Step& s, int lane, std::string message);
  [[noreturn]] void undecided(const Step& s, std::string message);
  const Value& value(ir::ValueId v) const { return state_.values[v]; }
  std::int64_t at(const Step& s, ir::ValueId v, int lane, std::string_view what);
  bool wants(ir::ValueId v) const { return plan_.needed[v]; }
  int gate_number(const Step& s, int lane);
  Lanes where(const Value& c) const;

  TraceState& state_;
  const Plan& plan_;
  const ir::Kernel& k_;
  Ids ids_;
  int block_, warp_;
  Trace trace_;
  bool possible_ = false;
  std::vector<int> flight_;  ///< by value: the wgmma group that writes or reads it last; -1: none
  std::vector<std::pair<int, ir::ValueId>> read_;  ///< by groups in flight: registers they read
  int group_ = 0;                                  ///< wgmma groups committed
  int open_ = 0;                                   ///< wgmmas of the group that is open
  bool fenced_ = false;                            ///< a wgmma_fence since the last commit
  int commits_ = 0;                                ///< groups of cp.async committed
  std::array<int, 32> awaited_{};                  ///< by lane: waits for the grid before
  int registers_set_ = 0;
};

/// Numbers of gates: those of a block one after the other, copy by copy.
int gate_base(const ir::Kernel& k, int slot);
int gate_count(const ir::Kernel& k);
/// Arrivals that a phase takes.
int gate_arrivals(const ir::Kernel& k, int number);
/// "full[1]".
std::string gate_name(const ir::Kernel& k, int number);

}  // namespace barline::verify::proof::async
