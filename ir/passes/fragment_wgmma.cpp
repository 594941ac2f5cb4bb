// SPDX-License-Identifier: Apache-2.0
// A product on a warpgroup's matrix unit. Each step of the atom along k is one wgmma for each 64
// rows that the warpgroup holds, over all columns of the tile; the steps of one product are a
// group. B lies in its slot; A does, too, or is made in registers, the part of a step right before
// its products.
//
// A product that a loop accumulates leaves its last group in flight: the next trip's operands are
// made while it runs, and the sums become values behind the loop. Where A is made in registers, a
// product is two groups: while one half's registers are read by the unit, the other half's are
// made. The wait that ends a group takes its A: so the registers live as long as the unit reads
// them, those of the last group over the loop's back edge.
#include <utility>

#include "ir/diagnostic.h"
#include "ir/passes/fragments_p.h"

namespace barline::ir {
namespace {

constexpr int rows_of_unit = 64, warps_of_group = 4;
constexpr int panel_bytes = 128;

class UnitProduct {
 public:
  UnitProduct(Builder& b, FragmentWorld& w, const Operation& dot, const UnitOperand& left,
              const UnitOperand& right)
      : b_(b), w_(w), dot_(dot), left_(left), right_(right) {
    product_ = *product_of(w.layout(dot.in[0]), w.layout(dot.in[1]), w.layout(dot.in[2]),
                           w.k.type(dot.in[1]).elem);
    blocks_ = product_.tile.m / product_.tile.warps_m * warps_of_group / rows_of_unit;
    columns_ = product_.tile.n / product_.atom.n;
    steps_ = product_.tile.k / product_.atom.k;
  }

  /// `carried`: the group before is in flight, and the last one stays so.
  Groups run(Groups acc, bool carried) {
    if (!right_.load)
      fail(Diag::BadSchedule, dot_.loc, "a product by wgmma whose second operand is in no slot",
           "stream the operand through shared memory, by tma");
    if (carried && !left_.load && steps_ % 2 == 0) {
      in_halves(acc);
    } else {
      group(acc, 0, steps_);
      if (carried) wait(left_.load ? 1 : 0, a_);
    }
    return acc;
  }

  /// A of the last group, where it is in registers.
  const Groups& registers() const { return a_; }

 private:
  /// Steps [begin, end) as a group.
  void group(Groups& acc, int begin, int end) {
    a_.clear();
    for (int step = begin; step < end; ++step) make_registers(step);
    b_.append(
        {.op = Op::WgmmaFence, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = dot_.loc});
    for (int step = begin; step < end; ++step)
      for (int block = 0; block < blocks_; ++block)
        one(acc, step, block, left_.load ? no_value : a_[(step - begin) * blocks_ + block]);
    b_.emit(Op::WgmmaCommit, {});
  }

  /// One half's registers are made while the unit reads the other's.
  void in_halves(Groups& acc) {
    const Groups last = last_trips();
    group(acc, 0, steps_ / 2);
    wait(1, last);
    const Groups first = a_;
    group(acc, steps_ / 2, steps_);
    wait(1, first);
    for (std::size_t i = 0; i < a_.size(); ++i) w_.held[i].after = a_[i];
  }

  /// What the loop carries of the last group's A.
  Groups last_trips() {
    const Type t = w_.k.type(right_.load->in[0]).elem == Elem::S8
                       ? vector(Elem::U32, 4)
                       : vector(w_.k.type(right_.load->in[0]).elem, 2 * group_of_two_axes);
    Groups before;
    for (int i = 0; i < steps_ / 2 * blocks_; ++i) {
      before.push_back(w_.k.new_value(t));
      w_.held.push_back({.before = before.back()});
    }
    return before;
  }

  void wait(int pending, const Groups& held) {
    b_.append({.op = Op::WgmmaWait,
               .in = held,
               .out = {},
               .attrs = {{Key::Pending, pending, {}}},
               .regions = {},
               .loc = dot_.loc});
  }

  /// A in registers is whole before the fence that hands it over.
  void make_registers(int step) {
    for (int block = 0; block < blocks_ && !left_.load; ++block) {
      int first = (step + steps_ * block) * 2;
      a_.push_back(w_.join(b_, left_.groups(first), left_.groups(first + 1)));
    }
  }

