// SPDX-License-Identifier: Apache-2.0
// Why each step orders what it must: a block's threads meet at a barrier and one of them releases;
// whoever acquires meets its own block's threads at a barrier before they read. Arrivals are two
// atomics: max lifts a word of an earlier generation to this one's with no arrivals, add counts.
// Both are read-modify-writes, so an acquiring add sees every release before it.
#include "dsl/generations.h"

#include <fmt/format.h>

namespace barline::dsl {
namespace {

using ir::Diag;
using ir::Op;
using ir::RmwKind;

constexpr int count_bits = 16;

void check_counter(const Place& p) {
  if (p.tensor->elem != u64)
    ir::fail(Diag::WrongClass, p.loc,
             fmt::format("a counter of generations in '{}' of {}", p.tensor->name,
                         ir::name(p.tensor->elem)),
             "declare the tensor as InOut of u64, zeroed when it is allocated");
}

}  // namespace

Generations::Generations(Thread& t, const Place& launch)
    : t_(t), leader_(t.rank() == 0), generation_(t.var(t.constant(u64, 0))) {
  check_counter(launch);
  t.when(leader_, [&] {
    generation_ = t.load(launch) + 1;
    t.store(launch, generation_);
  });
}

void Generations::meet(const char* why, ir::Loc loc) {
  t_.act(Op::Barrier, {}, loc, {{ir::Key::Why, 0, why}});
}

void Generations::release(const Place& flag) {
  check_counter(flag);
  meet("writes before a release", flag.loc);
  t_.when(leader_, [&] { t_.store(flag, generation_, {.order = MemOrder::Release}); });
}

void Generations::wait(const Place& flag) {
  check_counter(flag);
  t_.when(leader_, [&] { t_.flag_wait(flag, generation_); });
  meet("a wait before reads", flag.loc);
}

void Generations::when_last(const Place& arrivals, const Operand& parts,
                            const std::function<void()>& last) {
  check_counter(arrivals);
  if (auto n = parts.whole(); n && (*n < 1 || *n >> count_bits != 0))
    ir::fail(Diag::BadCall, parts.loc(), fmt::format("an election among {} blocks", *n),
             "let 1 .. 65535 blocks arrive");
  Shared is_last = t_.shared("is_last_" + arrivals.tensor->name, u32, 1);
  Value all = parts.in(t_, parts.own_elem().value_or(u64)).to(u64, Rounding::Rn, parts.loc());
  meet("writes before an arrival", arrivals.loc);
  t_.when(leader_, [&] {
    t_.atomic(RmwKind::Max, arrivals, generation_ << count_bits);
    Value before = t_.atomic(RmwKind::Add, arrivals, 1, {.order = MemOrder::AcqRel});
    Value count = (before & ((1 << count_bits) - 1)) + 1;
    t_.store(is_last, 0, select(count == all, t_.constant(u32, 1), t_.constant(u32, 0)));
  });
  meet("an arrival before reads", arrivals.loc);
  t_.when(t_.load(is_last, 0) != 0, last);
}

}  // namespace barline::dsl
