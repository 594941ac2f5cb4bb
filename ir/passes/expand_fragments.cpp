// SPDX-License-Identifier: Apache-2.0
// Elementwise ops and loads are expanded group by group where their groups are first asked for: a
// product asks for those of one step along k at a time, so the raw words of an operand are read,
// decoded and scaled right where the tensor cores need them. What a later op could change, or what
// an inner region uses, is made before: the loads of a slot before its next fill, every tile that a
// loop or branch reads before it.
#include "ir/passes/expand_fragments.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ir/diagnostic.h"
#include "ir/passes/fragments_p.h"
#include "ir/rewrite.h"

namespace barline::ir {
namespace {

class FragmentExpander {
 public:
  explicit FragmentExpander(Kernel& k) : k_(k), w_(k) {}

  void run() {
    const bool awaited = w_.awaits;
    Region body = region(k_.body);
    if (merges_) arrive_first(body);
    if (awaited && !w_.awaits)  // a stream has a wait of its own, behind its weights
      body.ops.erase(std::find_if(body.ops.begin(), body.ops.end(),
                                  [](const Operation& op) { return op.is(Op::AwaitPrevious); }));
    std::vector<Operation> head = w_.places.take();
    body.ops.insert(body.ops.begin(), std::make_move_iterator(head.begin()),
                    std::make_move_iterator(head.end()));
    k_.body = std::move(body);
  }

 private:
  struct Tile {
    Operation op;   ///< what defines it, while groups are left to make
    Groups groups;  ///< no_value: not made yet
  };

  bool is_fragment_tile(ValueId v) const {
    return k_.type(v).is_tile() && is_fragment(w_.layout(v));
  }

  Region region(Region& from) {
    Region out;
    for (ValueId v : from.args) {
      if (!is_fragment_tile(v)) {
        out.args.push_back(v);
        continue;
      }
      for (ValueId g : new_groups(v)) out.args.push_back(g);
    }
    Builder b(k_, out);
    std::vector<ValueId> inside;
    for (Operation& op : from.ops) {
      b.at(op.loc);
      std::vector<ValueId> defines = op.out;
      operation(b, op);
      inside.insert(inside.end(), defines.begin(), defines.end());
    }
    for (ValueId v : inside) tiles_.erase(v);  // what is left to make, nobody outside can use
    return out;
  }

  /// The other blocks of the cluster learn that this one runs, from all of its threads.
  static void arrive_first(Region& r) {
    r.ops.insert(r.ops.begin(), {.op = Op::ClusterArrive,
                                 .in = {},
                                 .out = {},
                                 .attrs = {},
                                 .regions = {},
                                 .loc = r.ops.front().loc});
  }

  /// Fresh values for the groups of a tile.
  const Groups& new_groups(ValueId tile) {
    Groups groups;
    Type type = group_type(k_, k_.type(tile));
    type.in_flight = accumulated_.contains(tile);
    for (int i = 0; i < group_count(w_.layout(tile)); ++i) groups.push_back(k_.new_value(type));
    return (tiles_[tile] = {{}, std::move(groups)}).groups;
  }

  void operation(Builder& b, Operation& op) {
    switch (op.op) {
      case Op::Dot: return dot(b, op);
      case Op::Fold: return fold(b, op);
      case Op::Merge: return merge(b, op);
      case Op::FragmentStore:
        make_reads(b, op.in[0]);
        return expand_store(b, w_, op, all(b, op.in[4]));
      case Op::Fill: make_reads(b, op.in[0]); return expand_fill(b, w_, op);
      default: break;
    }
    if (!op.regions.empty()) return control(b, op);
    bool defines = !op.out.empty() && is_fragment_tile(op.out[0]);
    if (defines) {
      if (op.is(Op::FragmentLoad))
        if (auto from_slot = staged(b, w_, op)) op = std::move(*from_slot);
      tiles_[op.out[0]] = {op, Groups(group_count(w_.layout(op.out[0])), no_value)};
      // A tensor's latency is long: its loads are made where they stand, not where they are used.
      if (op.is(Op::FragmentLoad) && w_.root(op.in[0]).slot < 0) all(b, op.out[0]);
    } else if (op.has(Terminator)) {
      b.append(flattened(b, op));
    } else {
      if (op.has(Writes)) make_reads(b, op.in[0]);
      b.append(std::move(op));
    }
  }

  /// The op with its tiles' groups in their place.
  Operation flattened(Builder& b, Operation op) {
    std::vector<ValueId> in;
    for (ValueId v : op.in) {
      if (!is_fragment_tile(v)) {
        in.push_back(v);
        continue;
      }
      auto flying = in_flight_.find(v);
      const Groups& groups = flying != in_flight_.end() ? flying->second : all(b, v);
      in.insert(in.end(), groups.begin(), groups.end());
    }
    in_flight_.clear();
    op.in = std::move(in);
    return op;
  }

