// SPDX-License-Identifier: Apache-2.0
// Samples of timed regions as blocks write them, reduced: hand-made buffers and what must come of
// them.
#include <catch2/catch.hpp>
#include <cmath>

#include "runtime/regions/critical_path.h"
#include "runtime/regions/reduce.h"
#include "runtime/regions/table.h"

using namespace barline::regions;
using Catch::Matchers::Contains;
using Words = std::vector<std::uint64_t>;

namespace {

const std::vector<Region> wo{{"make", Class::Work, "block.x == 0"},
                             {"wait", Class::Wait, "not (block.x == 0)"},
                             {"gemv", Class::Work, ""},
                             {"gather", Class::DynamicSingleBlock, "dynamic"}};

/// A launch of some blocks, whose SMs' clocks begin anywhere and tick twice a nanosecond.
class Buffer {
 public:
  explicit Buffer(std::size_t blocks, std::size_t regions = wo.size())
      : regions_(regions), words_(blocks * words_a_block(regions)) {}

  /// Block b ran from `begin` to `end`, in ns after the launch's start.
  Buffer& block(std::size_t b, std::uint64_t begin, std::uint64_t end, std::uint64_t clock = 5000) {
    begin_ = begin;
    clock_ = clock;
    at(b, BlockField::ClockBegin) = clock;
    at(b, BlockField::TimerBegin) = timer + begin;
    at(b, BlockField::ClockEnd) = clock + 2 * (end - begin);
    at(b, BlockField::TimerEnd) = timer + end;
    at(b, BlockField::Sm) = b;
    at(b, BlockField::Ran) = 1;
    block_ = b;
    return *this;
  }
  /// The block was in the region from `from` to `to`; again: one time more.
  Buffer& in(std::size_t region, std::uint64_t from, std::uint64_t to) {
    const std::uint64_t first = clock_ + 2 * (from - begin_), last = clock_ + 2 * (to - begin_);
    auto word = [&](RegionField f) -> std::uint64_t& {
      return words_[block_ * words_a_block(regions_) + place(region, f)];
    };
    word(RegionField::Count) += 1;
    word(RegionField::Sum) += last - first;
    word(RegionField::NotMin) = std::max(word(RegionField::NotMin), ~(last - first));
    word(RegionField::Max) = std::max(word(RegionField::Max), last - first);
    word(RegionField::NotFirst) = std::max(word(RegionField::NotFirst), ~first);
    word(RegionField::Last) = std::max(word(RegionField::Last), last);
    return *this;
  }
  /// As a kernel writes a region that comes once: no sums.
  Buffer& once(std::size_t region, std::uint64_t from, std::uint64_t to) {
    in(region, from, to);
    for (RegionField f : {RegionField::Sum, RegionField::NotMin, RegionField::Max})
      words_[block_ * words_a_block(regions_) + place(region, f)] = 0;
    return *this;
  }
  const Words& words() const { return words_; }
  std::uint64_t& at(std::size_t b, BlockField f) {
    return words_[b * words_a_block(regions_) + place(f)];
  }
  std::uint64_t& at(std::size_t region, RegionField f) {
    return words_[block_ * words_a_block(regions_) + place(region, f)];
  }

 private:
  static constexpr std::uint64_t timer = 1'000'000'000;
  std::size_t regions_, block_ = 0;
  std::uint64_t begin_ = 0, clock_ = 0;
  Words words_;
};

Samples read(const std::vector<Words>& buffers, std::size_t blocks,
             const std::vector<Region>& table = wo) {
  return read_samples(table, blocks, buffers);
}

/// Block 0 makes what 1 and 2 wait for; 2 arrives last and gathers; 3 has no part in it.
Words three_blocks() {
  return Buffer(4)
      .block(0, 0, 4000)
      .in(0, 0, 1000)
      .in(2, 1000, 4000)
      .block(1, 96, 5000, 77)
      .in(1, 96, 1032)
      .in(2, 1032, 5000)
      .block(2, 64, 8000, 1u << 30)
      .in(1, 64, 1096)
      .in(2, 1096, 7000)
      .in(3, 7032, 8000)
      .block(3, 32, 64)
      .words();
}

}  // namespace

