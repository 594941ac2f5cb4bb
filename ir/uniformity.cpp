// SPDX-License-Identifier: Apache-2.0
#include "ir/uniformity.h"

#include <algorithm>
#include <map>
#include <set>

namespace barline::ir {
namespace {

class Analysis {
 public:
  explicit Analysis(const Kernel& k) : k_(k), u_(k.values.size(), Team::Grid) {
    walk(k.body, [&](const Operation& op) {
      if (op.is(Op::SlotAt)) slot_of_[op.out[0]] = op.in[0];
      if (op.is(Op::Atomic) || op.is(Op::AtomicCas)) atomics_.insert(slot(op.in[0]));
    });
  }

  Uniformity run() {
    do {
      changed_ = false;
      region(k_.body, Team::Grid);
    } while (changed_);
    return std::move(u_);
  }

 private:
  void lower(ValueId v, Team t) {
    if (t < u_[v]) {
      u_[v] = t;
      changed_ = true;
    }
  }

  Team meet(const std::vector<ValueId>& values, std::size_t from = 0) const {
    Team t = Team::Grid;
    for (std::size_t i = from; i < values.size(); ++i) t = std::min(t, u_[values[i]]);
    return t;
  }

  /// How uniform the op's result is, its control flow apart.
  Team transfer(const Operation& op) const {
    switch (op.op) {
      case Op::ThreadId: return of_thread_id(static_cast<int>(op.attr(Key::Dim)));
      case Op::ThreadRank: return k_.launch.block_threads() == 1 ? Team::Grid : Team::Thread;
      case Op::LaneId:
      case Op::Elect:
      case Op::Clock:
      case Op::GlobalTimer:
      case Op::RegionBegin: return Team::Thread;
      case Op::WarpId: return k_.launch.block_threads() <= warp_size ? Team::Grid : Team::Warp;
      case Op::SmId:
      case Op::BlockId:
      case Op::ClusterRank: return Team::Cta;
      case Op::Vote: return std::max(warp(), u_[op.in[0]]);
      case Op::Shuffle: return u_[op.in[0]] > Team::Thread ? u_[op.in[0]] : shuffled(op);
      case Op::Reduce: {
        Team team = op.attr_as<Team>(Key::Team);
        if (team == Team::Warp) team = warp();
        return team == Team::Thread ? meet(op.in) : std::max(team, meet(op.in));
      }
      case Op::Load: {
        bool constant = op.attr_as<MemOrder>(Key::Order) == MemOrder::Const;
        if (constant) return meet(op.in);
        return settled(op) ? std::min(Team::Cta, meet(op.in)) : Team::Thread;
      }
      case Op::LoadMatrix:
      case Op::MoveMatrix:
      case Op::Wgmma:
      case Op::WgmmaSlots:
      case Op::FragmentLoad:
      case Op::FragmentIndex:
      case Op::TileLoad:
      case Op::TileIndex:
      case Op::Atomic:
      case Op::AtomicCas:
      case Op::GenerationEnter: return Team::Thread;
      case Op::ArriveLast: return Team::Cta;
      default: return meet(op.in);
    }
  }

  /// A dimension of one thread is constant; where the dimensions before it make up whole warps, a
  /// warp's lanes agree.
  Team of_thread_id(int dim) const {
    const auto& threads = k_.launch.threads;
    if (threads[dim] == 1) return Team::Grid;
    int faster = 1;
    for (int d = 0; d < dim; ++d) faster *= threads[d];
    return faster % warp_size == 0 ? Team::Warp : Team::Thread;
  }

  /// Reading one lane by a warp-uniform index gives the same value to the whole warp.
  Team shuffled(const Operation& op) const {
    bool by_index = op.attr_as<ShuffleMode>(Key::Mode) == ShuffleMode::Index;
    return by_index && u_[op.in[1]] >= Team::Warp ? warp() : Team::Thread;
  }

  /// A warp that is the whole block agrees as the block does.
  Team warp() const { return k_.launch.block_threads() <= warp_size ? Team::Cta : Team::Warp; }

  ValueId slot(ValueId root) const {
    auto it = slot_of_.find(root);
    return it == slot_of_.end() ? root : it->second;
  }

