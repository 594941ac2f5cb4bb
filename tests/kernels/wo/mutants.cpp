// SPDX-License-Identifier: Apache-2.0
// wo_nvfp4 broken on purpose: what orders its blocks, which of them gathers, what a part sums and
// in which order parts are added. The simulator or the reference refuses each.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "ir/rewrite.h"
#include "verify/mutate.h"
#include "wo_problem.h"

using namespace barline;
using namespace barline::test;
using ir::Key;
using ir::Op;
using ir::Operation;
using verify::Verdict;

namespace {

/// The problem as a case that is judged by the reference's y.
verify::SimCase judged(Problem& p, const ir::Kernel& k) {
  verify::SimCase c;
  std::size_t y = 0, n = 0;
  for (const ir::Param& q : k.params) {
    if (!q.type.is_pointer()) {
      c.scalars.push_back(
          {q.type.elem, std::bit_cast<std::uint32_t>(static_cast<float>(p.scalars.at(q.name)))});
      continue;
    }
    c.tensors.push_back(p.tensors.at(q.name));
    if (q.name == "y") y = n;
    ++n;
  }
  c.axis_sizes = axis_sizes(p, k);
  p.refer();
  c.compare = [y, want = p.tensors.at("y")](const verify::Outputs& got) -> std::string {
    return got.at(y).data == want.data ? "" : "y differs from the reference";
  };
  return c;
}

verify::SimOutcome outcome(const ir::Kernel& k, const verify::SimCase& c) {
  return verify::run_case(k, c, verify::sim_schedules(4));
}

using Match = std::function<bool(const Operation&)>;

/// Calls change(region, index) at the first op that matches.
bool change_first(ir::Region& r, const Match& match,
                  const std::function<void(ir::Region&, std::size_t)>& change) {
  for (std::size_t i = 0; i < r.ops.size(); ++i) {
    if (match(r.ops[i])) {
      change(r, i);
      return true;
    }
    for (ir::Region& inner : r.ops[i].regions)
      if (change_first(inner, match, change)) return true;
  }
  return false;
}

/// Operand `operand` of the op becomes itself plus a number.
auto plus(ir::Kernel& k, std::size_t operand, std::int64_t number) {
  return [&k, operand, number](ir::Region& r, std::size_t i) {
    const ir::ValueId was = r.ops[i].in[operand];
    const ir::ValueId constant = k.new_value(k.type(was)), sum = k.new_value(k.type(was));
    r.ops[i].in[operand] = sum;
    r.ops.insert(r.ops.begin() + static_cast<std::ptrdiff_t>(i),
                 {Operation{Op::Const, {}, {constant}, {{Key::Value, number, {}}}, {}, {}},
                  Operation{Op::Add, {was, constant}, {sum}, {}, {}, {}}});
  };
}

bool compares(const ir::Kernel& k, const Operation& op, ir::Compare pred) {
  return op.is(Op::Cmp) && k.type(op.in[0]).elem == ir::Elem::U64 &&
         op.attr_as<ir::Compare>(Key::Pred) == pred;
}

bool touches(const ir::Kernel& k, const Operation& op, Op what, std::string_view tensor) {
  if (!op.is(what)) return false;
  const int p = k.param_of(op.in[0]);
  return p >= 0 && k.params[p].name == tensor;
}

}  // namespace

TEST_CASE("whatever orders the blocks is needed, and seen to be missing", "[kernels][wo]") {
  for (const char* name : {"wo_nvfp4", "wo_nvfp4_producer", "wo_nvfp4_parallel_gather"}) {
    // Rows of each of the four that a thread has.
    Problem p = wo_problem(name, {.batch = 1, .n = 396, .slices = 2, .split = 2});
    const ir::Kernel k = lowered(p);
    verify::MutateOptions options{.cases = {judged(p, k)}, .proof = {}, .shifts = false};
    options.proof.sizes = p.sizes;
    int dropped = 0, weakened = 0, elections = 0, waits = 0, ranges = 0;
    for (const verify::MutantResult& r : verify::mutate(k, options)) {
      INFO(verify::to_string(r) << "\n" << r.witness);
      CHECK(r.fate == verify::MutantFate::Killed);
      dropped += r.mutation.kind == verify::MutationKind::DropBarrier;
      weakened += r.mutation.kind == verify::MutationKind::WeakenRelease;
      elections += r.mutation.kind == verify::MutationKind::ElectEarlier;
      waits += r.mutation.kind == verify::MutationKind::WaitEarlier;
      ranges += r.mutation.kind == verify::MutationKind::ShortenRange;
    }
    const bool producer = std::string_view(name) == "wo_nvfp4_producer";
    CHECK(dropped == (producer ? 4 : 2));
    CHECK(weakened == (producer ? 3 : 1));
    CHECK(elections == 1);
    CHECK(waits == producer);
    CHECK(ranges == 1);
  }
}

