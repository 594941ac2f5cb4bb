// SPDX-License-Identifier: Apache-2.0
// Scratch is a pair of slot copies that rotates by running use count: use u writes copy u mod 2, so
// that n reductions in a row need n barriers where one copy would need 2n-1. The count is a value
// of the program (a cursor): constant where it is known, carried by a loop whose body holds an odd
// number of uses and by an `if` whose branches differ.
//
// All lanes end a butterfly with the same value, but nothing in the code says so. Where control
// flow follows from it, a shuffle from lane 0 does: what is uniform before the pass stays uniform.
#include "ir/passes/expand_reductions.h"

#include <fmt/format.h>
#include <algorithm>
#include <optional>

#include "ir/rewrite.h"

namespace barline::ir {
namespace {

using Elements = std::vector<ValueId>;
constexpr int copies = 2;

/// A running use count: base + offset; no base: a constant.
struct Cursor {
  ValueId base = no_value;
  std::int64_t offset = 0;
  bool operator==(const Cursor&) const = default;
};

bool over_block(const Operation& op) {
  return op.is(Op::Reduce) && op.attr_as<Team>(Key::Team) == Team::Cta;
}

/// Uses in a region modulo the copies, or nothing where it depends on the run.
std::optional<int> uses_of(const Region& r) {
  int uses = 0;
  for (const Operation& op : r.ops) {
    if (over_block(op)) ++uses;
    if (op.is(Op::If)) {
      auto a = uses_of(op.regions[0]), b = uses_of(op.regions[1]);
      if (!a || !b || *a != *b) return std::nullopt;
      uses += *a;
    } else if (op.is(Op::For) || op.is(Op::While)) {
      for (const Region& sub : op.regions)
        if (uses_of(sub) != std::optional<int>(0)) return std::nullopt;
    }
  }
  return uses % copies;
}

/// Values that conditions and trip counts follow from, loops and branches included.
std::vector<bool> control_values(const Kernel& k) {
  std::vector<bool> found(k.values.size());
  auto mark = [&](const std::vector<ValueId>& values, std::size_t n) {
    bool grew = false;
    for (std::size_t i = 0; i < std::min(n, values.size()); ++i) {
      grew = grew || !found[values[i]];
      found[values[i]] = true;
    }
    return grew;
  };
  auto any = [&](const std::vector<ValueId>& values) {
    return std::any_of(values.begin(), values.end(), [&](ValueId v) { return found[v]; });
  };
  for (bool grew = true; grew;) {
    grew = false;
    walk(k.body, [&](const Operation& op) {
      std::size_t steers = op.is(Op::If) || op.is(Op::Condition) ? 1 : op.is(Op::For) ? 3 : 0;
      grew = mark(op.in, steers) || grew;
      bool reached = any(op.out);
      for (const Region& r : op.regions) reached = reached || any(r.args);
      if (!reached) return;
      grew = mark(op.in, op.in.size()) || grew;
      for (const Region& r : op.regions) {
        const std::vector<ValueId>& end = r.ops.back().in;
        grew = mark(end, end.size()) || grew;
      }
    });
  }
  return found;
}

class Expander {
 public:
  explicit Expander(Kernel& k)
      : k_(k),
        warps_((k.launch.block_threads() + warp_size - 1) / warp_size),
        steering_(control_values(k)) {}

  void run() {
    Cursor start;
    k_.body = region(k_.body, start);
  }

 private:
  Region region(Region& from, Cursor& cursor) {
    Region out;
    out.args = from.args;
    Builder b(k_, out);
    for (Operation& op : from.ops) {
      replace_uses(op, renamed_);
      b.at(op.loc);
      if (op.is(Op::Reduce))
        reduce(b, op, cursor);
      else if (op.regions.empty())
        b.append(std::move(op));
      else
        control(b, op, cursor);
    }
    return out;
  }

  ValueId materialise(Builder& b, const Cursor& c) {
    if (c.base == no_value) return b.constant(Elem::S32, c.offset % copies);
    return c.offset ? b.binary(Op::Add, c.base, b.constant(Elem::S32, c.offset)) : c.base;
  }

  void control(Builder& b, Operation& op, Cursor& cursor) {
    bool loop = op.is(Op::For) || op.is(Op::While);
    bool known = true;
    for (const Region& r : op.regions)
      known = known && (loop ? uses_of(r) == std::optional<int>(0) : uses_of(r).has_value());
    if (op.is(Op::If)) known = known && uses_of(op.regions[0]) == uses_of(op.regions[1]);
    if (known) return keep_cursor(b, op, cursor);
    if (op.is(Op::If)) return carry_if(b, op, cursor);
    if (op.is(Op::For)) return carry_for(b, op, cursor);
    carry_while(b, op, cursor);
  }

  /// The op moves the cursor by a known number of uses: every region starts from it.
  void keep_cursor(Builder& b, Operation& op, Cursor& cursor) {
    Cursor after = cursor;
    for (Region& r : op.regions) {
      Cursor inner = cursor;
      r = region(r, inner);
      if (op.is(Op::If)) after = inner;
    }
    b.append(std::move(op));
    cursor = after;
  }

  /// Ends a rewritten region with the cursor's value as one more result.
  void yield_cursor(Region& r, const Cursor& c) {
    Operation end = std::move(r.ops.back());
    r.ops.pop_back();
    Builder b(k_, r);
    b.at(end.loc);
    end.in.push_back(materialise(b, c));
    b.append(std::move(end));
  }

