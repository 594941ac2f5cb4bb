// SPDX-License-Identifier: Apache-2.0
#include "ir/passes/unroll_loops.h"

#include <fmt/format.h>
#include <algorithm>
#include <bit>
#include <cstdint>

#include "ir/diagnostic.h"
#include "ir/rewrite.h"

namespace barline::ir {
namespace {

constexpr std::int64_t max_copies = 1024;
constexpr std::int64_t max_ops = 200'000;  ///< of one loop, unrolled: keeps nests from exploding

std::int64_t size(const Region& r) {
  std::int64_t n = 0;
  walk(r, [&](const Operation&) { ++n; });
  return n;
}

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
    bool beyond = k_.type(op.in[0]).elem == Elem::U64 && ((lo && *lo < 0) || (hi && *hi < 0));
    if (!lo || !hi || !step || *step <= 0 || beyond) return std::nullopt;
    if (*hi <= *lo) return 0;
    std::uint64_t room = static_cast<std::uint64_t>(*hi) - static_cast<std::uint64_t>(*lo);
    std::uint64_t n = (room - 1) / static_cast<std::uint64_t>(*step) + 1;
    return n > INT64_MAX ? std::nullopt : std::optional(static_cast<std::int64_t>(n));
  }

  void unroll(Builder& b, Operation& op) {
    std::int64_t copies = op.attr(Key::Unroll);
    auto n = trips(op);
    if (copies == 0 && (!n || *n > max_copies))
      fail(Diag::BadSchedule, op.loc,
           n ? fmt::format("{} trips unrolled at once", *n)
             : "all trips of a loop of unknown bounds unrolled",
           fmt::format("give an unroll count, or constant bounds of at most {} trips", max_copies));
    std::int64_t bodies = copies == 0 ? n.value_or(0) : n ? std::min(*n, copies) : copies;
    if (bodies * size(op.regions[0]) > max_ops)
      fail(Diag::BadSchedule, op.loc,
           fmt::format("{} copies of a body of {} operations", bodies, size(op.regions[0])),
           "give a lower unroll count, here or to a loop inside");
    if (n && (copies == 0 || *n <= copies))
      return finish(op, straight(b, op, *n, op.in[0], first(op)));
    if (copies_overflow(op, copies)) return finish(op, rest_loop(b, op, op.in[0], first(op)));
    std::vector<ValueId> carried = first(op);
    ValueId next = op.in[0];
    carried = main_loop(b, op, copies, next, carried);
    if (!n || *n % copies != 0) carried = rest_loop(b, op, next, carried);
    finish(op, carried);
  }

  static std::vector<ValueId> first(const Operation& op) {
    return {op.in.begin() + 3, op.in.end()};
  }

  /// Is copies * step more than the index type holds, so that no range has a whole trip?
  bool copies_overflow(const Operation& op, std::int64_t copies) const {
    auto step = constant(op.in[2]);
    int width = bits(k_.type(op.in[0]).elem);
    return step && width < 64 && *step * copies >> (width - 1) != 0;
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

  /// The bound below which a whole trip of `copies` bodies is left: hi - (copies - 1) * step, or lo
  /// where the range is too short for one, so that nothing wraps.
  ValueId whole_trips_end(Builder& b, const Operation& op, std::int64_t copies, ValueId big_step) {
    ValueId lo = op.in[0], hi = op.in[1], step = op.in[2];
    Elem e = k_.type(lo).elem;
    if (auto n = trips(op)) {
      auto whole = static_cast<std::uint64_t>(*n / copies * copies);
      return b.constant(e, static_cast<std::int64_t>(static_cast<std::uint64_t>(*constant(lo)) +
                                                     whole * *constant(step)));
    }
    constexpr Elem of_bytes[] = {Elem::U8, Elem::U16, Elem::U32, Elem::U64};
    Elem u = of_bytes[std::countr_zero(static_cast<unsigned>(bytes(e)))];
    ValueId rest = b.binary(Op::Sub, big_step, step);
    ValueId room = b.binary(Op::Sub, hi, lo);
    ValueId fits = b.compare(Compare::Gt, b.cast(u, room), b.cast(u, rest));
    fits = b.binary(Op::And, fits, b.compare(Compare::Gt, hi, lo));
    if (!constant(step)) {
      ValueId back = b.binary(Op::Div, b.cast(u, big_step), b.constant(u, copies));
      fits = b.binary(Op::And, fits, b.compare(Compare::Eq, back, b.cast(u, step)));
    }
    return b.emit(Op::Select, {fits, b.binary(Op::Sub, hi, rest), lo});
  }

  /// Trips of `copies` bodies; `next` becomes the first index that is left.
  std::vector<ValueId> main_loop(Builder& b, const Operation& op, std::int64_t copies,
                                 ValueId& next, const std::vector<ValueId>& carried) {
    Elem e = k_.type(op.in[0]).elem;
    ValueId big_step = b.binary(Op::Mul, op.in[2], b.constant(e, copies));
    ValueId hi = whole_trips_end(b, op, copies, big_step);
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
