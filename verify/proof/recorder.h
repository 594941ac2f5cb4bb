// SPDX-License-Identifier: Apache-2.0
// Recorder: collects what the replay finds, once a pair of ops and property, and what accesses
// cost.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "verify/proof/cell.h"
#include "verify/proof/cost.h"
#include "verify/proof/prove.h"

namespace barline::verify::proof {

/// Thrown to end the replay early: what was looked for is found.
struct Enough {};

/// Two accesses that may race, or a stale read; judged once the blocks' flag operations are known.
struct Conflict {
  Entry old, now;
  bool across_blocks = false;
  bool decided = false;    ///< rests on more than one guess of what is not known
  bool in_flight = false;  ///< `old` is a copy that has not been waited for
  int slot = -1, param = -1;
  std::int64_t element = -1;
  std::int64_t address = -1;
  std::int64_t filled_as = any_use;  ///< not any: no race, but `now` reads as another use what
  std::int64_t read_as = any_use;    ///< `old` wrote for this one
  bool stale() const { return filled_as != any_use; }
};

/// Where flags can order things: epochs of release and acquire operations of one block.
struct FlagTimes {
  std::uint32_t last_release = 0;
  std::uint32_t first_acquire = ~0u;
};

class Recorder {
 public:
  Recorder(const Plan& plan, bool first_only);

  /// The case that findings to come belong to.
  void begin_case(std::string sizes) { sizes_ = std::move(sizes); }
  void add(ProofFinding f, int op, int other_op = -1);
  /// A finding at one op by one thread.
  void add_at(Property p, Verdict v, const Step& s, const Entry& at, std::int64_t element,
              std::string message);
  /// A thread that ends without having waited for the grid before.
  void no_wait_for_previous(int thread, int block);
  /// Throws Enough where one refuted finding is all that is asked for.
  void conflict(const Conflict& c);
  /// Judges the conflicts of a case. Block scope and device scope flags of each replayed block.
  void judge(std::span<const FlagTimes> block_flags, std::span<const FlagTimes> device_flags);

  /// The replay of the case begins anew: what was counted so far is dropped.
  void restart() { costs_.clear(), conflicts_.clear(), seen_.clear(); }

  /// A replayed case came to this op.
  void reach(int op) { reached_[op] = true; }

  void precondition(std::string text) { preconditions_.insert(std::move(text)); }
  void note(std::string text) { notes_.insert(std::move(text)); }
  AccessCost& cost(const Step& s);
  void count(std::int64_t accesses) { accesses_ += accesses; }

  OpText text(int op) const;
  std::string buffer_name(const Step& s) const;
  void move_into(ProofReport& report);
  Verdict verdict() const;

 private:
  void doubt_unreached();
  void judge(const Conflict& c, bool flagged);
  std::string message(const Conflict& c, bool flagged) const;
  using Key = std::tuple<Property, int, int>;

  const Plan& plan_;
  bool first_only_;
  std::string sizes_;
  mutable std::vector<std::string> texts_;  ///< made when first asked for
  std::map<Key, ProofFinding> findings_;
  std::set<Key> seen_;  ///< conflicts of the case
  std::vector<Conflict> conflicts_;
  std::set<std::string> preconditions_, notes_;
  std::map<int, AccessCost> costs_;
  std::int64_t accesses_ = 0;
  std::vector<bool> reached_;
};

/// The text of every op of the kernel, one line each, in order.
std::vector<std::string> op_texts(const ir::Kernel& k);

}  // namespace barline::verify::proof