  Cursor add_result(Operation& op) {
    op.out.push_back(k_.new_value(scalar(Elem::S32)));
    return {op.out.back(), 0};
  }

  Cursor add_arg(Region& r) {
    r.args.push_back(k_.new_value(scalar(Elem::S32)));
    return {r.args.back(), 0};
  }

  void carry_if(Builder& b, Operation& op, Cursor& cursor) {
    for (Region& r : op.regions) {
      Cursor inner = cursor;
      r = region(r, inner);
      yield_cursor(r, inner);
    }
    cursor = add_result(op);
    b.append(std::move(op));
  }

  void carry_for(Builder& b, Operation& op, Cursor& cursor) {
    op.in.push_back(materialise(b, cursor));
    Cursor inner = add_arg(op.regions[0]);
    op.regions[0] = region(op.regions[0], inner);
    yield_cursor(op.regions[0], inner);
    cursor = add_result(op);
    b.append(std::move(op));
  }

  void carry_while(Builder& b, Operation& op, Cursor& cursor) {
    op.in.push_back(materialise(b, cursor));
    for (Region& r : op.regions) {
      Cursor inner = add_arg(r);
      r = region(r, inner);
      yield_cursor(r, inner);
    }
    cursor = add_result(op);
    b.append(std::move(op));
  }

  void reduce(Builder& b, const Operation& op, Cursor& cursor) {
    std::size_t n = op.out.size();
    Elements v(op.in.begin(), op.in.begin() + n);
    for (int mask = warp_size / 2; mask > 0; mask /= 2) {
      Elements other;
      for (ValueId x : v)
        other.push_back(b.emit(Op::Shuffle, {x, b.constant(Elem::S32, mask)},
                               {{Key::Mode, static_cast<std::int64_t>(ShuffleMode::Xor), {}}}));
      v = inline_combine(b, op, v, other);
    }
    bool steers =
        std::any_of(op.out.begin(), op.out.end(), [&](ValueId x) { return steering_[x]; });
    if (steers && !(over_block(op) && warps_ > 1))
      for (ValueId& x : v)
        x = b.emit(Op::Shuffle, {x, b.constant(Elem::S32, 0)},
                   {{Key::Mode, static_cast<std::int64_t>(ShuffleMode::Index), {}}});
    if (over_block(op)) {
      if (warps_ > 1) v = over_warps(b, op, v, materialise(b, cursor));
      ++cursor.offset;
    }
    for (std::size_t i = 0; i < n; ++i) renamed_[op.out[i]] = v[i];
  }

  Elements over_warps(Builder& b, const Operation& op, const Elements& v, ValueId use) {
    ValueId warp = b.emit(Op::WarpId, {});
    ValueId first = b.compare(Compare::Eq, b.emit(Op::LaneId, {}), b.constant(Elem::S32, 0));
    Elements roots;
    for (std::size_t i = 0; i < v.size(); ++i) {
      roots.push_back(
          b.emit(Op::SlotAt, {slot(k_.type(v[i]).elem, static_cast<int>(i), op.loc), use}));
      b.append({.op = Op::Store,
                .in = {roots[i], warp, v[i], first},
                .out = {},
                .attrs = {},
                .regions = {},
                .loc = op.loc});
    }
    std::vector<Elements> partials(warps_);
    for (std::size_t i = 0; i < v.size(); ++i) {
      Elements of_warps = load_partials(b, roots[i], k_.type(v[i]).elem);
      for (int w = 0; w < warps_; ++w) partials[w].push_back(of_warps[w]);
    }
    return fold_pairwise(partials.data(), warps_, [&](const Elements& x, const Elements& y) {
      return inline_combine(b, op, x, y);
    });
  }

  /// All warps' partials, in the widest accesses that divide their number.
  Elements load_partials(Builder& b, ValueId root, Elem e) {
    int lanes = std::max(1, 16 / bytes(e));
    while (warps_ % lanes != 0) lanes /= 2;
    Elements all;
    for (int w = 0; w < warps_; w += lanes) {
      Type t = lanes == 1 ? scalar(e) : vector(e, lanes);
      std::vector<Attr> attrs;
      if (w) attrs.push_back({Key::Offset, w, {}});
      ValueId part = b.emit(Op::Load, t, {root, b.constant(Elem::S32, 0)}, attrs);
      if (lanes == 1) all.push_back(part);
      for (int i = 0; lanes > 1 && i < lanes; ++i)
        all.push_back(b.emit(Op::Extract, scalar(e), {part}, {{Key::Index, i, {}}}));
    }
    return all;
  }

  /// The scratch slot of component `i` of reductions of this type; all reductions share it.
  ValueId slot(Elem e, int i, const Loc& loc) {
    std::string name = fmt::format("reduce_{}_{}", ir::name(e), i);
    for (const Slot& s : k_.slots)
      if (s.name == name) return s.value;
    ValueId v = k_.new_value(pointer(e, Space::Shared), name);
    k_.slots.push_back({name, e, warps_, copies, v, loc});
    return v;
  }

  Kernel& k_;
  int warps_;
  std::vector<bool> steering_;  ///< values that conditions and trip counts follow from
  ValueMap renamed_;            ///< results of reductions -> the values that hold them now
};

}  // namespace

void expand_reductions(Kernel& k) { Expander(k).run(); }

}  // namespace barline::ir