  /// A plain load of a slot that no atomic touches: what the threads of a block read from one place
  /// there is the same, since a write between two of the reads would race with one of them.
  bool settled(const Operation& load) const {
    return k_.type(load.in[0]).space == Space::Shared && !atomics_.contains(slot(load.in[0]));
  }

  void region(const Region& r, Team control) {
    for (const Operation& op : r.ops) operation(op, control);
  }

  void operation(const Operation& op, Team control) {
    switch (op.op) {
      case Op::If: return branch(op, control);
      case Op::For: return for_loop(op, control);
      case Op::While: return while_loop(op, control);
      default: break;
    }
    Team t = transfer(op);
    if (op.is(Op::Reduce) || op.is(Op::Fold)) {
      for (ValueId a : op.regions[0].args) lower(a, Team::Thread);
      region(op.regions[0], control);
    }
    for (ValueId v : op.out) lower(v, t);
  }

  void branch(const Operation& op, Team control) {
    Team c = u_[op.in[0]];
    for (const Region& r : op.regions) {
      region(r, std::min(control, c));
      const Operation& yield = r.ops.back();
      for (std::size_t i = 0; i < op.out.size(); ++i)
        lower(op.out[i], std::min(c, u_[yield.in[i]]));
    }
  }

  void for_loop(const Operation& op, Team control) {
    const Region& body = op.regions[0];
    Team trips = std::min({u_[op.in[0]], u_[op.in[1]], u_[op.in[2]]});
    lower(body.args[0], trips);
    carry(op, op.in, 3, body.args, 1);
    region(body, std::min(control, trips));
    carry(op, body.ops.back().in, 0, body.args, 1);
    for (std::size_t i = 0; i < op.out.size(); ++i)
      lower(op.out[i], std::min(trips, u_[body.args[i + 1]]));
  }

  void while_loop(const Operation& op, Team control) {
    const Region& head = op.regions[0];
    const Region& body = op.regions[1];
    carry(op, op.in, 0, head.args, 0);
    const Operation& condition = head.ops.back();
    region(head, std::min(control, u_[condition.in[0]]));
    Team c = u_[condition.in[0]];
    carry(op, condition.in, 1, body.args, 0);
    region(body, std::min(control, c));
    carry(op, body.ops.back().in, 0, head.args, 0);
    for (std::size_t i = 0; i < op.out.size(); ++i)
      lower(op.out[i], std::min(c, u_[condition.in[i + 1]]));
  }

  void carry(const Operation&, const std::vector<ValueId>& from, std::size_t skip_from,
             const std::vector<ValueId>& to, std::size_t skip_to) {
    for (std::size_t i = 0; i + skip_to < to.size() && i + skip_from < from.size(); ++i)
      lower(to[i + skip_to], u_[from[i + skip_from]]);
  }

  const Kernel& k_;
  std::map<ValueId, ValueId> slot_of_;  ///< slot_at -> its slot
  std::set<ValueId> atomics_;           ///< slots and parameters that atomics touch
  Uniformity u_;
  bool changed_ = false;
};

Team condition_of(const Operation& op, const Uniformity& u) {
  switch (op.op) {
    case Op::If: return u[op.in[0]];
    case Op::For: return std::min({u[op.in[0]], u[op.in[1]], u[op.in[2]]});
    case Op::While: return u[op.regions[0].ops.back().in[0]];
    default: return Team::Grid;
  }
}

void walk_region(const Region& r, const Uniformity& u, Team control,
                 const std::function<void(const Operation&, Team)>& visit) {
  for (const Operation& op : r.ops) {
    visit(op, control);
    Team inner = std::min(control, condition_of(op, u));
    for (const Region& sub : op.regions) walk_region(sub, u, inner, visit);
  }
}

}  // namespace

Uniformity uniformity(const Kernel& k) { return Analysis(k).run(); }

void walk_control(const Kernel& k, const Uniformity& u,
                  const std::function<void(const Operation&, Team)>& visit) {
  walk_region(k.body, u, Team::Grid, visit);
}

}  // namespace barline::ir
