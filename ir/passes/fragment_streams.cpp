// SPDX-License-Identifier: Apache-2.0
// A register stream: what a trip loads of an operand straight from memory is loaded `ahead` trips
// before its use and carried through the loop,
//
//   for %i { %v = load w[%i]       %v0, %v1 = load w[0], load w[1]
//            use %v }              for %i iter (%a = %v0, %b = %v1) {
//                                    use %a
//                                    %n = load w[%i + 2]
//                                  } yields (%b, %n)
//
// unrolled so that carrying takes no moves. A load stands right behind the last use of the value
// whose registers it takes. Loads past the last trip lie outside of the tensor and bring zeros.
//
// To ptxas a load without a use in its block can wait, and one whose use is far can move there:
// both would undo the stream. It moves no load over a warp_sync, which costs a warp next to
// nothing: one stands behind the first trips' loads, and one at the end of each trip. That holds
// for weak loads alone, not for those of constants, so streams are loaded so.
#include <algorithm>
#include <set>
#include <utility>

#include "ir/passes/fragments_p.h"
#include "ir/passes/rings_p.h"

namespace barline::ir {
namespace {

/// Loops of constant bounds of so many trips, or fewer, are written out whole.
constexpr std::int64_t trips_at_once = 32;

class Prefetcher {
 public:
  Prefetcher(FragmentWorld& w, Operation& loop)
      : w_(w), k_(w.k), loop_(loop), body_(loop.regions[0]) {}

  bool run(Builder& before) {
    for (std::size_t i = 0; i < body_.ops.size(); ++i) {
      const Operation& op = body_.ops[i];
      if (!op.is(Op::Load) || op.out.empty()) continue;
      if (auto at = w_.streamed.find(op.out[0]); at != w_.streamed.end())
        loads_.push_back({op, at->second, {}, {}});
    }
    if (loads_.empty()) return false;
    // Weights first, which may be asked for before the grid before has ended.
    std::stable_sort(loads_.begin(), loads_.end(), [&](const Carried& a, const Carried& b) {
      return is_weight(a) > is_weight(b);
    });
    prologue(before);
    rewrite();
    return true;
  }

  int period() const {
    int most = 1;
    for (const Carried& s : loads_) most = std::max(most, s.ahead);
    return most;
  }

 private:
  struct Carried {
    Operation load;
    int ahead;
    std::vector<ValueId> carried;  ///< the body's arguments, nearest trip first
    ValueId next = no_value;       ///< what the trip loads
  };

  bool is_weight(const Carried& s) const { return w_.weights.contains(s.load.out[0]); }

  /// The load as the trip makes it whose values `map` has; what the positions of a trip's loads are
  /// made of is copied once.
  ValueId load_of_trip(Builder& b, const Operation& load, ValueMap& map) {
    Operation copy = load;
    for (ValueId& v : copy.in) v = clone_slice(b, body_, v, map);
    copy.out = {k_.new_value(k_.type(load.out[0]))};
    ValueId v = copy.out[0];
    b.append(std::move(copy));
    return v;
  }

  void prologue(Builder& b) {
    std::vector<std::vector<ValueId>> first(loads_.size());
    std::vector<ValueMap> maps;
    for (int trip = 0; trip < period(); ++trip) {
      b.at(loop_.loc);
      maps.push_back({{body_.args[0], b.constant(Elem::S32, trip)}});
    }
    const bool waits = w_.awaits && w_.outer_loops.contains(body_.args[0]);
    for (std::size_t i = 0; i < loads_.size(); ++i) {
      Operation load = loads_[i].load;
      if (waits && is_weight(loads_[i]))
        load.set(Key::Order, static_cast<std::int64_t>(MemOrder::Const));
      else if (waits && std::exchange(w_.awaits, false))
        b.emit(Op::AwaitPrevious, {});
      for (int trip = 0; trip < loads_[i].ahead; ++trip)
        first[i].push_back(load_of_trip(b, load, maps[trip]));
    }
    b.emit(Op::WarpSync, {});
    for (std::size_t i = 0; i < loads_.size(); ++i)
      for (ValueId v : first[i]) {
        loop_.in.push_back(v);
        loop_.out.push_back(k_.new_value(k_.type(v)));
        loads_[i].carried.push_back(k_.new_value(k_.type(v)));
        body_.args.push_back(loads_[i].carried.back());
      }
  }

  /// The position behind the last use of a value, or of a part of it.
  std::size_t last_use(ValueId v) const {
    std::set<ValueId> of{v};
    std::size_t last = 0;
    for (std::size_t i = 0; i < body_.ops.size(); ++i) {
      const Operation& op = body_.ops[i];
      bool uses = false;
      auto look = [&](const Operation& o) {
        uses = uses ||
               std::any_of(o.in.begin(), o.in.end(), [&](ValueId in) { return of.contains(in); });
      };
      look(op);
      for (const Region& r : op.regions) walk(r, look);
      if (!uses) continue;
      last = i;
      if (op.is(Op::Extract)) of.insert(op.out[0]);
    }
    return last;
  }

  void rewrite() {
    std::map<std::size_t, std::vector<Carried*>> behind;
    for (Carried& s : loads_)
      behind[std::min(last_use(s.load.out[0]), body_.ops.size() - 2)].push_back(&s);
    Region out;
    out.args = body_.args;
    Builder b(k_, out);
    ValueMap renamed;
    for (const Carried& s : loads_) renamed[s.load.out[0]] = s.carried[0];
    std::map<int, ValueMap> trips;  // by how far ahead
    for (std::size_t i = 0; i < body_.ops.size(); ++i) {
      Operation op = body_.ops[i];
      replace_uses(op, renamed);
      if (op.has(Terminator)) {
        carry(op);
        b.emit(Op::WarpSync, {});
      }
      if (op.out.empty() || !renamed.contains(op.out[0])) b.append(std::move(op));
      auto at = behind.find(i);
      if (at == behind.end()) continue;
      for (Carried* s : at->second) {
        b.at(s->load.loc);
        ValueMap& map = trips[s->ahead];
        if (map.empty())
          map[body_.args[0]] = b.binary(Op::Add, body_.args[0], b.constant(Elem::S32, s->ahead));
        s->next = load_of_trip(b, s->load, map);
      }
    }
    body_ = std::move(out);
  }

  void carry(Operation& yield) const {
    for (const Carried& s : loads_) {
      yield.in.insert(yield.in.end(), s.carried.begin() + 1, s.carried.end());
      yield.in.push_back(s.next);
    }
  }

  FragmentWorld& w_;
  Kernel& k_;
  Operation& loop_;
  Region& body_;
  std::vector<Carried> loads_;
};

}  // namespace

void prefetch(Builder& before, FragmentWorld& w, Operation& loop) {
  if (!loop.is(Op::For) || w.streamed.empty()) return;
  Prefetcher p(w, loop);
  if (!p.run(before)) return;
  auto trips = w.known(loop.in[1]);
  loop.set(Key::Unroll, trips && *trips <= trips_at_once ? 0 : p.period());
}

}  // namespace barline::ir