TEST_CASE("stamps alone say how long a block was in a region that comes once", "[regions]") {
  const auto visits = [](const Words& words) {
    return read({words}, 1).launches.at(0).blocks.at(0).visits;
  };
  const auto stamps = visits(Buffer(1).block(0, 32, 4000).once(2, 1000, 3000).words())[2];
  const auto sums = visits(Buffer(1).block(0, 32, 4000).in(2, 1000, 3000).words())[2];
  CHECK(stamps.count == 1);
  CHECK(stamps.cycles == 4000);
  CHECK(stamps.min == 4000);
  CHECK(stamps.max == 4000);
  CHECK(stamps.first == Approx(sums.first));
  CHECK(stamps.last == Approx(sums.last));
  CHECK(sums.cycles == 4000);
}

TEST_CASE("regions are reduced to their times, shares and coverage", "[regions]") {
  const Reduced r = reduce(read({three_blocks(), three_blocks()}, 4));
  CHECK(r.launches == 2);
  CHECK(r.blocks == 8);
  CHECK(r.span == Approx(8.0));
  const RegionTimes &make = r.regions[0], &wait = r.regions[1], &gemv = r.regions[2];
  CHECK(make.values == 2);
  CHECK(make.dropped == 6);  // blocks that never came there are no zeros
  CHECK(make.median == Approx(1.0));
  CHECK(make.share == Approx(0.125));
  CHECK(std::isnan(wait.share));
  CHECK(wait.mean == Approx((0.936 + 1.032) / 2));
  CHECK(gemv.values == 6);
  CHECK(gemv.total == Approx(2 * (3 + 3.968 + 5.904)));
  CHECK(gemv.median == Approx(3.968));
  CHECK(gemv.p99 == Approx(5.904).margin(1e-6));
  CHECK(gemv.min == Approx(3.0));
  CHECK(gemv.max == Approx(5.904));
  CHECK(r.regions[3].values == 2);
  CHECK(r.coverage.blocks == 6);  // block 3 comes to no region
  CHECK(r.coverage.median == Approx(1.0));
  CHECK(r.coverage.worst == Approx(1 - 32.0 / 7936));
  REQUIRE(r.warnings.size() == 1);
  CHECK_THAT(r.warnings[0], Contains("region gemv is every block's, and 2 blocks never came"));
}

TEST_CASE("both clocks are calibrated and their steps measured from the samples", "[regions]") {
  const Samples s = read({three_blocks()}, 4);
  CHECK(s.clocks.calibrated);
  CHECK(s.clocks.ns_a_cycle == Approx(0.5));
  CHECK(s.clocks.timer_step == 32);
  CHECK(s.clocks.clock_step == 64);
  CHECK(s.launches[0].blocks[2].visits[3].first == Approx(7032));
  CHECK(s.launches[0].blocks[1].visits[2].last == Approx(5000));
}

TEST_CASE("times of a region in a loop are counted all, not the last alone", "[regions]") {
  const std::vector<Region> table{{"trip", Class::Work, ""}};
  Buffer b(1, 1);
  b.block(0, 0, 1000);
  for (std::uint64_t i = 0; i < 34; ++i) b.in(0, 10 * i, 10 * i + (i == 20 ? 9 : 5));
  const Reduced r = reduce(read({b.words()}, 1, table));
  CHECK(r.regions[0].times == 34);
  CHECK(r.regions[0].total == Approx((33 * 5 + 9) / 1e3));
  CHECK(r.regions[0].min == Approx(0.005));
  CHECK(r.regions[0].max == Approx(0.009));
}

