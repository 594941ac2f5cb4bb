// SPDX-License-Identifier: Apache-2.0
// Blocks that meet through counters: what the proof proves of them, each thing that it refutes, and
// what it leaves open.
#include <catch2/catch.hpp>

#include "dsl/generations.h"
#include "dsl/kernel.h"
#include "ir/pipeline.h"
#include "verify/mutate.h"
#include "verify/proof/prove.h"

using namespace barline;
using namespace barline::dsl;
using namespace barline::verify;
using Catch::Matchers::Contains;

namespace {

constexpr int blocks = 3, threads = 64;

/// Three blocks over counters[8], launches[3], part[3 * 64] and y[3 * 64].
struct Meeting {
  Axis block{"block"}, d{"d"}, c{"c"};
  InOut launches{"launches", u64, {block}}, counters{"counters", u64, {c}};
  InOut part{"part", f32, {block, d}};
  InOut y{"y", f32, {block, d}};

  using Body = std::function<void(Thread&, Generations&, const Meeting&)>;
  ir::Kernel lowered(const Body& body, bool cooperative = true) const {
    const Meeting self = *this;
    KernelSource source =
        kernel("k", {launches, counters, part, y},
               {.threads = {threads}, .grid = {Blocks(block)}, .cooperative = cooperative},
               [self, body](Thread& t) {
                 Generations g(t, self.launches(t.block().x));
                 body(t, g, self);
               });
    ir::Kernel k = instantiate(source, {.dims = {{"block", blocks}, {"d", threads}, {"c", 8}}});
    ir::run_pipeline(k);
    return k;
  }
};

/// part[from, t] to y[to, t].
void copy(Thread& t, const Meeting& m, const CoordArg& to, const CoordArg& from) {
  t.store(m.y(to, t.rank()), t.load(m.part(from, t.rank())));
}
/// Element threads - 1 - t of a part, which another thread wrote.
Value turned(Thread& t) { return threads - 1 - t.rank(); }
void add_up(Thread& t, const Meeting& m, const CoordArg& to) {
  Value sum = t.load(m.part(0, turned(t)));
  for (int b = 1; b < blocks; ++b) sum = sum + t.load(m.part(b, turned(t)));
  t.store(m.y(to, t.rank()), sum);
}
void write_part(Thread& t, const Meeting& m) { t.store(m.part(t.block().x, t.rank()), 1.f); }

void write_own(Thread& t, const Meeting& m) {
  write_part(t, m);
  t.store(m.y(t.block().x, t.rank()), 0.f);
}

/// The first block writes, the others wait for it.
void relay(Thread& t, Generations& g, const Meeting& m) {
  t.when(
      t.block().x == 0,
      [&] {
        write_part(t, m);
        g.release(m.counters(0));
      },
      [&] {
        g.wait(m.counters(0));
        t.store(m.y(t.block().x, t.rank()), t.load(m.part(0, turned(t))));
      });
}
void elect(Thread& t, Generations& g, const Meeting& m, int parts) {
  write_part(t, m);
  g.when_last(m.counters(0), parts, [&] { add_up(t, m, 0); });
}
void all_meet(Thread& t, Generations& g, const Meeting& m, int parts) {
  write_part(t, m);
  g.meet_all(m.counters(0), parts);
  add_up(t, m, t.block().x);
}

ProofReport proof_of(const Meeting::Body& body, bool cooperative = true) {
  return prove(Meeting{}.lowered(body, cooperative));
}

/// The worst finding is of this property and says so.
void refuted(const ProofReport& r, Property p, const std::string& what) {
  CHECK(r.verdict == Verdict::Refuted);
  REQUIRE(!r.findings.empty());
  const bool found = std::any_of(r.findings.begin(), r.findings.end(), [&](const ProofFinding& f) {
    return f.property == p && f.verdict == Verdict::Refuted &&
           f.message.find(what) != std::string::npos;
  });
  INFO(to_string(r));
  CHECK(found);
}

const std::pair<const char*, Meeting::Body> meetings[] = {
    {"relay", relay},
    {"election", [](auto& t, auto& g, auto& m) { elect(t, g, m, blocks); }},
    {"barrier", [](auto& t, auto& g, auto& m) { all_meet(t, g, m, blocks); }},
};

}  // namespace

