// SPDX-License-Identifier: Apache-2.0
// Random programs of asynchronous copies, groups, barriers and slot accesses. Proof and simulator
// must judge each alike; and where place_syncs puts the barriers, both must accept, with the values
// of a run in program order.
#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "ir/check.h"
#include "ir/diagnostic.h"
#include "ir/passes/place_syncs.h"
#include "tests/support/random_source.h"
#include "tests/verify/proof_support.h"
#include "verify/interp/simulate.h"
#include "verify/proof/prove.h"

using namespace barline;
using namespace barline::verify;

namespace {

/// One block of 64 threads over a slot of one copy and one of one to four; part of the program is a
/// loop whose index counts the uses.
class Program {
 public:
  explicit Program(std::uint64_t seed) : random_(seed) {}

  std::string text() {
    copies_ = random_.between(1, 4);
    trips_ = random_.between(1, 5);
    std::string head = fmt::format(
        "bir 1\nkernel @k\naxis n = 64\naxis m = 32\nparam %x: in ptr<s32, global> [m, n]\n"
        "param %z: in ptr<s32, global> [m, n]\nparam %y: inout ptr<s32, global> [m, n]\n"
        "slot %r: s32[64] x {}\nslot %s: s32[64] x 1\nthreads 64 1 1\ngrid 1 1 1\n{{\n",
        copies_);
    body_ = "%t = thread_rank : s32\n";
    for (int c : {0, 1, 2, 3, 4, 5, 32, 62, 63})
      body_ += fmt::format("%c{0} = const {{value = {0}}} : s32\n", c);
    body_ += "%mirror = sub %c63, %t : s32\n%pair = xor %t, %c1 : s32\n%half = shr %t, %c1 : s32\n";
    body_ += "%low = cmp %t, %c32 {pred = lt} : i1\n%two = mul %half, %c2 : s32\n";
    body_ += "store %s, %t, %t\n";
    for (int c = 0; c < copies_; ++c)
      body_ += fmt::format(
          "%first{0} = slot_at %r, %c{0} : ptr<s32, shared>\nstore %first{0}, %t, %t\n", c);
    body_ += "barrier\n";
    statements(random_.between(2, 6));
    body_ += fmt::format("for %c0, %c{}, %c1 (%i: s32) {{\n", trips_);
    in_loop_ = true;
    statements(random_.between(2, 7));
    in_loop_ = false;
    body_ += "yield\n}\n";
    statements(random_.between(1, 4));
    return head + body_ + "yield\n}\n";
  }

 private:
  std::string index() { return random_.pick<const char*>({"%t", "%t", "%t", "%mirror", "%pair"}); }

  std::string slot() {
    if (random_.one_in(3)) return "%s";
    int n = next_++;
    int plus = random_.below(5);
    if (in_loop_ && !random_.one_in(4))
      body_ += fmt::format(
          "%u{0} = add %i, %c{1} : s32\n%p{0} = slot_at %r, %u{0} : "
          "ptr<s32, shared>\n",
          n, plus);
    else
      body_ += fmt::format("%p{} = slot_at %r, %c{} : ptr<s32, shared>\n", n, plus);
    return fmt::format("%p{}", n);
  }

  void statements(int count) {
    for (int i = 0; i < count; ++i) statement();
  }

  void statement() {
    int n = next_++;
    switch (random_.below(8)) {
      case 0:
      case 1: {
        std::string to = slot();
        body_ +=
            fmt::format("copy_async {}, {}, {}, %t{} {{lanes = 1}}\n", to, index(),
                        random_.pick<const char*>({"%x", "%z"}), random_.one_in(4) ? ", %low" : "");
        if (!random_.one_in(3)) body_ += "commit_copies\n";
        return;
      }
      case 2: body_ += "commit_copies\n"; return;
      case 3:
        if (random_.one_in(2)) {
          body_ += "barrier\n";
          return;
        }
        [[fallthrough]];
      case 4: body_ += fmt::format("barrier {{pending = {}}}\n", random_.below(3)); return;
      case 5: {
        std::string to = slot();
        body_ += fmt::format("store {}, {}, %t\n", to, index());
        return;
      }
      default: {
        std::string from = slot();
        body_ += fmt::format("%v{} = load {}, {} : s32\n", n, from, index());
        body_ += fmt::format("store %y, %t, %v{} {{offset = {}}}\n", n, 64 * (row_++ % 32));
      }
    }
  }

  barline::test::Random random_;
  std::string body_;
  int copies_ = 1, trips_ = 1, next_ = 0, row_ = 0;
  bool in_loop_ = false;
};

void take_barriers(ir::Region& r) {
  std::erase_if(r.ops, [](const ir::Operation& op) { return op.is(ir::Op::Barrier); });
  for (ir::Operation& op : r.ops)
    for (ir::Region& inner : op.regions) take_barriers(inner);
}

struct Run {
  std::string finding;
  std::vector<std::byte> values;
};

Run run(const ir::Kernel& k, bool placed, WarpOrder order) {
  SimCase c = verify::test::patterned_case(k, {});
  std::vector<SimArgument> arguments;
  for (ir::Tensor& t : c.tensors) arguments.emplace_back(t);
  SimOptions options;
  options.syncs_placed = placed;
  options.order = order;
  SimReport r = simulate(k, arguments, {}, options);
  return {r.finding ? to_string(*r.finding) : "", c.tensors[2].data};
}

/// Uses of slots are as random as the rest: stale reads are not what these tests are about.
ProofReport races(const ir::Kernel& k) {
  ProofOptions options;
  options.lifetimes = false;
  return prove(k, options);
}

}  // namespace

TEST_CASE("proof and simulator judge random copies alike") {
  int refuted = 0, proved = 0;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    std::string text = Program(seed).text();
    ir::Kernel k = ir::parse(text, "random.bir");
    ir::check(k);
    ProofReport proof = races(k);
    std::string finding = run(k, true, WarpOrder::RoundRobin).finding;
    if (finding.empty()) finding = run(k, true, WarpOrder::Reverse).finding;
    INFO("seed " << seed << "\n" << text << to_string(proof) << "\nsimulator: " << finding);
    bool racy = !finding.empty();
    CHECK(proof.verdict == (racy ? Verdict::Refuted : Verdict::Proved));
    (racy ? refuted : proved) += 1;
  }
  CHECK(refuted >= 200);
  CHECK(proved >= 100);
}

TEST_CASE("where place_syncs puts barriers and waits both accept random copies") {
  int placed = 0, waits = 0;
  for (std::uint64_t seed = 1; seed <= 700; ++seed) {
    std::string text = Program(seed).text();
    ir::Kernel k = ir::parse(text, "random.bir");
    take_barriers(k.body);
    const ir::Kernel before = k;
    try {
      ir::place_syncs(k);
    } catch (const ir::Error& e) {
      CHECK(e.diagnostic().diag == ir::Diag::SlotMisuse);
      continue;
    }
    ir::walk(k.body, [&](const ir::Operation& op) {
      waits += op.is(ir::Op::Barrier) && op.find(ir::Key::Pending);
    });
    ProofReport proof = races(k);
    INFO("seed " << seed << "\n" << text << to_string(proof));
    CHECK(proof.verdict == Verdict::Proved);
    Run want = run(before, false, WarpOrder::RoundRobin);
    for (WarpOrder order : {WarpOrder::RoundRobin, WarpOrder::Reverse}) {
      Run got = run(k, true, order);
      CHECK(got.finding == "");
      CHECK(got.values == want.values);
    }
    ++placed;
  }
  CHECK(placed >= 200);
  CHECK(waits >= 200);
}