TEST_CASE("the critical path names the last arriver and calls waiting for it idle", "[regions]") {
  const Samples s = read({three_blocks()}, 4);
  const CriticalPath p = critical_path(s, s.launches[0]);
  CHECK(p.last_arriver == 2);
  CHECK(p.elected);
  CHECK(p.arrived == Approx(7000));
  CHECK(p.idle_median == Approx(2500));  // of blocks 0 and 1: 3000 and 2000
  CHECK(p.idle_max == Approx(3000));
  CHECK(p.meeting == Approx(32));
  std::vector<std::pair<std::size_t, std::string>> path;
  for (const Segment& g : p.segments) path.emplace_back(g.block, g.region);
  CHECK(path == std::vector<std::pair<std::size_t, std::string>>{
                    {0, "make"}, {2, "wait"}, {2, "gemv"}, {2, ""}, {2, "gather"}});
  CHECK(p.segments[1].from ==
        Approx(1000));  // waited since the make ended: what came before is idle
}

TEST_CASE("only what stands before a wait releases it", "[regions]") {
  Buffer b(3);
  b.block(0, 0, 300).in(0, 0, 100).in(2, 100, 300);
  b.block(1, 0, 150).in(2, 0, 150);  // done after block 0's make, and no reason to wait
  b.block(2, 0, 400).in(1, 0, 200).in(2, 200, 400);
  const Samples s = read({b.words()}, 3);
  const CriticalPath p = critical_path(s, s.launches[0]);
  REQUIRE(p.segments.size() == 3);
  CHECK(p.segments[0].block == 0);
  CHECK(p.segments[0].region == "make");
  CHECK(p.segments[1].from == Approx(100));
}

TEST_CASE("regions that come in turn share the stretch of the path they lie on", "[regions]") {
  const std::vector<Region> table{
      {"gemv", Class::Work, ""}, {"post", Class::Work, ""}, {"tail", Class::Work, ""}};
  Buffer b(1, 3);
  b.block(0, 0, 60).in(0, 10, 20).in(1, 20, 22).in(0, 22, 32).in(1, 32, 34).in(2, 40, 60);
  const Samples s = read({b.words()}, 1, table);
  std::vector<std::tuple<std::string, double, double>> path;
  for (const Segment& g : critical_path(s, s.launches[0]).segments)
    path.emplace_back(g.region, std::round(g.from), std::round(g.to));
  CHECK(path == std::vector<std::tuple<std::string, double, double>>{
                    {"", 0, 10}, {"gemv + post", 10, 34}, {"", 34, 40}, {"tail", 40, 60}});
}

TEST_CASE("without an election the block whose work ends last is the last arriver", "[regions]") {
  const std::vector<Region> table{{"work", Class::Work, ""}};
  Buffer b(3, 1);
  b.block(0, 0, 90).in(0, 0, 90).block(1, 0, 100).in(0, 0, 95).block(2, 0, 99).in(0, 0, 97);
  const Samples s = read({b.words()}, 3, table);
  const CriticalPath p = critical_path(s, s.launches[0]);
  CHECK(p.last_arriver == 2);
  CHECK_FALSE(p.elected);
  CHECK(p.segments.back().block == 1);  // the block that ends last ends the path
}

TEST_CASE("one block, no region and no block that ran are reduced too", "[regions]") {
  const Samples one = read({Buffer(1).block(0, 0, 10).words()}, 1);
  CHECK(reduce(one).coverage.blocks == 0);
  CHECK(critical_path(one, one.launches[0]).last_arriver == 0);
  const Samples none = read({Words(2 * words_a_block(wo.size()))}, 2);
  const Reduced r = reduce(none);
  CHECK(r.blocks == 0);
  CHECK(r.span == 0);
  CHECK_FALSE(none.clocks.calibrated);
  CHECK(std::isnan(r.regions[0].share));
  CHECK(critical_path(none, none.launches[0]).last_arriver == no_block);
  CHECK(critical_path(none, none.launches[0]).segments.empty());
  CHECK(reduce(read({}, 4)).launches == 0);
}

