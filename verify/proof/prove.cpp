// SPDX-License-Identifier: Apache-2.0
// The proof: every chosen case of sizes, every path of guesses, a few blocks of the grid one after
// the other; then, if all is proved, the same without each barrier.
#include "verify/proof/prove.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <set>

#include "ir/check.h"
#include "verify/proof/async/replay.h"
#include "verify/proof/machine.h"

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
      if (plan_.warps_apart) {
        periodic_ = false;
        async::replay(plan_, options_, recorder_, report);
      } else
        for (const Sizes& s :
             choose_sizes(k_, options_.sizes, plan_.rotation.trips(), options_.max_cases))
          one_case(s, report);
    } catch (const Enough&) {
    } catch (const Exhausted&) {
      give_up(fmt::format("the replay needs more than {} thread-ops", options_.max_steps));
    }
    recorder_.move_into(report);
    report.all_trips = periodic_ && report.verdict == Verdict::Proved;
    return report;
  }

 private:
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
    int paths = all_paths(sizes, blocks, name);
    if (paths == 0 && blocks.size() > 2) {  // fewer blocks, fewer combinations
      blocks.resize(2);
      paths = all_paths(sizes, blocks, name);
    }
    if (paths == 0)
      return give_up(fmt::format("{}: more than {} ways through conditions that are not known",
                                 name.empty() ? k_.name : name, options_.max_paths));
    first_ = false;
    std::string blocks_text = fmt::format("{} of {} blocks", blocks.size(), total_blocks(sizes));
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
    CaseState state{plan_, sizes, recorder_, decisions, {}, whole_, {}, {}, steps_left_};
    state.costs = options_.costs && first_;
    state.lifetimes = options_.lifetimes;
    state.block_flags.resize(blocks.size());
    state.device_flags.resize(blocks.size());
    for (std::size_t p = 0; p < k_.params.size(); ++p)
      state.tensors.push_back(
          plan_.written[p] ? std::make_unique<TensorMemory>(plan_.read[p], plan_.strong_param[p])
                           : nullptr);
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
