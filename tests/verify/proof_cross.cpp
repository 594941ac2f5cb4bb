// SPDX-License-Identifier: Apache-2.0
// Proof against simulator on random race-prone programs: what the simulator refuses, the proof must
// not have called PROVED; what the proof refutes on programs without data-dependent flow, the
// simulator must see too.
#include <catch2/catch.hpp>

#include <fmt/format.h>
#include <random>

#include "tests/verify/proof_support.h"
#include "verify/proof/prove.h"

using namespace barline;
using namespace barline::verify;

namespace {

/// A random kernel of one or two blocks of 64 threads over two slots, as text.
class Program {
 public:
  Program(unsigned seed, bool data) : random_(seed), data_(data) {}

  std::string text() {
    blocks_ = pick(4) == 0 ? 2 : 1;
    two_copies_ = pick(2) == 0;
    std::string head = fmt::format(
        "bir 1\nkernel @k\naxis n = 64\naxis b = {}\n"
        "param %x: in ptr<s32, global> [n]\nparam %y: out ptr<s32, global> [b, n]\n"
        "param %z: inout ptr<s32, global> [b, n]\nparam %f: f32\n"
        "slot %p: s32[64] x {}\nslot %q: s32[64] x 1\nthreads 64 1 1\ngrid {} 1 1\n{{\n",
        blocks_, two_copies_ ? 2 : 1, blocks_);
    line("%t = thread_rank : s32");
    line("%lane = lane_id : s32");
    line("%block = block_id {{dim = 0}} : s32");
    for (int c : {0, 1, 2, 3, 5, 31, 32, 62, 63, 64})
      line("%c{} = const {{value = {}}} : s32", c, c);
    line("%base = mul %block, %c64 : s32");
    line("%own = add %base, %t : s32");
    line("%v = load %x, %t : s32");
    line("%zero = const {{value = 0.0}} : f32");
    line("%on = cmp %f, %zero {{pred = gt}} : i1");
    line("%small = and %v, %c63 : s32");
    fill();
    statements(5 + pick(5), 0);
    line("yield");
    return head + body_ + "}\n";
  }

 private:
  int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    body_.append(2 * (depth_ + 1), ' ');
    body_ += fmt::format(format, std::forward<Args>(args)...) + '\n';
  }
  std::string fresh() { return fmt::format("%v{}", next_++); }

  /// Most programs begin with initialised slots, so that races are what is left to find.
  void fill() {
    if (pick(10) == 0) return;
    line("store %q, %t, %v");
    line("%p0 = slot_at %p, %c0 : ptr<s32, shared>");
    line("%p1 = slot_at %p, %c1 : ptr<s32, shared>");
    line("store %p0, %t, %v");
    if (two_copies_) line("store %p1, %t, %v");
    line("barrier");
  }

  std::string binary(const char* op, const std::string& a, const std::string& b) {
    std::string r = fresh();
    line("{} = {} {}, {} : s32", r, op, a, b);
    return r;
  }

  std::string index() {
    switch (pick(data_ ? 12 : 11)) {
      case 0:
      case 1:
      case 2:
      case 3: return "%t";
      case 4: return binary("xor", "%t", pick(2) ? "%c1" : "%c32");
      case 5: return binary("sub", "%c63", "%t");
      case 6: return binary("and", binary("add", "%t", loop_.empty() ? "%c1" : loop_), "%c63");
      case 7: return binary("shr", "%t", "%c1");
      case 8: return fmt::format("%c{}", pick(2) ? 0 : 5);
      case 9: return binary("and", binary("mul", "%t", pick(2) ? "%c3" : "%c2"), "%c63");
      case 10: return binary("and", "%t", pick(2) ? "%c62" : "%c31");
      default: return "%small";
    }
  }

  std::string slot() {
    if (pick(2)) return "%q";
    std::string use = loop_.empty() || pick(4) == 0 ? (pick(2) ? "%c0" : "%c1") : loop_;
    std::string r = fresh();
    line("{} = slot_at %p, {} : ptr<s32, shared>", r, use);
    return r;
  }

  void access() {
    std::string i = index(), s = slot(), r = fresh();
    switch (pick(7)) {
      case 0:
      case 1: line("store {}, {}, %v", s, i); break;
      case 2: line("{} = atomic {}, {}, %v {{rmw = add}} : s32", r, s, i); break;
      case 3: global(); break;
      default: line("{} = load {}, {} : s32", r, s, i); line("store %y, %own, {}", r);
    }
  }

