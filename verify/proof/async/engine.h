// SPDX-License-Identifier: Apache-2.0
// Engine: plays the traces of all warps of a block (of a cluster) against each other. Every sync
// has a fixed set of participants, so which syncs meet does not depend on who comes first: one
// order of play decides deadlock, and with clocks also races, for all orders. That the sets are
// fixed is part of what is checked: an arrival, a copy or a wait whose phase could be another one
// is refused.
#pragma once

#include <map>
#include <set>
#include <string>

#include "verify/proof/async/cells.h"
#include "verify/proof/async/clocks.h"
#include "verify/proof/plan.h"
#include "verify/proof/recorder.h"

namespace barline::verify::proof::async {

/// A block of the cluster and the traces of its warps.
struct BlockTraces {
  int ordinal = 0;  ///< of the block, for findings
  std::vector<Trace> warps;
};

class Engine {
 public:
  Engine(const Plan& plan, Recorder& recorder, std::vector<BlockTraces> blocks,
         std::vector<TensorCells>& tensors, int run);
  void run();

 private:
  enum class Order : std::uint8_t { Ordered, Unordered, NoFence };
  struct Agents {  ///< a warp
    int block = 0, warp = 0;
    std::size_t at = 0;
    bool waits = false;  ///< counted in at the barrier that it stands at
    int cluster_arrived = 0, cluster_waited = 0;
    std::int64_t registers = 0;
  };
  struct Waiter {
    int agent;
    Lanes lanes;
    std::uint32_t stamp;
    int op;
  };
  struct Gate {
    std::int64_t completed = 0;   ///< phases
    int pending = 0;              ///< arrivals that the phase still takes
    std::int64_t bytes = 0;       ///< announced and not landed
    Row gathered, released;       ///< of the phase at hand; of the last one that is complete
    std::vector<Waiter> waiters;  ///< of the last phase that is complete
    std::int64_t last_copied = -1;
    int copy_op = -1, arrive_op = -1;
    std::int64_t announced = 0;
  };
  struct Meeting {  ///< a barrier that some have come to
    std::vector<int> agents;
    int warps = 0;
    std::vector<int> last;  ///< who met there before
  };
  struct RemoteStore {
    int agent;
    Lanes lanes;
    std::uint32_t stamp;
    int rank, op;
  };

  // engine.cpp
  bool step(int agent);
  bool barrier(int agent, const Event& e);
  bool registers(int agent, const Event& e);
  bool cluster_wait(int agent, const Event& e);
  void cluster_arrive(int agent, const Event& e);
  void prepare_slots();
  // engine_gates.cpp
  bool await(int agent, const Event& e);
  void arrive(int agent, const Event& e);
  void report_copy(int agent, const Event& e);
  bool knows_phase(int agent, Lanes lanes, const Event& e, std::string_view what);
  void complete(int block, int number, int op);
  void maybe_complete(int block, int number, int op);
  Gate& gate(int block, int number) { return gates_[block * at_.gates + number]; }
  // engine_memory.cpp
  void access(int agent, const Event& e);
  void touch(const Record& now, const Range& r, int lane, Cell& c);
  void conflict(const Record& old, const Record& now, const Range& r, int lane, Order order);
  void reads(const Record& now, const Range& r, int lane, const Cell& c);
  Record record(int agent, const Event& e) const;
  Order order(const Record& old, const Record& now, int lane) const;
  void remote(int agent, const Event& e);
  // engine_ends.cpp
  void deadlock();
  std::string waits_for(int agent, const Event& e, Property& p) const;
  void ended();

  void finding(Property p, Verdict v, int op, int agent, int lane, std::string message,
               int other_op = -1, int other_thread = -1);
  int thread(int agent, int lane) const { return agents_[agent].warp * ir::warp_size + lane; }
  const Trace& trace(int agent) const {
    return blocks_[agents_[agent].block].warps[agents_[agent].warp];
  }

  const Plan& plan_;
  const ir::Kernel& k_;
  Recorder& recorder_;
  std::vector<BlockTraces> blocks_;
  std::vector<TensorCells>& tensors_;
  int run_;
  Components at_;
  std::vector<Agents> agents_;
  Clocks clocks_;
  std::vector<Gate> gates_;                          ///< by block, by number
  std::vector<std::vector<SlotCells>> slots_;        ///< by block, by slot
  std::map<std::pair<int, int>, Meeting> meetings_;  ///< by block and barrier id
  std::vector<Row> cluster_rows_;                    ///< by generation: what arrivals published
  std::vector<int> cluster_arrivals_;
  std::vector<std::int64_t> pool_;  ///< by block: registers that nobody has
  std::vector<RemoteStore> remotes_;
  int lanes_checked_ = 0;
};

/// Registers a thread has when the kernel starts: the cap, or as many as a multiprocessor has for
/// the blocks that it promises to hold.
int launch_registers(const ir::Kernel& k);

}  // namespace barline::verify::proof::async
