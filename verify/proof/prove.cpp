// SPDX-License-Identifier: Apache-2.0
// The proof: every chosen case of sizes, every path of guesses, a few blocks of the grid one after
// the other; then, if all is proved, the same without each barrier.
#include "verify/proof/prove.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "ir/check.h"
#include "verify/proof/async/replay.h"
#include "verify/proof/machine.h"
#include "verify/proof/meetings.h"

namespace barline::verify {
namespace {

using namespace proof;

/// Blocks whose accesses are compared: the first, its neighbours along each dimension, the last.
std::vector<std::array<std::int64_t, 3>> choose_blocks(const ir::Kernel& k, const Sizes& s) {
  std::vector<std::array<std::int64_t, 3>> blocks{{0, 0, 0}};
  std::array<std::int64_t, 3> last{};
  for (int d = 0; d < 3; ++d) {
    std::int64_t count = grid_count(k, s, d);
    if (count == 0) return {};
    last[d] = count - 1;
    if (count < 2) continue;
    std::array<std::int64_t, 3> neighbour{};
    neighbour[d] = 1;
    blocks.push_back(neighbour);
  }
  if (std::find(blocks.begin(), blocks.end(), last) == blocks.end()) blocks.push_back(last);
  return blocks;
}

/// All of them are replayed, several times each.
constexpr std::int64_t most_blocks_that_meet = 96;

class Prover {
 public:
  Prover(const ir::Kernel& k, const ProofOptions& options)
      : k_(k),
        options_(options),
        plan_(make_plan(k, options.without)),
        recorder_(plan_, options.first_finding_only),
        whole_(k.slots.size(), false),
        steps_left_(options.max_steps) {}

  ProofReport run() {
    ProofReport report;
    try {
      if (plan_.warps_apart && plan_.meets) {
        give_up(
            "blocks meet whose warps go ways of their own: this proof follows one or the other");
      } else if (plan_.warps_apart) {
        periodic_ = false;
        async::replay(plan_, options_, recorder_, report);
      } else
        for (const Sizes& s : choose_sizes(k_, options_.sizes, trips(), options_.max_cases))
          one_case(s, report);
    } catch (const Enough&) {
    } catch (const Exhausted&) {
      give_up(fmt::format("the replay needs more than {} thread-ops", options_.max_steps));
    }
    if (plan_.meets && report.enumerated.empty())
      give_up("no case has few enough blocks; give it sizes of a smaller grid");
    recorder_.move_into(report);
    report.all_trips = periodic_ && report.verdict == Verdict::Proved;
    return report;
  }

 private:
  /// Where every block is replayed and no slot rotates, a second trip stands for all that follow.
  int trips() const {
    const int all = plan_.rotation.trips();
    return plan_.meets && plan_.rotation.period == 1 ? std::min(all, 2) : all;
  }

  void give_up(std::string why) {
    ProofFinding f;
    f.property = Property::Replay;
    f.message = std::move(why);
    recorder_.add(std::move(f), -1);
  }

  void one_case(const Sizes& sizes, ProofReport& report) {
    auto blocks = choose_blocks(k_, sizes);
    std::string name = to_string(k_, sizes);
    if (blocks.empty()) return;
    if (plan_.meets && total_blocks(sizes) > most_blocks_that_meet) {
      recorder_.note(
          fmt::format("{}: a grid of {} blocks that meet, of more than {}, is left to "
                      "smaller sizes",
                      name, total_blocks(sizes), most_blocks_that_meet));
      return;
    }
    int paths = all_paths(sizes, blocks, name);
    if (paths == 0 && blocks.size() > 2) {  // fewer blocks, fewer combinations
      blocks.resize(2);
      paths = all_paths(sizes, blocks, name);
    }
    if (paths == 0)
      return give_up(fmt::format("{}: more than {} ways through conditions that are not known",
                                 name.empty() ? k_.name : name, options_.max_paths));
    first_ = false;
    const std::int64_t replayed =
        plan_.meets ? total_blocks(sizes) : static_cast<std::int64_t>(blocks.size());
    std::string blocks_text = fmt::format("{} of {} blocks", replayed, total_blocks(sizes));
    report.enumerated.push_back(fmt::format("{}{}{}{}", name, name.empty() ? "" : ": ", blocks_text,
                                            paths > 1 ? fmt::format(", {} paths", paths) : ""));
  }

  /// Replays every path of guesses; how many there were, 0 if more than allowed.
  int all_paths(const Sizes& sizes, const std::vector<std::array<std::int64_t, 3>>& blocks,
                const std::string& name) {
    Decisions decisions;
    int paths = 0;
    do {
      if (++paths > options_.max_paths) return 0;
      decisions.restart_path();
      one_path(sizes, blocks, decisions, name);
    } while (decisions.next());
    return paths;
  }

  std::int64_t total_blocks(const Sizes& s) const {
    return grid_count(k_, s, 0) * grid_count(k_, s, 1) * grid_count(k_, s, 2);
  }