  void global() {
    std::string r = fresh();
    std::string at = pick(3) ? "%own" : pick(2) ? "%t" : binary("xor", "%own", "%c1");
    if (pick(2))
      line("store %z, {}, %v", at);
    else
      line("{} = load %z, {} : s32", r, at);
  }

  std::string condition() {
    std::string r = fresh();
    switch (pick(data_ ? 5 : 4)) {
      case 0: line("{} = cmp %t, %c{} {{pred = lt}} : i1", r, pick(2) ? 32 : 5); break;
      case 1: line("{} = cmp %lane, %c0 {{pred = eq}} : i1", r); break;
      case 2:
        line("{} = cmp {}, %c1 {{pred = ge}} : i1", r, loop_.empty() ? "%block" : loop_);
        break;
      case 3: line("{} = cmp %t, %c{} {{pred = ne}} : i1", r, pick(2) ? 0 : 63); break;
      default:
        if (pick(2)) return "%on";
        line("{} = cmp %small, %c5 {{pred = gt}} : i1", r);
    }
    return r;
  }

  void branch(int depth) {
    std::string c = condition();
    bool uniform = c == "%on";
    line("if {} () {{", c);
    ++depth_;
    statements(1 + pick(2), depth + 1, uniform);
    line("yield");
    --depth_;
    line("}} () {{");
    ++depth_;
    if (pick(2)) statements(1, depth + 1, uniform);
    line("yield");
    --depth_;
    line("}}");
  }

  void loop(int depth, bool uniform) {
    std::string outer = loop_, hi = pick(3) ? "%c3" : "%c2", i = fresh();
    if (pick(6) == 0) {
      hi = binary("and", "%t", "%c3");
      uniform = false;
    }
    line("for %c0, {}, %c1 ({}: s32) {{", hi, i);
    loop_ = i;
    ++depth_;
    statements(1 + pick(3), depth + 1, uniform);
    line("yield");
    --depth_;
    loop_ = outer;
    line("}}");
  }

  void statements(int n, int depth, bool uniform = true) {
    for (int i = 0; i < n; ++i) {
      int kind = pick(14);
      if (kind < 5 && (uniform || pick(30) == 0)) {
        line("barrier");
      } else if (kind == 5 && (uniform || pick(10) == 0)) {
        line("warp_sync");
      } else if (kind == 6 && depth < 3) {
        branch(depth);
      } else if (kind == 7 && depth < 3) {
        loop(depth, uniform);
      } else {
        access();
        if (pick(2) && uniform) line("barrier");
      }
    }
  }

  std::mt19937 random_;
  bool data_;
  bool two_copies_ = false;
  int blocks_ = 1;
  int depth_ = 0;
  int next_ = 0;
  std::string body_, loop_;
};

struct Tally {
  int proved = 0, refuted = 0, unknown = 0;
};

Tally cross(unsigned first, unsigned count, bool data) {
  Tally tally;
  std::vector<SimSchedule> schedules = sim_schedules(1);
  for (unsigned seed = first; seed < first + count; ++seed) {
    std::string text = Program(seed, data).text();
    ir::Kernel k = ir::parse(text, fmt::format("seed{}.bir", seed));
    ProofOptions options;
    options.minimal = options.costs = false;
    options.lifetimes = false;  // uses are as random as the rest
    ProofReport proof = prove(k, options);
    SimOutcome run = run_case(k, test::patterned_case(k, {}), schedules);
    INFO(text << "\n" << to_string(proof) << "\nsimulator: " << run.witness);
    tally.proved += proof.verdict == Verdict::Proved;
    tally.refuted += proof.verdict == Verdict::Refuted;
    tally.unknown += proof.verdict == Verdict::Unknown;
    REQUIRE_FALSE((proof.verdict == Verdict::Proved && run.verdict == Verdict::Refuted));
    if (!data) {
      REQUIRE(proof.verdict != Verdict::Unknown);
      REQUIRE_FALSE((proof.verdict == Verdict::Refuted && run.verdict == Verdict::Checked));
    }
  }
  return tally;
}

}  // namespace

TEST_CASE("proof and simulator agree on random programs without data-dependent flow") {
  Tally t = cross(1, 500, false);
  INFO(t.proved << " proved, " << t.refuted << " refuted, " << t.unknown << " unknown");
  CHECK(t.proved >= 50);
  CHECK(t.refuted >= 50);
}

TEST_CASE("the proof proves nothing that the simulator refuses on data-dependent programs") {
  Tally t = cross(10001, 500, true);
  INFO(t.proved << " proved, " << t.refuted << " refuted, " << t.unknown << " unknown");
  CHECK(t.proved >= 20);
  CHECK(t.unknown >= 20);
}