TEST_CASE(
    "a wait for the launch before, an election off by one, a range off by one and slots that "
    "change places are refuted",
    "[kernels][wo]") {
  Problem p = wo_problem("wo_nvfp4_producer", {.batch = 1, .n = 20, .slices = 2, .split = 2});
  const ir::Kernel whole = lowered(p);
  const verify::SimCase c = judged(p, whole);
  REQUIRE(outcome(whole, c).verdict == Verdict::Checked);
  auto refuted = [&](const Match& match, std::size_t operand, std::int64_t number) {
    ir::Kernel k = lowered(p);
    REQUIRE(change_first(k.body, match, plus(k, operand, number)));
    return outcome(k, c).verdict == Verdict::Refuted;
  };
  Match behind = [&](const Operation& op) { return compares(whole, op, ir::Compare::Lt); };
  Match is_last = [&](const Operation& op) { return compares(whole, op, ir::Compare::Eq); };
  Match by_groups = [&](const Operation& op) {  // the loop over k holds the loads of codes
    return op.is(Op::For) && std::any_of(op.regions[0].ops.begin(), op.regions[0].ops.end(),
                                         [&](const Operation& inner) {
                                           return touches(whole, inner, Op::Load, "w");
                                         });
  };
  Match stores_part = [&](const Operation& op) { return touches(whole, op, Op::Store, "partial"); };
  CHECK(refuted(behind, 1, -1));
  CHECK(refuted(is_last, 1, -1));
  CHECK(refuted(is_last, 1, 1));
  CHECK(refuted(by_groups, 0, 16));
  CHECK(refuted(by_groups, 1, -16));
  CHECK(refuted(stores_part, 1, 20));  // the next slot's place
}

TEST_CASE("parts that are added in another order give other bits", "[kernels][wo]") {
  Problem p = wo_problem("wo_nvfp4", {.batch = 1, .n = 20, .slices = 2, .split = 2});
  ir::Kernel k = lowered(p);
  const verify::SimCase c = judged(p, k);
  std::vector<Operation*> parts;  // loads of slots 0, 1, ..
  std::function<void(ir::Region&)> find = [&](ir::Region& r) {
    for (Operation& op : r.ops) {
      if (touches(k, op, Op::Load, "partial")) parts.push_back(&op);
      for (ir::Region& inner : op.regions) find(inner);
    }
  };
  find(k.body);
  REQUIRE(parts.size() == 8);
  REQUIRE(outcome(k, c).verdict == Verdict::Checked);
  // Slot 0 changes places with the last: both are loaded where they were, and used for each other.
  std::swap(parts[0]->out, parts[7]->out);
  std::vector<Operation>& ops = [&]() -> std::vector<Operation>& {
    std::vector<Operation>* found = nullptr;
    std::function<void(ir::Region&)> home = [&](ir::Region& r) {
      for (Operation& op : r.ops) {
        if (&op == parts[0]) found = &r.ops;
        for (ir::Region& inner : op.regions) home(inner);
      }
    };
    home(k.body);
    return *found;
  }();
  // Loads first, so that each is defined before its use.
  std::stable_partition(ops.begin(), ops.end(), [&](const Operation& op) {
    return !op.is(Op::Extract) && !(op.is(Op::Add) && k.type(op.out[0]).elem == ir::Elem::F32) &&
           !op.is(Op::Pack) && !op.is(Op::Store) && !op.is(Op::Yield);
  });
  CHECK(outcome(k, c).witness.find("y differs") != std::string::npos);
}