  void one_path(const Sizes& sizes, const std::vector<std::array<std::int64_t, 3>>& blocks,
                Decisions& decisions, const std::string& name) {
    while (true) {
      try {
        return replay(sizes, blocks, decisions, name);
      } catch (const NeedsWhole& slot) {
        whole_[slot.slot] = true;
        recorder_.restart();
        decisions.restart_path();
      }
    }
  }

  void replay(const Sizes& sizes, const std::vector<std::array<std::int64_t, 3>>& blocks,
              Decisions& decisions, const std::string& name) {
    if (plan_.meets) return replay_meetings(sizes, decisions, name);
    CaseState state{plan_, sizes, recorder_, decisions, {}, whole_, {}, {}, steps_left_};
    state.costs = options_.costs && first_;
    state.lifetimes = options_.lifetimes;
    state.block_flags.resize(blocks.size());
    state.device_flags.resize(blocks.size());
    state.tensors = tensors();
    recorder_.begin_case(name);
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      std::int64_t at[3] = {blocks[b][0], blocks[b][1], blocks[b][2]};
      Machine(state, static_cast<int>(b), at).run();
    }
    steps_left_ = state.steps_left;
    periodic_ = periodic_ && state.periodic;
    std::string guesses = decisions.text();
    if (!guesses.empty())
      recorder_.begin_case(fmt::format("{}{}guesses {}", name, name.empty() ? "" : ", ", guesses));
    recorder_.judge(state.block_flags, state.device_flags);
    first_ = false;
  }

  std::vector<std::unique_ptr<TensorMemory>> tensors() const {
    std::vector<std::unique_ptr<TensorMemory>> all;
    for (std::size_t p = 0; p < k_.params.size(); ++p)
      all.push_back(plan_.written[p]
                        ? std::make_unique<TensorMemory>(plan_.read[p], plan_.strong_param[p])
                        : nullptr);
    return all;
  }

  /// Every block of the grid: first each once, which tells what they do to the counters, then as
  /// each winner of elections.
  void replay_meetings(const Sizes& sizes, Decisions& decisions, const std::string& name) {
    const auto blocks = static_cast<int>(total_blocks(sizes));
    recorder_.begin_case(name);
    Meetings meetings(plan_, recorder_, name);
    for (int b = 0; b < blocks; ++b) {
      meetings.begin(b, {}, false);
      replay_run(sizes, decisions, meetings, b);
    }
    meetings.collected();
    for (int b = 0; b < blocks; ++b) {
      bool again = false;
      for (auto& wins : meetings.suppositions(b)) {
        meetings.begin(b, std::move(wins), std::exchange(again, true));
        replay_run(sizes, decisions, meetings, b);
      }
    }
    meetings.judge(decisions.taken() == 0);
  }

  void replay_run(const Sizes& sizes, Decisions& decisions, Meetings& meetings, int block) {
    CaseState state{plan_, sizes, recorder_, decisions, tensors(), whole_, {}, {}, steps_left_};
    state.costs = options_.costs && first_;
    state.lifetimes = options_.lifetimes;
    state.block_flags.resize(1);
    state.device_flags.resize(1);
    state.meetings = &meetings;
    const std::int64_t x = grid_count(k_, sizes, 0), y = grid_count(k_, sizes, 1);
    const std::int64_t at[3] = {block % x, block / x % y, block / x / y};
    try {
      Machine(state, 0, at).run();
    } catch (const BlockStuck&) {
    }
    steps_left_ = state.steps_left;
    periodic_ = periodic_ && state.periodic;
    recorder_.judge(state.block_flags, state.device_flags);
    first_ = false;
  }

  const ir::Kernel& k_;
  const ProofOptions& options_;
  Plan plan_;
  Recorder recorder_;
  std::vector<bool> whole_;
  std::int64_t steps_left_;
  bool periodic_ = true;
  bool first_ = true;
};

/// Every barrier of the kernel, and whether the kernel is proved without it.
void list_barriers(const ir::Kernel& k, const ProofOptions& options, ProofReport& report) {
  std::vector<std::string> texts = op_texts(k);
  std::size_t index = 0;
  ir::walk(k.body, [&](const ir::Operation& op) {
    std::size_t at = index++;
    if (!op.is(ir::Op::Barrier) || &op == options.without) return;
    const ir::Attr* why = op.find(ir::Key::Why);
    BarrierUse use{{op.loc, texts[at]}, why ? why->text : "", false};
    if (options.minimal && report.verdict == Verdict::Proved && report.reached[at]) {
      ProofOptions without = options;
      without.without = &op;
      without.minimal = without.costs = false;
      without.first_finding_only = true;
      use.redundant = prove(k, without).verdict == Verdict::Proved;
    }
    report.barriers.push_back(std::move(use));
  });
}

}  // namespace

ProofReport prove(const ir::Kernel& k, const ProofOptions& options) {
  auto start = std::chrono::steady_clock::now();
  ir::check_lowered(k);
  ProofReport report = Prover(k, options).run();
  if (!options.first_finding_only) list_barriers(k, options, report);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace barline::verify
