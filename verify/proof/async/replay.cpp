// SPDX-License-Identifier: Apache-2.0
#include "verify/proof/async/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "verify/proof/async/engine.h"
#include "verify/proof/async/tracer.h"
#include "verify/proof/machine.h"

namespace barline::verify::proof::async {
namespace {

/// One launch: blocks along each dimension, and the first blocks of the clusters to replay.
struct LaunchCase {
  std::int64_t grid[3] = {1, 1, 1};
  std::vector<std::array<std::int64_t, 3>> blocks;
};

class Replay {
 public:
  Replay(const Plan& plan, const ProofOptions& options, Recorder& recorder)
      : plan_(plan),
        k_(*plan.kernel),
        options_(options),
        recorder_(recorder),
        steps_left_(options.max_steps) {
    pieces_.assign(k_.params.size(), 16);
    find_pieces(plan.body);
  }

  void run(ProofReport& report) {
    const int threads = k_.launch.block_threads();
    if (threads % ir::warp_size != 0)
      return give_up(fmt::format("a block of {} threads is no whole number of warps", threads));
    try {
      for (const Sizes& s : choose_sizes(k_, options_.sizes, trips(), options_.max_cases)) {
        bool any = false;
        for (const LaunchCase& l : launches(s)) any |= one_launch(s, l);
        if (any) report.enumerated.push_back(text(s));
      }
    } catch (const Exhausted&) {
      give_up(fmt::format("the replay needs more than {} thread-ops", options_.max_steps));
    }
  }

 private:
  void give_up(std::string why) {
    ProofFinding f;
    f.property = Property::Replay;
    f.message = std::move(why);
    recorder_.add(std::move(f), -1);
  }

  std::string text(const Sizes& s) const {
    std::string name = to_string(k_, s);
    return name.empty() ? k_.name : name;
  }

  /// Every ring is lapped twice.
  int trips() const {
    int copies = 1;
    for (const ir::Slot& s : k_.slots) copies = std::max(copies, s.copies);
    return std::max(plan_.rotation.trips(), 2 * copies + 2);
  }

  /// Accesses are aligned to their size, so all of a tensor's are whole multiples of the least.
  void find_pieces(const Steps& steps) {
    for (const Step& s : steps) {
      std::vector<int> params = s.params;
      if (s.slot < 0 && s.param >= 0 && params.empty()) params = {s.param};
      for (int p : params)
        pieces_[p] = std::gcd(pieces_[p], std::max<std::int64_t>(1, s.lanes * s.elem_bits / 8));
      for (const Steps& r : s.regions) find_pieces(r);
    }
  }

  std::vector<LaunchCase> launches(const Sizes& s) const {
    LaunchCase all;
    std::int64_t total = 1;
    for (int d = 0; d < 3; ++d) total *= all.grid[d] = grid_count(k_, s, d);
    if (total == 0) return {};
    if (!k_.launch.persistent) {
      choose_blocks(all);
      return {all};
    }
    std::vector<LaunchCase> cases;
    std::int64_t before = 0;
    for (int tiles = 3; tiles >= 1; --tiles) {
      LaunchCase l;
      l.grid[0] = std::max<std::int64_t>(k_.launch.cluster, (total + tiles - 1) / tiles);
      if (std::exchange(before, l.grid[0]) == l.grid[0]) continue;
      choose_blocks(l);
      cases.push_back(std::move(l));
    }
    return cases;
  }

  /// The first cluster, its neighbours along each dimension, the last.
  void choose_blocks(LaunchCase& l) const {
    const std::int64_t cluster = k_.launch.cluster;
    l.blocks = {{0, 0, 0}};
    std::array<std::int64_t, 3> last{};
    for (int d = 0; d < 3; ++d) {
      std::int64_t step = d == 0 ? cluster : 1;
      last[d] = (l.grid[d] - 1) / step * step;
      if (l.grid[d] <= step) continue;
      std::array<std::int64_t, 3> neighbour{};
      neighbour[d] = step;
      l.blocks.push_back(neighbour);
    }
    if (std::find(l.blocks.begin(), l.blocks.end(), last) == l.blocks.end())
      l.blocks.push_back(last);
  }

  bool one_launch(const Sizes& s, const LaunchCase& l) {
    std::string name = to_string(k_, s);
    if (k_.launch.persistent)
      name += fmt::format("{}{} blocks", name.empty() ? "" : ", ", l.grid[0]);
    recorder_.begin_case(name);
    std::vector<TensorCells> tensors(k_.params.size());
    for (std::size_t p = 0; p < tensors.size(); ++p) tensors[p].piece = pieces_[p];
    TraceState state{plan_, s, recorder_, {}, steps_left_, false};
    int run = 0;
    for (const auto& at : l.blocks) {
      try {
        std::vector<BlockTraces> blocks = traces(state, l, at, run);
        Engine(plan_, recorder_, std::move(blocks), tensors, run).run();
      } catch (const Undecided&) {
      }
      ++run;
    }
    steps_left_ = state.steps_left;
    return true;
  }

  std::vector<BlockTraces> traces(TraceState& state, const LaunchCase& l,
                                  const std::array<std::int64_t, 3>& at, int run) {
    Ids ids;
    ids.cluster = k_.launch.cluster;
    std::vector<BlockTraces> blocks(static_cast<std::size_t>(k_.launch.cluster));
    const int warps = k_.launch.block_threads() / ir::warp_size;
    for (int rank = 0; rank < k_.launch.cluster; ++rank) {
      for (int d = 0; d < 3; ++d) {
        ids.block_shape[d] = k_.launch.threads[d];
        ids.grid[d] = l.grid[d];
        ids.block[d] = at[d] + (d == 0 ? rank : 0);
      }
      blocks[rank].ordinal = run * k_.launch.cluster + rank;
      state.costs = options_.costs && std::exchange(first_, false);
      for (int w = 0; w < warps; ++w)
        blocks[rank].warps.push_back(Tracer(state, ids, blocks[rank].ordinal, w).run());
    }
    return blocks;
  }

  const Plan& plan_;
  const ir::Kernel& k_;
  const ProofOptions& options_;
  Recorder& recorder_;
  std::int64_t steps_left_;
  std::vector<std::int64_t> pieces_;  ///< by parameter
  bool first_ = true;                 ///< costs are those of the first block
};

}  // namespace

void replay(const Plan& plan, const ProofOptions& options, Recorder& recorder,
            ProofReport& report) {
  Replay(plan, options, recorder).run(report);
}

}  // namespace barline::verify::proof::async
