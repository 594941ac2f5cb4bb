// SPDX-License-Identifier: Apache-2.0
// The sum of the parts that a cluster's blocks hold. Each thread writes what it holds of another
// block's share to that block's slot, 16 bytes a lane, side by side, where the same thread of that
// block adds the parts in their order.
//
//   slot   [part but the block's own][group][thread] of four sums
//
// A block may be written to once it runs: the cluster's barrier is arrived at where the code that
// merges begins, so that nobody waits for it, and waited for before the first store. It may not end
// before it was written to: the barrier after the stores.
#include "ir/cluster_share.h"
#include "ir/diagnostic.h"
#include "ir/passes/fragments_p.h"
#include "ir/passes/rings_p.h"

namespace barline::ir {
namespace {

class ClusterMerge {
 public:
  ClusterMerge(Builder& b, FragmentWorld& w, const Operation& merge, const Groups& groups)
      : b_(b), k_(w.k), p_(w.k), merge_(merge), parts_(static_cast<int>(merge.attr(Key::Parts))) {
    const Layout& whole = w.layout(merge.in[0]);
    const int axis = *share_axis(whole, w.layout(merge.out[0]), parts_);
    for (int part = 0; part < parts_; ++part) {
      Groups& share = shares_.emplace_back();
      for (int r : share_registers(whole, axis, parts_, part))
        if (r % group_of_two_axes == 0) share.push_back(groups[r / group_of_two_axes]);
    }
    threads_ = extent(whole.digits, In::Warp) * warp_size;
    part_elements_ = std::ssize(shares_[0]) * threads_ * group_of_two_axes;
  }

  Groups run(bool first) {
    Region ops;
    Builder b(k_, ops);
    b.at(b_.loc());
    rank_ = b.emit(Op::ClusterRank, scalar(Elem::S32), {});
    slot_ = add_slot();
    thread_ = p_.times(p_.rank(), group_of_two_axes);
    for (int part = 0; part < parts_; ++part) is_rank_.push_back(is(b, rank_, part));
    Groups own = share_of(b, is_rank_);
    if (first) b.emit(Op::ClusterWait, {});
    for (int away = 1; away < parts_; ++away) push(b, away);
    b.emit(Op::ClusterArrive, {});
    b.emit(Op::ClusterWait, {});
    Groups sums = add(b, own);
    for (Operation& op : p_.take()) b_.append(std::move(op));
    for (Operation& op : ops.ops) b_.append(std::move(op));
    return sums;
  }

 private:
  ValueId is(Builder& b, ValueId v, int n) { return b.compare(Compare::Eq, v, p_.number(n)); }

  ValueId add_slot() {
    Slot s{.name = fresh_name(k_, "exchange"),
           .elem = Elem::F32,
           .extent = (parts_ - 1) * part_elements_,
           .copies = 1,
           .value = no_value,
           .loc = merge_.loc};
    s.value = k_.new_value(pointer(Elem::F32, Space::Shared), s.name);
    k_.slots.push_back(s);
    return s.value;
  }

  /// The groups of the share of the block for which here[block] is true.
  Groups share_of(Builder& b, const std::vector<ValueId>& here) {
    Groups chosen = shares_.back();
    for (int part = parts_ - 1; part-- > 0;)
      for (std::size_t g = 0; g < chosen.size(); ++g)
        chosen[g] = b.emit(Op::Select, {here[part], shares_[part][g], chosen[g]});
    return chosen;
  }

  /// Where a slot has the groups of part `part` for block `to`.
  ValueId place(Builder& b, ValueId part, ValueId to) {
    if (parts_ == 2) return thread_;
    ValueId after = b.compare(Compare::Gt, part, to);
    ValueId at = b.emit(Op::Select, {after, b.binary(Op::Sub, part, p_.number(1)), part});
    return b.binary(Op::Add, b.binary(Op::Mul, at, p_.number(part_elements_)), thread_);
  }

  std::vector<Attr> offset(std::size_t group) const {
    std::int64_t at = static_cast<std::int64_t>(group) * threads_ * group_of_two_axes;
    return at ? std::vector<Attr>{{Key::Offset, at, {}}} : std::vector<Attr>{};
  }

  /// Gives the block so many ranks on its share.
  void push(Builder& b, int away) {
    ValueId to = b.binary(Op::Rem, b.binary(Op::Add, rank_, p_.number(away)), p_.number(parts_));
    std::vector<ValueId> here;
    for (int part = 0; part < parts_; ++part) here.push_back(is(b, to, part));
    const Groups share = share_of(b, here);
    ValueId at = place(b, rank_, to);
    for (std::size_t g = 0; g < share.size(); ++g)
      b.append({.op = Op::StoreRemote,
                .in = {slot_, at, to, share[g]},
                .out = {},
                .attrs = offset(g),
                .regions = {},
                .loc = merge_.loc});
  }

  /// Part 0 + part 1 + .., the block's own among them.
  Groups add(Builder& b, const Groups& own) {
    Groups sums = own;
    const Type type = vector(Elem::F32, group_of_two_axes);
    for (std::size_t g = 0; parts_ == 2 && g < own.size(); ++g)  // a + b is b + a
      sums[g] = b.binary(Op::Add, own[g], b.emit(Op::Load, type, {slot_, thread_}, offset(g)));
    if (parts_ == 2) return sums;
    for (int part = 0; part < parts_; ++part) {
      ValueId at = place(b, p_.number(part), rank_);
      ValueId other = b.compare(Compare::Ne, rank_, p_.number(part));
      for (std::size_t g = 0; g < own.size(); ++g) {
        ValueId v = b.emit(Op::Load, type, {slot_, at, other}, offset(g));
        v = b.emit(Op::Select, {other, v, own[g]});
        sums[g] = part ? b.binary(Op::Add, sums[g], v) : v;
      }
    }
    return sums;
  }

  Builder& b_;
  Kernel& k_;
  Places p_;
  const Operation& merge_;
  int parts_;
  std::vector<Groups> shares_;  ///< of each block
  std::int64_t threads_ = 0, part_elements_ = 0;
  ValueId rank_ = no_value, slot_ = no_value, thread_ = no_value;
  std::vector<ValueId> is_rank_;
};

}  // namespace

Groups expand_cluster_merge(Builder& out, FragmentWorld& w, const Operation& merge,
                            const Groups& groups, bool first) {
  if (group_size(w.layout(merge.in[0])) != group_of_two_axes)
    fail(Diag::BadSchedule, merge.loc, "parts of a sum that are no tile over two axes",
         "share out sums of f16 or bf16 products");
  return ClusterMerge(out, w, merge, groups).run(first);
}

}  // namespace barline::ir