TEST_CASE("blocks that wait for a flag, elect their last and meet in a barrier are proved",
          "[verify]") {
  for (const auto& [name, body] : meetings) {
    INFO(name);
    const ProofReport r = proof_of(body);
    INFO(to_string(r));
    CHECK(r.verdict == Verdict::Proved);
    CHECK(r.enumerated == std::vector<std::string>{"3 of 3 blocks"});
    for (const BarrierUse& b : r.barriers) CHECK_FALSE(b.redundant);
  }
}

TEST_CASE("whatever a meeting is made of is needed, and the proof sees it missing", "[verify]") {
  for (const auto& [name, body] : meetings) {
    int waits = 0, elections = 0, lifts = 0;
    for (const MutantResult& r : mutate(Meeting{}.lowered(body), {})) {
      INFO(name << ": " << to_string(r) << "\n" << r.witness);
      const bool data = r.mutation.kind == MutationKind::ShiftStore ||
                        r.mutation.kind == MutationKind::ShiftIndex;
      if (!data) CHECK(r.fate == MutantFate::Killed);
      waits += r.mutation.kind == MutationKind::WaitEarlier;
      elections += r.mutation.kind == MutationKind::ElectEarlier;
      lifts += r.mutation.kind == MutationKind::DropLift;
    }
    CHECK(waits == (std::string_view(name) != "election"));
    CHECK(elections == (std::string_view(name) == "election"));
    CHECK(lifts == (std::string_view(name) != "relay"));
  }
}

TEST_CASE("blocks that wait must be resident together; those that elect need not", "[verify]") {
  refuted(proof_of(relay, false), Property::Deadlock, "may not be resident");
  refuted(proof_of(meetings[2].second, false), Property::Deadlock, ".cooperative = true");
  CHECK(proof_of(meetings[1].second, false).verdict == Verdict::Proved);
  const ProofReport r = proof_of(relay);
  CHECK(std::any_of(r.preconditions.begin(), r.preconditions.end(), [](const std::string& p) {
    return p.find("resident at once") != std::string::npos;
  }));
}

TEST_CASE("blocks that wait for each other in a circle are refuted", "[verify]") {
  auto circle = [](Thread& t, Generations& g, const Meeting& m) {
    write_own(t, m);
    t.when(
        t.block().x == 0,
        [&] {
          g.wait(m.counters(1));
          g.release(m.counters(0));
        },
        [&] {
          t.when(t.block().x == 1, [&] {
            g.wait(m.counters(0));
            g.release(m.counters(1));
          });
        });
  };
  refuted(proof_of(circle), Property::Deadlock, "release and arrive before waiting");
}

TEST_CASE("a flag that nobody releases, and a barrier of more blocks than come, are refuted",
          "[verify]") {
  refuted(proof_of([](Thread& t, Generations& g, const Meeting& m) {
            write_own(t, m);
            g.wait(m.counters(0));
          }),
          Property::Deadlock, "release the flag for this generation in one block");
  refuted(proof_of([](auto& t, auto& g, auto& m) { all_meet(t, g, m, blocks + 1); }),
          Property::Deadlock, "let as many blocks arrive as the meeting counts");
}

TEST_CASE("parts that are not the blocks that arrive are refuted", "[verify]") {
  refuted(proof_of([](auto& t, auto& g, auto& m) { elect(t, g, m, blocks + 1); }),
          Property::Meeting, "the last of 3 blocks that arrive at counters[0] is not told so");
  refuted(proof_of([](auto& t, auto& g, auto& m) { elect(t, g, m, blocks - 1); }),
          Property::Meeting, "is told that it is the last at counters[0] when 2 of 3 blocks");
  refuted(proof_of([](auto& t, auto& g, auto& m) { all_meet(t, g, m, blocks - 1); }),
          Property::Meeting, "goes on when 2 of 3 blocks have arrived");
}

TEST_CASE("a counter is of one use", "[verify]") {
  refuted(proof_of([](auto& t, auto& g, auto& m) {
            elect(t, g, m, blocks);
            elect(t, g, m, blocks);
          }),
          Property::Meeting, "arrives at counters[0] 2 times");
  refuted(proof_of([](auto& t, auto& g, auto& m) {
            relay(t, g, m);
            elect(t, g, m, blocks);
          }),
          Property::Meeting, "released as a flag and arrived at as a word");
  const ProofReport r = proof_of([](Thread& t, Generations& g, const Meeting& m) {
    write_own(t, m);
    t.when(
        t.block().x < 2, [&] { g.release(m.counters(0)); }, [&] { g.wait(m.counters(0)); });
  });
  CHECK(r.verdict == Verdict::Unknown);
  REQUIRE(!r.findings.empty());
  CHECK_THAT(r.findings[0].message, Contains("2 blocks release counters[0]"));
}