  /// The sums of a loop that wgmmas accumulate from trip to trip: what the loop carries, and gives.
  void note_accumulated(const Operation& op) {
    if (!op.is(Op::For)) return;
    const Region& body = op.regions[0];
    const Operation& yield = body.ops.back();
    for (const Operation& inner : body.ops) {
      if (!is_unit_dot(inner)) continue;
      for (std::size_t i = 0; i < op.out.size(); ++i)
        if (inner.in[0] == body.args[i + 1] && inner.out[0] == yield.in[i])
          accumulated_.insert({body.args[i + 1], op.out[i]});
    }
  }
  static bool is_unit_dot(const Operation& op) {
    return op.is(Op::Dot) && op.attr_as<Agent>(Key::Agent) == Agent::Wgmma;
  }

  void control(Builder& b, Operation& op) {
    note_accumulated(op);
    for (std::size_t i = 0; i < op.out.size(); ++i)
      if (accumulated_.contains(op.out[i])) {
        in_flight_[op.in[i + 3]] = in_flight(b, w_, all(b, op.in[i + 3]));
      }
    for (Region& r : op.regions)
      walk(r, [&](const Operation& inner) {
        for (ValueId v : inner.in)
          if (tiles_.contains(v) && !stays_in_slot(inner, v)) all(b, v);
        if (inner.is(Op::Fill) || inner.has(Writes)) make_reads(b, inner.in[0]);
      });
    Operation o = flattened(b, op);
    for (Region& r : o.regions) r = region(r);
    std::vector<ValueId> out;
    for (ValueId v : op.out) {
      if (!is_fragment_tile(v)) {
        out.push_back(v);
        continue;
      }
      for (ValueId g : new_groups(v)) out.push_back(g);
    }
    o.out = std::move(out);
    prefetch(b, w_, o);
    Groups held;
    if (op.is(Op::For)) held = carry_held(b, o);
    b.append(std::move(o));
    for (ValueId v : op.out)
      if (accumulated_.contains(v)) tiles_.at(v).groups = landed(b, w_, tiles_.at(v).groups, held);
  }

  /// The loop carries the registers that its last wgmmas read; gives those of the last trip.
  Groups carry_held(Builder& b, Operation& loop) {
    Groups last;
    for (const FragmentWorld::Held& h : std::exchange(w_.held, {})) {
      const Type t = k_.type(h.before);
      std::vector<ValueId> zeros(4, b.constant_bits(t.elem, 0));
      if (t.lanes == 8) zeros.assign(2, w_.pack(b, zeros));
      loop.in.push_back(w_.pack(b, zeros));
      loop.regions[0].args.push_back(h.before);
      loop.regions[0].ops.back().in.push_back(h.after);
      loop.out.push_back(last.emplace_back(k_.new_value(t)));
    }
    return last;
  }

  /// Makes what is still to be loaded from the pointer's slot or parameters, before they change.
  void make_reads(Builder& b, ValueId pointer) {
    const Root& to = w_.root(pointer);
    for (auto& [v, tile] : tiles_) {
      if (!tile.op.is(Op::FragmentLoad) || tile.op.out.empty()) continue;
      const Root& from = w_.root(tile.op.in[0]);
      bool slot = to.slot >= 0 && from.slot == to.slot;
      bool param = std::any_of(to.params.begin(), to.params.end(), [&](int p) {
        return std::find(from.params.begin(), from.params.end(), p) != from.params.end();
      });
      if (slot || param) all(b, v);
    }
  }

  const Groups& all(Builder& b, ValueId tile) {
    Tile& t = tiles_.at(tile);
    for (int g = 0; g < static_cast<int>(t.groups.size()); ++g) group(b, tile, g);
    return t.groups;
  }

  ValueId group(Builder& b, ValueId tile, int g) {
    Tile& t = tiles_.at(tile);
    if (t.groups[g] == no_value) {
      Loc before = b.loc();
      b.at(t.op.loc);
      make(b, t, g);
      b.at(before);
    }
    return t.groups[g];
  }

  void make(Builder& b, Tile& t, int g) {
    const Operation& op = t.op;
    switch (op.op) {
      case Op::FragmentLoad: return load_group(b, w_, op, g, t.groups);
      case Op::FragmentIndex: t.groups[g] = index(b, op, g); return;
      case Op::Spread: t.groups[g] = spread(b, op, g); return;
      default: t.groups[g] = elementwise(b, op, g); return;
    }
  }

  ValueId elementwise(Builder& b, const Operation& op, int g) {
    if (op.is(Op::Cast) && is_words(op.in[0])) {
      const Operation& load = tiles_.at(op.in[0]).op;
      if (!load.is(Op::FragmentLoad)) refuse_words(op);
      auto words = [&](int i) { return group(b, op.in[0], i); };
      return decode_group(b, w_, load, words, g, k_.type(op.out[0]).elem);
    }
    if (is_words(op.out[0])) refuse_words(op);
    Type type = group_type(k_, k_.type(op.out[0]));
    std::vector<ValueId> in;
    for (ValueId v : op.in) {
      bool tile = is_fragment_tile(v);
      in.push_back(tile ? group(b, v, g) : type.lanes == 1 ? v : w_.splat(b, v));
    }
    return b.emit(op.op, type, std::move(in), op.attrs);
  }

