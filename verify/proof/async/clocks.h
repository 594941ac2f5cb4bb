// SPDX-License-Identifier: Apache-2.0
// Clocks: what each lane of the replayed blocks knows to have happened. A row counts, for every
// thread, how far in its program it is known to be; further components count proxy fences, landed
// copies, finished wgmma groups and completed phases. Lanes of a warp share a row until one of them
// learns something alone.
#pragma once

#include <array>
#include <memory>

#include "verify/proof/async/trace.h"

namespace barline::verify::proof::async {

using Row = std::vector<std::uint32_t>;
void join(Row& to, const Row& from);

/// Where a component stands in a row. An agent is a warp, counted over the blocks of the cluster.
struct Components {
  int agents = 0, gates = 0, blocks = 1;

  int thread(int agent) const { return 32 * agent; }  ///< of lane 0; those of others follow
  int fence(int agent) const { return 32 * (agents + agent); }
  int landed(int agent) const { return 32 * (2 * agents + agent); }
  int matrix(int agent) const { return 96 * agents + agent; }
  int gate(int block, int number) const { return 97 * agents + block * gates + number; }
  int size() const { return 97 * agents + blocks * gates; }
};

class Clocks {
 public:
  explicit Clocks(const Components& at);

  std::uint32_t now(int agent) const { return warps_[agent].now; }
  void tick(int agent) { ++warps_[agent].now; }

  /// What the lanes know together, their own doing up to now included.
  Row publish(int agent, Lanes lanes) const;
  void acquire(int agent, Lanes lanes, const Row& row);
  /// All lanes of the agent know `row` and nothing else.
  void replace(int agent, Row row);
  void warp_sync(int agent) { replace(agent, publish(agent, all_lanes)); }

  /// A proxy fence by the lanes orders what they did so far.
  void fence(int agent, Lanes lanes);
  /// cp.async groups of the lanes before `groups` have landed for them.
  void land(int agent, Lanes lanes, std::uint32_t groups);
  void finish_matrices(int agent, std::uint32_t groups);

  std::uint32_t known(int agent, int lane, int component) const {
    const Warp& w = warps_[agent];
    return (w.apart >> lane & 1 ? w.own[lane] : w.common)[component];
  }
  std::uint32_t fenced(int agent, int lane) const { return warps_[agent].fenced[lane]; }
  std::uint32_t landed(int agent, int lane) const { return warps_[agent].landed[lane]; }
  /// Do all lanes know the component at least so far, each by what others told it?
  bool all_know(int agent, int component, std::uint32_t count) const;
  Lanes apart(int agent) const { return warps_[agent].apart; }

 private:
  struct Warp {
    std::uint32_t now = 1;
    Row common;
    Lanes apart = 0;  ///< lanes with a row of their own
    std::array<Row, 32> own;
    std::array<std::uint32_t, 32> fenced{}, landed{};
  };
  Components at_;
  std::vector<Warp> warps_;
};

}  // namespace barline::verify::proof::async
