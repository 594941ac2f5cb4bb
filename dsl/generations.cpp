// SPDX-License-Identifier: Apache-2.0
#include "dsl/generations.h"

#include <fmt/format.h>

#include "ir/meeting.h"

namespace barline::dsl {
namespace {

using ir::Diag;
using ir::Op;

}  // namespace

Generations::Generations(Thread& t, const Place& launch) : t_(t) {
  generation_ = t.emit(Op::GenerationEnter, ir::scalar(u64), at(launch), launch.loc);
}

/// The counter as the first operands of an op.
std::vector<Value> Generations::at(const Place& counter) {
  if (counter.tensor->elem != u64)
    ir::fail(Diag::WrongClass, counter.loc,
             fmt::format("a counter of generations in '{}' of {}", counter.tensor->name,
                         ir::name(counter.tensor->elem)),
             "declare the tensor as Scratch of u64, which hosts zero when they allocate it");
  return {t_.root(*counter.tensor, counter.loc), t_.index_of(counter)};
}

Value Generations::parts_of(const Operand& parts, const char* what) {
  if (auto n = parts.whole(); n && (*n < 1 || *n > ir::most_arrivals))
    ir::fail(Diag::BadCall, parts.loc(), fmt::format("{} {} blocks", what, *n),
             fmt::format("let 1 .. {} blocks arrive", ir::most_arrivals));
  return parts.in(t_, parts.own_elem().value_or(u64)).to(u64, Rounding::Rn, parts.loc());
}

void Generations::meet(const char* why, ir::Loc loc) {
  t_.act(Op::Barrier, {}, loc, {{ir::Key::Why, 0, why}});
}

void Generations::release(const Place& flag) {
  std::vector<Value> in = at(flag);
  in.push_back(generation_);
  t_.act(Op::GenerationRelease, in, flag.loc);
}

void Generations::wait(const Place& flag, const std::optional<GiveUp>& give_up) {
  std::vector<Value> in = at(flag);
  in.push_back(generation_);
  std::vector<ir::Attr> attrs;
  if (give_up) {
    if (give_up->report.tensor != flag.tensor)
      ir::fail(Diag::BadCall, flag.loc,
               fmt::format("a wait for '{}' that reports to '{}'", flag.tensor->name,
                           give_up->report.tensor->name),
               "give the report a word of the flag's tensor");
    in.push_back(t_.index_of(give_up->report));
    attrs.push_back({ir::Key::Timeout, give_up->after_ns, {}});
  }
  t_.act(Op::GenerationWait, in, flag.loc, attrs);
}

Value Generations::arrive_last(const Place& arrivals, const Operand& parts) {
  std::vector<Value> in = at(arrivals);
  Value all = parts_of(parts, "an election among");
  if (parts.whole() == 1) {
    meet("writes before the last block's reads", arrivals.loc);
    return t_.constant(i1, 1);
  }
  in.insert(in.end(), {generation_, all});
  return t_.emit(Op::ArriveLast, ir::scalar(i1), in, arrivals.loc);
}

void Generations::when_last(const Place& arrivals, const Operand& parts,
                            const std::function<void()>& last) {
  t_.when({arrive_last(arrivals, parts), arrivals.loc}, last);
}

void Generations::meet_all(const Place& arrivals, const Operand& parts) {
  std::vector<Value> in = at(arrivals);
  in.insert(in.end(), {generation_, parts_of(parts, "a barrier of")});
  t_.act(Op::MeetAll, in, arrivals.loc);
}

}  // namespace barline::dsl