TEST_CASE("a block that left early counts nowhere", "[regions]") {
  Buffer b(2);
  b.block(0, 0, 100).in(2, 0, 100).block(1, 0, 100).in(2, 0, 100);
  b.at(1, BlockField::ClockEnd) = b.at(1, BlockField::TimerEnd) = b.at(1, BlockField::Ran) = 0;
  const Samples s = read({b.words()}, 2);
  CHECK(s.clocks.ns_a_cycle == Approx(0.5));
  const Reduced r = reduce(s);
  CHECK(r.blocks == 1);
  CHECK(r.regions[2].values == 1);
  CHECK(r.span == Approx(0.1));
}

TEST_CASE("a clock that wraps keeps its durations", "[regions]") {
  // The block's clock passes 2^64 within `make`: differences count on.
  const std::uint64_t near_end = UINT64_MAX - 99;
  const std::vector<Region> table{{"make", Class::Work, ""}};
  Buffer b(1, 1);
  b.block(0, 0, 1000, near_end).in(0, 10, 500);
  const Samples s = read({b.words()}, 1, table);
  CHECK(s.unplaced == 0);
  CHECK(s.launches[0].blocks[0].cycles == 2000);
  CHECK(s.launches[0].blocks[0].visits[0].cycles == 980);
  CHECK(s.launches[0].blocks[0].visits[0].last == Approx(500));
}

TEST_CASE("stamps that do not ascend are on no time line, and said", "[regions]") {
  const std::vector<Region> table{{"make", Class::Work, ""}};
  Buffer b(1, 1);
  b.block(0, 0, 100).in(0, 10, 500);  // past the block's end: an older launch's words
  const Samples s = read({b.words()}, 1, table);
  CHECK(s.unplaced == 1);
  const Reduced r = reduce(s);
  CHECK(r.regions[0].total == Approx(0.49));
  REQUIRE(r.warnings.size() == 1);
  CHECK_THAT(r.warnings[0], Contains("stamps that do not ascend"));
}

TEST_CASE("stamps in the wrong order are no length of time", "[regions]") {
  const std::vector<Region> table{{"make", Class::Work, ""}};
  const auto read_one = [&](Buffer& b) { return read({b.words()}, 1, table); };
  Buffer summed(1, 1), stamped(1, 1);
  // The end is that of an older launch: before the begin.
  summed.block(0, 0, 1000).in(0, 100, 500).at(0, RegionField::Last) = 5000 + 2 * 50;
  stamped.block(0, 0, 1000).once(0, 100, 500).at(0, RegionField::Last) = 5000 + 2 * 50;
  const Samples kept = read_one(summed), lost = read_one(stamped);
  CHECK(kept.unplaced == 1);
  CHECK(reduce(kept).regions[0].total == Approx(0.4));  // the sum that the block wrote
  CHECK(reduce(kept).regions[0].min == Approx(0.4));
  CHECK(lost.unplaced == 1);
  CHECK(reduce(lost).regions[0].total == 0);  // no sum was written
  CHECK(reduce(lost).regions[0].min == 0);
  CHECK(reduce(lost).regions[0].max == 0);
}

TEST_CASE("a timer that stands still is told", "[regions]") {
  Buffer b(1);
  b.block(0, 0, 100).in(2, 0, 100);
  b.at(0, BlockField::TimerEnd) = b.at(0, BlockField::TimerBegin);
  const Samples s = read({b.words()}, 1);
  CHECK(s.clocks.ns_a_cycle == 1);
  CHECK_THAT(reduce(s).warnings.at(0), Contains("%globaltimer did not move"));
}

TEST_CASE("a buffer of another size is refused", "[regions]") {
  CHECK_THROWS_WITH(read({Words(7)}, 2),
                    Contains("samples of launch 0: 7 words where 2 blocks and 4 regions make 60") &&
                        Contains("pass the whole buffer"));
}

TEST_CASE("the table goes through text, and text that is none is refused", "[regions]") {
  CHECK(parse_table(to_text(wo)) == wo);
  CHECK(parse_table("").empty());
  CHECK_THROWS_WITH(parse_table("make"), Contains("'make' is not 'name class where'") &&
                                             Contains("build the kernel again"));
  CHECK_THROWS_WITH(parse_table("make rest"), Contains("'make' has the unknown class 'rest'"));
}