  [[noreturn]] static void refuse_words(const Operation& op) {
    fail(Diag::BadSchedule, op.loc, "a fragment of s8 or s4 that no load made",
         "cast codes to f16 first, which is exact; quantise in a kernel of its own");
  }

  bool is_words(ValueId v) const {
    Elem e = k_.type(v).elem;
    return is_fragment_tile(v) && (e == Elem::S8 || e == Elem::S4);
  }

  ValueId index(Builder& b, const Operation& op, int g) {
    const Layout& l = w_.layout(op.out[0]);
    int axis = static_cast<int>(op.attr(Key::Axis)), size = group_size(l);
    std::vector<ValueId> parts;
    for (int i = 0; i < size; ++i)
      parts.push_back(
          w_.places.add(w_.places.of_thread(l, axis), Places::of_register(l, axis, g * size + i)));
    return size == 1 ? parts[0] : w_.pack(b, parts);
  }

  ValueId spread(Builder& b, const Operation& op, int g) {
    const Layout& to = w_.layout(op.out[0]);
    int size = group_size(to);
    if (!is_fragment_tile(op.in[0])) return size == 1 ? op.in[0] : w_.splat(b, op.in[0]);
    const Layout& from = w_.layout(op.in[0]);
    int axis = tile_axes(from)[0];
    std::vector<ValueId> parts;
    for (int i = 0; i < size; ++i) {
      std::int64_t place = Places::of_register(to, axis, g * size + i);
      int r = 0;
      while (Places::of_register(from, axis, r) != place) ++r;
      parts.push_back(group(b, op.in[0], r));
    }
    return size == 1 ? parts[0] : w_.pack(b, parts);
  }

  bool is_slot_load(ValueId tile) const {
    const Operation& op = tiles_.at(tile).op;
    if (!op.is(Op::FragmentLoad) || w_.root(op.in[0]).slot < 0) return false;
    return !is_words(tile) || k_.type(op.in[0]).elem == Elem::S8;  // the unit reads bytes in rows
  }
  /// Does the op read the tile where it is, in its slot?
  bool stays_in_slot(const Operation& op, ValueId tile) const {
    return is_unit_dot(op) && op.in[0] != tile && is_slot_load(tile);
  }

  /// An operand of a warpgroup's product: read in its slot, or made group by group.
  UnitOperand unit_operand(Builder& b, ValueId tile) {
    const Operation& op = tiles_.at(tile).op;
    if (is_slot_load(tile)) return {&op, {}};
    return {nullptr, [this, &b, tile](int g) { return group(b, tile, g); }};
  }

  void dot(Builder& b, const Operation& op) {
    if (is_unit_dot(op)) {
      UnitOperand left = unit_operand(b, op.in[1]), right = unit_operand(b, op.in[2]);
      tiles_[op.out[0]] = {{}, expand_unit_dot(b, w_, op, all(b, op.in[0]), left, right)};
      return;
    }
    auto source = [&](ValueId tile) { return [&, tile](int g) { return group(b, tile, g); }; };
    Groups acc = all(b, op.in[0]);
    tiles_[op.out[0]] = {{},
                         expand_dot(b, w_, op, std::move(acc), source(op.in[1]), source(op.in[2]))};
  }

  void merge(Builder& b, const Operation& op) {
    const Groups parts = all(b, op.in[0]);
    if (op.attr_as<Team>(Key::Team) == Team::Cluster) {
      const bool first = !std::exchange(merges_, true);
      tiles_[op.out[0]] = {{}, expand_cluster_merge(b, w_, op, parts, first)};
    } else {
      tiles_[op.out[0]] = {{}, expand_merge(b, w_, op, parts)};
    }
  }

  void fold(Builder& b, const Operation& op) {
    std::vector<Groups> values;
    for (std::size_t i = 0; i < op.out.size(); ++i) values.push_back(all(b, op.in[i]));
    std::vector<Groups> results = expand_fold(b, w_, op, values);
    for (std::size_t i = 0; i < op.out.size(); ++i) tiles_[op.out[i]] = {{}, std::move(results[i])};
  }

  Kernel& k_;
  FragmentWorld w_;
  std::map<ValueId, Tile> tiles_;
  bool merges_ = false;                  ///< over the cluster
  std::set<ValueId> accumulated_;        ///< tiles whose sums wgmmas carry on
  std::map<ValueId, Groups> in_flight_;  ///< what the loop at hand starts from
};

bool has_fragments(const Kernel& k) {
  bool found = false;
  walk(k.body, [&](const Operation& op) {
    found = found || (op.has(TileLevel) && op.op >= Op::FragmentLoad);
  });
  return found;
}

}  // namespace

void expand_fragments(Kernel& k) {
  if (has_fragments(k)) FragmentExpander(k).run();
  k.rings.clear();
}

}  // namespace barline::ir