  void one(Groups& acc, int step, int block, ValueId a) {
    Operation unit{.op = left_.load ? Op::WgmmaSlots : Op::Wgmma,
                   .in = {},
                   .out = {},
                   .attrs = {},
                   .regions = {},
                   .loc = dot_.loc};
    if (left_.load) {
      unit.in = {left_.load->in[0], rows_of(step, block)};
    } else {
      unit.in = {a};
    }
    unit.in.push_back(right_.load->in[0]);
    unit.in.push_back(w_.places.number(0));
    for (int n = 0; n < columns_; ++n) {
      ValueId& c = acc[n + columns_ * block];
      unit.in.push_back(c);
      c = w_.k.new_value(w_.k.type(c));
      unit.out.push_back(c);
    }
    place_b(unit, step);
    b_.append(std::move(unit));
  }

  /// Elements of a row of a panel.
  int row() const { return panel_bytes / bytes(w_.k.type(right_.load->in[0]).elem); }

  /// Elements from the start of a row of the slot to the step's columns, where these run along k.
  std::int64_t along_k(const Operation& load, int step) const {
    std::int64_t k = std::int64_t{step} * product_.atom.k;
    return k / row() * load.attr(Key::Pitch) + k % row();
  }

  /// First element of the block's rows of A at a step along k.
  ValueId rows_of(int step, int block) {
    Places& p = w_.places;
    ValueId group = p.divided(p.warp(), warps_of_group);
    int group_rows = rows_of_unit * blocks_;
    std::int64_t fixed = std::int64_t{block} * rows_of_unit * row() + along_k(*left_.load, step);
    return p.add(p.times(group, std::int64_t{group_rows} * row()), fixed);
  }

  /// Where the step's part of B is: columns of rows of n, or, where rows are k, rows.
  void place_b(Operation& unit, int step) {
    Swizzle s = slot_swizzle(*right_.load, bytes(w_.k.type(right_.load->in[0]).elem));
    const Box box = *box_of(w_.k, w_.k.params[w_.source(*right_.load)], w_.layout(dot_.in[2]));
    bool rows_are_k = box.row.tile == product_.k;
    std::int64_t offset =
        rows_are_k ? std::int64_t{step} * product_.atom.k * s.columns : along_k(*right_.load, step);
    if (offset) unit.set(Key::Offset, offset);
    if (!rows_are_k) return;
    unit.set(Key::Transpose, 1);
    if (s.pitch) unit.set(Key::Pitch, s.pitch);
  }

  Builder& b_;
  FragmentWorld& w_;
  const Operation& dot_;
  const UnitOperand &left_, &right_;
  Product product_;
  Groups a_;  ///< A in registers, of a group by step and block
  int blocks_ = 1, columns_ = 1, steps_ = 1;
};

}  // namespace

Groups in_flight(Builder& b, FragmentWorld& w, const Groups& acc) {
  Operation fence{
      .op = Op::WgmmaFence, .in = acc, .out = {}, .attrs = {}, .regions = {}, .loc = b.loc()};
  for (ValueId v : acc)
    fence.out.push_back(w.k.new_value(flight(w.k.type(v).elem, w.k.type(v).lanes)));
  return b.append(std::move(fence)).out;
}

Groups landed(Builder& b, FragmentWorld& w, const Groups& acc, const Groups& held) {
  Operation wait{
      .op = Op::WgmmaWait, .in = acc, .out = {}, .attrs = {}, .regions = {}, .loc = b.loc()};
  for (ValueId v : acc)
    wait.out.push_back(w.k.new_value(vector(w.k.type(v).elem, w.k.type(v).lanes)));
  wait.in.insert(wait.in.end(), held.begin(), held.end());
  return b.append(std::move(wait)).out;
}

Groups expand_unit_dot(Builder& b, FragmentWorld& w, const Operation& dot, Groups acc,
                       const UnitOperand& left, const UnitOperand& right) {
  bool carried = w.k.type(acc[0]).in_flight;
  if (!carried) acc = in_flight(b, w, acc);
  UnitProduct product(b, w, dot, left, right);
  acc = product.run(std::move(acc), carried);
  return carried ? acc : landed(b, w, acc, product.registers());
}

}  // namespace barline::ir
