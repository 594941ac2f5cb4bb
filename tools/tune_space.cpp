// SPDX-License-Identifier: Apache-2.0
#include "tools/tune_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace barline::tools {
namespace {

using ir::Schedule;

/// A schedule changed in one respect, and how to say so.
struct Move {
  std::string what;
  Schedule to;
};

constexpr int max_threads = 1024;

bool sensible(const Schedule& s) {
  if (ir::block_threads(s) < 32 || ir::block_threads(s) > max_threads) return false;
  for (const ir::Stream& stream : s.streams)
    if (stream.slots > 1 && (stream.ahead == 0 || stream.ahead > stream.slots)) return false;
  if (!s.tile.m) return s.vec && s.unroll && s.chunks;
  return s.tile.m >= 8 && s.tile.n >= 8 && s.tile.k >= 16 && s.tile.m <= 512 && s.tile.n <= 512 &&
         s.tile.k <= 512 && s.tile.warps_m && s.tile.warps_n;
}

class Moves {
 public:
  explicit Moves(const Schedule& from) : from_(from) {}

  std::vector<Move> all() {
    if (from_.tile.m) {
      tile();
      rings();
      deep();
    } else {
      stripes();
    }
    blocks();
    return std::move(moves_);
  }

 private:
  void add(std::string what, const std::function<void(Schedule&)>& change) {
    Schedule to = from_;
    change(to);
    if (to != from_ && sensible(to)) moves_.push_back({std::move(what), to});
  }

  /// The field doubled and halved.
  template <class T>
  void scale(std::string_view name, const std::function<T&(Schedule&)>& field) {
    T at = field(const_cast<Schedule&>(from_));
    for (unsigned to : {2u * at, at / 2u})
      if (to && T(to) == to)
        add(fmt::format("{}={}", name, to), [&](Schedule& s) { field(s) = T(to); });
  }

  void tile() {
    using U16 = std::uint16_t;
    using U8 = std::uint8_t;
    scale<U16>("tile.m", [](Schedule& s) -> U16& { return s.tile.m; });
    scale<U16>("tile.n", [](Schedule& s) -> U16& { return s.tile.n; });
    scale<U16>("tile.k", [](Schedule& s) -> U16& { return s.tile.k; });
    scale<U8>("warps_m", [](Schedule& s) -> U8& { return s.tile.warps_m; });
    scale<U8>("warps_n", [](Schedule& s) -> U8& { return s.tile.warps_n; });
    for (unsigned up : {1u, 0u}) {
      auto sized = [&](unsigned v) { return up ? 2 * v : v / 2; };
      add(fmt::format("m={},warps_m={}", sized(from_.tile.m), sized(from_.tile.warps_m)),
          [&](Schedule& s) {
            s.tile.m = U16(sized(s.tile.m));
            s.tile.warps_m = U8(sized(s.tile.warps_m));
          });
      add(fmt::format("n={},warps_n={}", sized(from_.tile.n), sized(from_.tile.warps_n)),
          [&](Schedule& s) {
            s.tile.n = U16(sized(s.tile.n));
            s.tile.warps_n = U8(sized(s.tile.warps_n));
          });
    }
    for (int i = 0; i < from_.splits.count; ++i)
      scale<U16>(fmt::format("parts{}", i),
                 [i](Schedule& s) -> U16& { return s.splits.items[std::size_t(i)].parts; });
  }

  /// All rings in shared memory one slot deeper or shallower, filled as far ahead as before: all
  /// but so many slots.
  void rings() {
    for (int step : {1, -1}) {
      int slots = 0;
      Schedule to = from_;
      for (int i = 0; i < to.streams.count; ++i) {
        ir::Stream& s = to.streams.items[std::size_t(i)];
        if (s.store != ir::Store::Smem || s.slots < 2) continue;
        if (s.slots + step < 2 || s.ahead + step < 1) return;
        s.slots = std::uint8_t(s.slots + step);
        s.ahead = std::uint8_t(s.ahead + step);
        slots = s.slots;
      }
      if (slots) add(fmt::format("slots={}", slots), [&](Schedule& s) { s = to; });
    }
  }

  /// How far ahead each ring in registers is loaded, stream by stream.
  void deep() {
    for (int i = 0; i < from_.streams.count; ++i) {
      const ir::Stream& at = from_.streams.items[std::size_t(i)];
      if (at.store != ir::Store::Reg || !at.ahead) continue;
      for (int step : {1, -1, 2, -2}) {
        if (at.ahead + step < 1) continue;
        add(fmt::format("{}.ahead={}", at.of, at.ahead + step), [&](Schedule& s) {
          ir::Stream& stream = s.streams.items[std::size_t(i)];
          stream.ahead = std::uint8_t(stream.ahead + step);
          if (stream.slots > 1) stream.slots = std::uint8_t(stream.slots + step);
        });
      }
    }
  }

  void stripes() {
    scale<std::uint16_t>("threads", [](Schedule& s) -> std::uint16_t& { return s.threads; });
    scale<std::uint8_t>("vec", [](Schedule& s) -> std::uint8_t& { return s.vec; });
    scale<std::uint8_t>("unroll", [](Schedule& s) -> std::uint8_t& { return s.unroll; });
    scale<std::uint8_t>("chunks", [](Schedule& s) -> std::uint8_t& { return s.chunks; });
  }

  /// One block more or less promised an SM; the cap on registers follows from it.
  void blocks() {
    int at = from_.budget.ctas_per_sm;
    for (int to : {at + 1, at - 1})
      if (to >= 1 && to <= 16)
        add(fmt::format("ctas={}", to),
            [&](Schedule& s) { s.budget.ctas_per_sm = std::uint8_t(to); });
  }

  const Schedule& from_;
  std::vector<Move> moves_;
};

bool known(const std::vector<Candidate>& all, Schedule s) {
  return std::any_of(all.begin(), all.end(), [&](const Candidate& c) {
    s.name = c.name();
    return c.schedule.value == s;
  });
}

}  // namespace

std::string order_class(const Schedule& s) {
  if (!s.tile.m)
    return fmt::format("threads={} vec={} stripe_cap={} chunks={} unroll={}", s.threads, s.vec,
                       s.stripe_cap, s.chunks, s.unroll);
  std::string out(ir::spelling(s.dot.unit));
  for (const ir::Split& split : s.splits)
    out +=
        fmt::format(" {}/{}@{} k={}", split.axis, split.parts, ir::spelling(split.over), s.tile.k);
  return out;
}

std::vector<Candidate> tune_space(const std::vector<Schedule>& seeds, const SpaceOptions& o) {
  std::vector<Candidate> all;
  for (const Schedule& s : seeds) all.push_back({ir::own(s, s.name), std::string(s.name), true});
  std::size_t begin = 0;
  for (int step = 0; step < o.moves; ++step) {
    std::size_t end = all.size();
    for (std::size_t i = begin; i < end; ++i) {
      const Candidate from = all[i];
      for (const Move& move : Moves(from.schedule.value).all()) {
        bool same = order_class(move.to) == order_class(from.schedule.value);
        if ((!same && !o.any_order) || known(all, move.to)) continue;
        std::string name = fmt::format("{}~{}", from.name(), move.what);
        all.push_back({ir::own(move.to, name), from.seed, false});
      }
    }
    begin = end;
  }
  return all;
}

}  // namespace barline::tools