TEST_CASE("accesses that no meeting orders are races", "[verify]") {
  // The last block's gather, and what others do after they arrived.
  refuted(proof_of([](auto& t, auto& g, auto& m) {
            g.when_last(m.counters(0), blocks, [&] { add_up(t, m, 0); });
            write_part(t, m);
          }),
          Property::GlobalRace, "no release after the one is waited for");
  // Two blocks with one slot.
  refuted(proof_of([](Thread& t, Generations& g, const Meeting& m) {
            t.store(m.part(t.block().x / 2, t.rank()), 1.f);
            g.when_last(m.counters(0), blocks, [&] { copy(t, m, 0, 0); });
          }),
          Property::GlobalRace, "meet at part[0]");
  // Who read before the barrier, and who writes behind it.
  CHECK(proof_of([](Thread& t, Generations& g, const Meeting& m) {
          copy(t, m, t.block().x, 0);
          g.meet_all(m.counters(0), blocks);
          t.when(t.block().x == 1, [&] { t.store(m.part(0, t.rank()), 2.f); });
        }).verdict == Verdict::Proved);
  refuted(proof_of([](Thread& t, Generations& g, const Meeting& m) {
            g.meet_all(m.counters(0), blocks);
            copy(t, m, t.block().x, 0);
            t.when(t.block().x == 1, [&] { t.store(m.part(0, t.rank()), 2.f); });
          }),
          Property::GlobalRace, "meet at part[0]");
}

TEST_CASE("a block may wait for a flag again", "[verify]") {
  CHECK(proof_of([](Thread& t, Generations& g, const Meeting& m) {
          relay(t, g, m);
          t.when(t.block().x == 2, [&] {
            g.wait(m.counters(0));
            t.store(m.y(2, turned(t)), t.load(m.part(0, t.rank())));
          });
        }).verdict == Verdict::Proved);
}

TEST_CASE("what one block learnt it passes on", "[verify]") {
  CHECK(proof_of([](Thread& t, Generations& g, const Meeting& m) {
          t.when(
              t.block().x == 0,
              [&] {
                write_part(t, m);
                g.release(m.counters(0));
              },
              [&] {
                t.when(
                    t.block().x == 1,
                    [&] {
                      g.wait(m.counters(0));
                      g.release(m.counters(1));
                    },
                    [&] {
                      g.wait(m.counters(1));
                      copy(t, m, 2, 0);
                    });
              });
        }).verdict == Verdict::Proved);
}

TEST_CASE("each of several elections has its own last block", "[verify]") {
  CHECK(proof_of([](Thread& t, Generations& g, const Meeting& m) {
          write_part(t, m);
          for (int word : {0, 1})
            g.when_last(m.counters(word), blocks, [&] { add_up(t, m, word); });
        }).verdict == Verdict::Proved);
  // Two last blocks for one place, where blocks come to the words in different orders.
  refuted(proof_of([](Thread& t, Generations& g, const Meeting& m) {
            write_part(t, m);
            for (int turn : {0, 1})
              g.when_last(m.counters((t.block().x + turn) % 2), blocks, [&] { add_up(t, m, 0); });
          }),
          Property::GlobalRace, "meet at y[0]");
}

TEST_CASE("atomics that an author writes out are left open", "[verify]") {
  Axis n{"n"}, d{"d"};
  InOut ready{"ready", u32, {n}}, x{"x", f32, {d}};
  KernelSource source =
      kernel("by_hand", {ready, x}, {.threads = {32}, .grid = {Blocks(n)}, .cooperative = true},
             [=](Thread& t) {
               t.when(
                   t.block().x == 0,
                   [&] {
                     t.store(x(t.rank()), 1.f);
                     t.flag_signal(ready(0));
                   },
                   [&] {
                     t.flag_wait(ready(0), 32);
                     t.store(x(t.rank()), t.load(x(t.rank())) + 1.f);
                   });
             });
  ir::Kernel k = instantiate(source, {.dims = {{"n", 2}, {"d", 32}}});
  ir::run_pipeline(k);
  CHECK(prove(k).verdict == Verdict::Unknown);
}
