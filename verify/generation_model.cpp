// SPDX-License-Identifier: Apache-2.0
// A state is where each block stands in its program, what it knows, and the counters. Writes of a
// launch are one bit a block (its part) and one more (the producer's): a later launch knows all of
// an earlier one's, so the bits begin anew with each.
#include "verify/generation_model.h"

#include <fmt/format.h>

namespace barline::verify {
namespace {

enum class Act : std::uint8_t { Start, Write, Raise, Wait, Work, Lift, Count, Meet, Gather, End };
constexpr const char* act_names[] = {"starts",
                                     "writes x",
                                     "raises the flag",
                                     "awaits the flag",
                                     "reads x, writes its part",
                                     "lifts the word",
                                     "counts its arrival",
                                     "awaits the others",
                                     "gathers",
                                     "ends"};

using Bits = std::uint8_t;

struct Block {
  std::int8_t at = 0;          ///< in its program
  std::int8_t generation = 0;  ///< as it counted
  std::int8_t launches = 0;    ///< its own counter
  bool last = false, left = false;
  Bits knows = 0;
};

struct State {
  std::int8_t launch = 0;
  std::int8_t gathered = 0;
  std::int8_t word_generation = 0, word_count = 0, flag = 0;
  Bits word_knows = 0, flag_knows = 0;
  std::vector<Block> blocks;

  std::string key() const {
    std::string k;
    for (int v : {int{launch}, int{gathered}, int{word_generation}, int{word_count}, int{flag},
                  int{word_knows}, int{flag_knows}})
      k.push_back(static_cast<char>(v));
    for (const Block& b : blocks)
      for (int v :
           {int{b.at}, int{b.generation}, int{b.launches}, int{b.last}, int{b.left}, int{b.knows}})
        k.push_back(static_cast<char>(v));
    return k;
  }
};

class Explorer {
 public:
  explicit Explorer(const GenerationProtocol& p) : p_(p) {
    for (int b = 0; b < p.blocks; ++b) {
      std::vector<Act> program{Act::Start};
      if (p.producer && b == 0) program.insert(program.end(), {Act::Write, Act::Raise});
      if (p.producer && b > 0 && p.waits) program.push_back(Act::Wait);
      program.push_back(Act::Work);
      if (p.lift && p.lifts_before) program.push_back(Act::Lift);
      program.push_back(Act::Count);
      if (p.lift && !p.lifts_before) program.push_back(Act::Lift);
      if (p.meets_all) program.push_back(Act::Meet);
      program.insert(program.end(), {Act::Gather, Act::End});
      programs_.push_back(std::move(program));
    }
  }

  WalkVerdict run() {
    State first;
    first.blocks.resize(static_cast<std::size_t>(p_.blocks));
    return walk_.run(std::move(first), [this](std::size_t i) { expand(i); });
  }

 private:
  Bits part(int block) const { return static_cast<Bits>(1 << (block + 1)); }
  Bits all_parts() const { return static_cast<Bits>((1 << (p_.blocks + 1)) - 2); }
  static constexpr Bits x_written = 1;

  Act act_of(const State& s, int b) const { return programs_[b][s.blocks[b].at]; }
  bool done(const State& s, int b) const { return s.blocks[b].left || act_of(s, b) == Act::End; }

  void expand(std::size_t i) {
    bool moved = false, ended = true;
    const bool cut = p_.cut_short[walk_[i].launch];
    for (int b = 0; b < p_.blocks; ++b) {
      if (done(walk_[i], b)) continue;
      ended = false;
      const Act act = act_of(walk_[i], b);
      if (cut && (p_.starts_late || act != Act::Start)) {
        State s = walk_[i];
        s.blocks[b].left = true;
        moved = true;
        walk_.add(std::move(s), i, fmt::format("block {} leaves before it {}", b, act_name(act)));
      }
      State s = walk_[i];
      const std::string text = fmt::format("block {} {}", b, act_name(act));
      const Outcome o = step(s, b, act);
      if (!o.fault.empty()) return walk_.fault(i, text, o.fault);
      if (!o.passes) continue;
      ++s.blocks[b].at;
      moved = true;
      walk_.add(std::move(s), i, text);
    }
    if (ended) return end_launch(i);
    if (!moved) walk_.fault(i, "", "deadlock: nobody can go on");
  }

  static const char* act_name(Act a) { return act_names[static_cast<int>(a)]; }

  /// What the launch wrote is known to all of the next.
  void end_launch(std::size_t i) {
    State s = walk_[i];
    const int gather = p_.meets_all ? p_.blocks : 1;
    if (!p_.cut_short[s.launch] && s.gathered != gather)
      return walk_.fault(i, "", "the launch ends and nobody gathered");
    if (++s.launch == static_cast<int>(p_.cut_short.size())) return;
    s.gathered = 0;
    s.word_knows = s.flag_knows = 0;
    for (Block& b : s.blocks) {
      b.at = 0;
      b.last = b.left = false;
      b.knows = 0;
    }
    walk_.add(std::move(s), i, "the next launch begins");
  }

  struct Outcome {
    bool passes = true;
    std::string fault{};
  };

  Outcome step(State& s, int b, Act act) const {
    Block& block = s.blocks[b];
    switch (act) {
      case Act::Start: block.generation = ++block.launches; return {};
      case Act::Write: block.knows |= x_written; return {};
      case Act::Raise:
        s.flag = block.generation;
        s.flag_knows = p_.flag_release ? block.knows : Bits{0};
        return {};
      case Act::Wait:
        if (s.flag < block.generation + p_.waits_for) return {false};
        if (p_.flag_acquire) block.knows |= s.flag_knows;
        return {};
      case Act::Work:
        if (p_.producer && !(block.knows & x_written))
          return {true, "x is read, and nothing orders that it is written"};
        block.knows |= part(b);
        return {};
      case Act::Lift:
        if (s.word_generation < block.generation) {
          s.word_generation = block.generation;
          s.word_count = 0;
        }
        return {};
      case Act::Count:
        block.last = ++s.word_count == p_.blocks + p_.last_at;
        if (p_.acquire) block.knows |= s.word_knows;
        if (p_.release) s.word_knows |= block.knows;
        return {};
      case Act::Meet:
        if (s.word_generation < block.generation || s.word_count < p_.blocks + p_.last_at)
          return {false};
        if (p_.acquire) block.knows |= s.word_knows;
        return {};
      case Act::Gather: return gather(s, block);
      case Act::End: break;
    }
    return {};
  }

  Outcome gather(State& s, const Block& block) const {
    if (!block.last && !p_.meets_all) return {};
    if (++s.gathered > 1 && !p_.meets_all) return {true, "two blocks gather"};
    if ((block.knows & all_parts()) != all_parts())
      return {true, "a part is gathered, and nothing orders that it is written"};
    return {};
  }

  const GenerationProtocol p_;
  std::vector<std::vector<Act>> programs_;
  StateWalk<State> walk_;
};

}  // namespace

WalkVerdict explore(const GenerationProtocol& p) { return Explorer(p).run(); }

}  // namespace barline::verify
