// SPDX-License-Identifier: Apache-2.0
#include "ir/passes/unroll_loops.h"

#include <fmt/format.h>

#include "ir/diagnostic.h"
#include "ir/rewrite.h"

namespace barline::ir {
namespace {

constexpr std::int64_t max_copies = 1024;

class Unroller {
 public:
  explicit Unroller(Kernel& k) : k_(k) {}

  void region(Region& r) {
    Region out;
    out.args = r.args;
    Builder b(k_, out);
    for (Operation& op : r.ops) {
      replace_uses(op, renamed_);
      for (Region& sub : op.regions) region(sub);
      b.at(op.loc);
      constants_from(op);
      if (op.is(Op::For) && op.find(Key::Unroll) && op.attr(Key::Unroll) != 1)
        unroll(b, op);
      else
        b.append(std::move(op));
    }
    r = std::move(out);
  }

 private:
  void constants_from(const Operation& op) {
    if (op.is(Op::Const)) constants_[op.out[0]] = constant_value(k_, op);
  }

  std::optional<std::int64_t> constant(ValueId v) const {
    auto it = constants_.find(v);
    return it == constants_.end() ? std::nullopt : std::optional(it->second);
  }

  std::optional<std::int64_t> trips(const Operation& op) const {
    auto lo = constant(op.in[0]), hi = constant(op.in[1]), step = constant(op.in[2]);
    if (!lo || !hi || !step || *step <= 0) return std::nullopt;
    return *hi <= *lo ? 0 : (*hi - *lo + *step - 1) / *step;
  }

  void unroll(Builder& b, Operation& op) {
    std::int64_t copies = op.attr(Key::Unroll);
    auto n = trips(op);
    if (copies == 0 && (!n || *n > max_copies))
      fail(Diag::BadSchedule, op.loc,
           n ? fmt::format("{} trips unrolled at once", *n)
             : "all trips of a loop of unknown bounds unrolled",
           fmt::format("give an unroll count, or constant bounds of at most {} trips", max_copies));
    if (n && (copies == 0 || *n <= copies))
      return finish(op, straight(b, op, *n, op.in[0], {op.in.begin() + 3, op.in.end()}));
    std::vector<ValueId> carried(op.in.begin() + 3, op.in.end());
    ValueId next = op.in[0];
    carried = main_loop(b, op, copies, next, carried);
    if (!n || *n % copies != 0) carried = rest_loop(b, op, next, carried);
    finish(op, carried);
  }

  void finish(const Operation& op, const std::vector<ValueId>& results) {
    for (std::size_t i = 0; i < results.size(); ++i) renamed_[op.out[i]] = results[i];
  }

  /// `count` copies of the body, from index value `index` on; gives the carried values.
  std::vector<ValueId> straight(Builder& b, const Operation& op, std::int64_t count, ValueId index,
                                std::vector<ValueId> carried) {
    const Region& body = op.regions[0];
    auto lo = constant(index), step = constant(op.in[2]);
    for (std::int64_t i = 0; i < count; ++i) {
      ValueMap map;
      if (i > 0 && lo && step)
        index = b.constant(k_.type(index).elem, *lo + i * *step);
      else if (i > 0)
        index = b.binary(Op::Add, index, op.in[2]);
      map[body.args[0]] = index;
      for (std::size_t j = 0; j < carried.size(); ++j) map[body.args[j + 1]] = carried[j];
      carried = inline_region(b, body, map);
    }
    return carried;
  }

  /// Trips of `copies` bodies; `next` becomes the first index that is left.
  std::vector<ValueId> main_loop(Builder& b, const Operation& op, std::int64_t copies,
                                 ValueId& next, const std::vector<ValueId>& carried) {
    Elem e = k_.type(op.in[0]).elem;
    ValueId big_step = b.binary(Op::Mul, op.in[2], b.constant(e, copies));
    ValueId last = b.binary(Op::Sub, big_step, op.in[2]);
    ValueId hi =
        b.binary(Op::Sub, op.in[1], last);  // i < hi - (copies-1)*step: a whole trip is left
    Operation loop{.op = Op::For,
                   .in = {op.in[0], hi, big_step},
                   .out = {},
                   .attrs = {},
                   .regions = {},
                   .loc = op.loc};
    Region body;
    ValueId index = k_.new_value(scalar(e));
    body.args.push_back(index);
    std::vector<ValueId> inner{};
    loop.in.push_back(op.in[0]);  // carries the index that follows
    body.args.push_back(k_.new_value(scalar(e)));
    for (ValueId v : carried) {
      loop.in.push_back(v);
      inner.push_back(k_.new_value(k_.type(v)));
      body.args.push_back(inner.back());
    }
    b.open(body);
    inner = straight(b, op, copies, index, inner);
    ValueId following = b.binary(Op::Add, index, big_step);
    inner.insert(inner.begin(), following);
    b.append({.op = Op::Yield, .in = inner, .out = {}, .attrs = {}, .regions = {}, .loc = op.loc});
    b.close();
    loop.regions.push_back(std::move(body));
    for (ValueId v : inner) loop.out.push_back(k_.new_value(k_.type(v)));
    std::vector<ValueId> results(loop.out.begin() + 1, loop.out.end());
    next = loop.out[0];
    b.append(std::move(loop));
    return results;
  }

  std::vector<ValueId> rest_loop(Builder& b, const Operation& op, ValueId next,
                                 const std::vector<ValueId>& carried) {
    ValueMap map;
    Operation rest = clone(k_, op, map);
    std::erase_if(rest.attrs, [](const Attr& a) { return a.key == Key::Unroll; });
    rest.in[0] = next;
    std::copy(carried.begin(), carried.end(), rest.in.begin() + 3);
    std::vector<ValueId> results = rest.out;
    b.append(std::move(rest));
    return results;
  }

  Kernel& k_;
  std::map<ValueId, std::int64_t> constants_;
  ValueMap renamed_;
};

}  // namespace

void unroll_loops(Kernel& k) { Unroller(k).region(k.body); }

}  // namespace barline::ir
