// SPDX-License-Identifier: Apache-2.0
// What the blocks of one launch do to each other, where they meet through counters (ir/meeting.h).
// The counters have values: every block starts its launch number 3, flags stand at 2, and words
// have an arrival that launch 2 left. Who waits for whom follows from the values that are released
// and compared, so it is read off the lowered accesses, and broken ones are seen to be broken.
//
// Which blocks wait for a flag, or all of a barrier's, does not depend on the schedule. Who arrives
// last does: a block is replayed as one that wins no election, as the winner of each, and of all.
// An election's winner knows what all who arrived knew; two blocks do not both win it.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "verify/proof/memory.h"
#include "verify/proof/recorder.h"

namespace barline::verify::proof {

/// Thrown where a block waits for what never comes.
struct BlockStuck {};

/// A counter: parameter and element.
using CounterAt = std::pair<int, std::int64_t>;

/// A moment of a block: what has a smaller epoch is before it for all threads, what has a smaller
/// number for its own thread.
struct Moment {
  std::uint32_t epoch = 0, number = 0;
  int thread = -1;  ///< -1: several
  bool before(const Moment& later) const {
    return epoch < later.epoch || (thread >= 0 && thread == later.thread && number < later.number);
  }
};

struct MeetEvent {
  enum class Kind : std::uint8_t { Release, Arrive, Wait };
  Kind kind{};
  CounterAt counter;
  int op = -1;
  Moment at{};
  std::uint64_t value = 0;  ///< that is released; what the arrivals of a word are added to
  int seen = 0;             ///< of a wait: values that did not end it
  bool releases = false, acquires = false;
};

/// What a block knows of others' releases and arrivals.
using Known = std::map<int, std::set<CounterAt>>;

/// One block, replayed as the winner of some elections.
struct BlockRun {
  int block = 0;
  std::set<CounterAt> wins{};
  std::vector<MeetEvent> events{};
  std::vector<std::pair<Moment, Known>> learnt{};  ///< at its waits and won elections

  // while it is replayed
  bool again = false;  ///< up to an election that it wins it is as the block's first run
  std::map<CounterAt, std::uint64_t> own{};  ///< counters of launches, words that it lifted
  std::int64_t elected = 0;                  ///< what the first thread told the others last
  const MeetEvent* last_arrival() const;
};

class Meetings {
 public:
  Meetings(const Plan& plan, Recorder& recorder, std::string sizes)
      : plan_(plan), recorder_(recorder), sizes_(std::move(sizes)) {}

  /// The runs of a block that was replayed with collecting() true: as each winner.
  std::vector<std::set<CounterAt>> suppositions(int block) const;
  bool collecting() const { return collecting_; }
  /// All blocks have been replayed once: what they do to the counters is known.
  void collected();
  BlockRun& begin(int block, std::set<CounterAt> wins, bool again);
  /// All runs are done: who waits for whom, and which accesses of two blocks nothing orders.
  /// `sure`: none rests on a guess of what is not known.
  void judge(bool sure);

  // ---- for the machine: acts of the current run ----
  void touch(const Step& s, const Entry& now, std::int64_t element, std::uint32_t number);
  std::uint64_t load(const Step& s, const CounterAt& c, const Moment& at);
  void store(const Step& s, const CounterAt& c, const Moment& at, std::uint64_t value);
  std::uint64_t update(const Step& s, const CounterAt& c, const Moment& at, std::uint64_t value);
  void elect(const Step& s, std::int64_t told);
  std::int64_t elected() const { return current().elected; }
  /// Reads alone that an earlier run of the block has shown; `shared`: of what some block writes.
  bool knows_reads(bool shared) const { return !collecting_ && (current().again || !shared); }
  /// What follows from data, or otherwise not from the language's ops.
  void doubt(const Step& s, std::string what);

 private:
  struct Use {
    std::map<int, int> arrivals;             ///< block -> how often
    std::map<int, std::uint64_t> releases;   ///< block -> value
    std::uint64_t base = ~std::uint64_t{0};  ///< the word before any arrival
    int total() const { return static_cast<int>(arrivals.size()); }
  };
  struct Touched {
    std::size_t run = 0;
    Moment first, last;
    int op = -1;
    Touch kind{};
    bool possible = false;
  };
  using Cells = std::map<int, std::unordered_map<std::int64_t, std::vector<Touched>>>;

  static bool may_win(int block, const Use& use);
  BlockRun& current() { return runs_.back(); }
  const BlockRun& current() const { return runs_.back(); }
  MeetEvent& waiting(const Step& s, const CounterAt& c, const Moment& at);
  std::vector<std::uint64_t> values_of(ir::CounterKind kind, const CounterAt& c) const;
  void find(Property p, Verdict v, int op, int block, const CounterAt& c, std::string message);
  std::string name(const CounterAt& c) const;
  bool wins(const CounterAt& c) const { return current().wins.contains(c); }
  std::set<int> sources(const MeetEvent& wait) const;
  void check_uses();
  void check_waits(const BlockRun& run);
  void follow_waits();
  bool advance(const BlockRun& run, std::size_t& at, Known& known);
  void learn(BlockRun& run);
  bool ordered(const Touched& a, const Touched& b) const;
  void judge_cell(int param, std::int64_t element, const std::vector<Touched>& all);
  void conflict(int param, std::int64_t element, const Touched& a, const Touched& b);

  const Plan& plan_;
  Recorder& recorder_;
  std::string sizes_;
  bool sure_ = true;
  bool collecting_ = true;
  std::vector<BlockRun> runs_;
  std::map<CounterAt, Use> uses_;
  std::map<std::pair<int, CounterAt>, Known> published_;  ///< by a block's release or arrival
  std::set<std::pair<int, CounterAt>> done_;
  Cells cells_;
  std::set<std::pair<int, int>> reported_;
};

}  // namespace barline::verify::proof
