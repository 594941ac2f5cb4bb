// SPDX-License-Identifier: Apache-2.0
#include "runtime/regions/samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace barline::regions {
namespace {

using Words = std::span<const std::uint64_t>;

class Row {
 public:
  Row(Words buffer, std::size_t regions, std::size_t block)
      : words_(buffer.subspan(block * words_a_block(regions), words_a_block(regions))) {}
  std::uint64_t at(BlockField f) const { return words_[place(f)]; }
  std::uint64_t at(std::size_t region, RegionField f) const { return words_[place(region, f)]; }
  bool ran() const { return at(BlockField::Ran) == 1; }
  /// Cycles from the block's begin to a stamp; a clock that wraps counts on.
  std::uint64_t since_begin(std::uint64_t stamp) const {
    return stamp - at(BlockField::ClockBegin);
  }

 private:
  Words words_;
};

/// The smallest difference of neighbours.
double smallest_step(const std::set<std::uint64_t>& values) {
  std::uint64_t least = 0;
  for (auto v = values.begin(); v != values.end() && std::next(v) != values.end(); ++v) {
    const std::uint64_t step = *std::next(v) - *v;
    if (least == 0 || step < least) least = step;
  }
  return static_cast<double>(least);
}

class Reader {
 public:
  Reader(std::vector<Region> table, std::size_t blocks,
         std::span<const std::vector<std::uint64_t>> buffers)
      : regions_(table.size()), blocks_(blocks), buffers_(buffers) {
    out_.table = std::move(table);
  }

  Samples run() {
    for (std::size_t i = 0; i < buffers_.size(); ++i) check_size(i);
    calibrate();
    for (Words buffer : buffers_) out_.launches.push_back(launch(buffer));
    return std::move(out_);
  }

 private:
  void check_size(std::size_t i) const {
    const std::size_t want = blocks_ * words_a_block(regions_);
    if (buffers_[i].size() == want) return;
    throw std::invalid_argument(fmt::format(
        "samples of launch {}: {} words where {} blocks and {} regions make {}; pass the whole "
        "buffer of this kernel's launch",
        i, buffers_[i].size(), blocks_, regions_, want));
  }

  void calibrate() {
    std::uint64_t cycles = 0, ns = 0;
    std::set<std::uint64_t> timers, clocks;
    for (Words buffer : buffers_)
      for (std::size_t b = 0; b < blocks_; ++b) {
        const Row row(buffer, regions_, b);
        if (!row.ran()) continue;
        cycles += row.since_begin(row.at(BlockField::ClockEnd));
        ns += row.at(BlockField::TimerEnd) - row.at(BlockField::TimerBegin);
        timers.insert({row.at(BlockField::TimerBegin), row.at(BlockField::TimerEnd)});
        clocks.insert(row.since_begin(row.at(BlockField::ClockEnd)));
        for (std::size_t r = 0; r < regions_; ++r)
          if (row.at(r, RegionField::Count))
            clocks.insert(row.since_begin(row.at(r, RegionField::Last)));
      }
    Clocks& c = out_.clocks;
    c.calibrated = cycles > 0 && ns > 0;
    if (c.calibrated) c.ns_a_cycle = static_cast<double>(ns) / static_cast<double>(cycles);
    c.timer_step = smallest_step(timers);
    c.clock_step = smallest_step(clocks);
  }

  Launch launch(Words buffer) {
    Launch l;
    std::uint64_t start = UINT64_MAX;
    for (std::size_t b = 0; b < blocks_; ++b)
      if (const Row row(buffer, regions_, b); row.ran())
        start = std::min(start, row.at(BlockField::TimerBegin));
    for (std::size_t b = 0; b < blocks_; ++b) {
      l.blocks.push_back(block(Row(buffer, regions_, b), b, start));
      l.span = std::max(l.span, l.blocks.back().end);
    }
    return l;
  }

  double ns(std::uint64_t cycles) const {
    return static_cast<double>(cycles) * out_.clocks.ns_a_cycle;
  }

  Block block(const Row& row, std::size_t index, std::uint64_t start) {
    Block b;
    b.index = index;
    b.visits.resize(regions_);
    b.ran = row.ran();
    if (!b.ran) return b;
    const std::uint64_t cycles = row.since_begin(row.at(BlockField::ClockEnd));
    b.sm = row.at(BlockField::Sm);
    b.cycles = static_cast<double>(cycles);
    b.begin = static_cast<double>(row.at(BlockField::TimerBegin) - start);
    b.end = b.begin + ns(cycles);
    for (std::size_t r = 0; r < regions_; ++r)
      if (row.at(r, RegionField::Count)) b.visits[r] = visit(row, r, b.begin, cycles);
    return b;
  }

  Visit visit(const Row& row, std::size_t r, double begin, std::uint64_t block_cycles) {
    Visit v;
    v.count = row.at(r, RegionField::Count);
    v.cycles = static_cast<double>(row.at(r, RegionField::Sum));
    if (const std::uint64_t not_min = row.at(r, RegionField::NotMin))  // 0: never written
      v.min = static_cast<double>(~not_min);
    v.max = static_cast<double>(row.at(r, RegionField::Max));
    const std::uint64_t first = row.since_begin(~row.at(r, RegionField::NotFirst)),
                        last = row.since_begin(row.at(r, RegionField::Last));
    v.placed = first <= last && last <= block_cycles;
    // A region that comes once may have no sums: its stamps say how long, where they are in order.
    if (v.count == 1 && v.placed) v.cycles = v.min = v.max = static_cast<double>(last - first);
    out_.unplaced += !v.placed;
    if (!v.placed) return v;
    v.first = begin + ns(first);
    v.last = begin + ns(last);
    return v;
  }

  std::size_t regions_, blocks_;
  std::span<const std::vector<std::uint64_t>> buffers_;
  Samples out_;
};

}  // namespace

Samples read_samples(std::vector<Region> table, std::size_t blocks,
                     std::span<const std::vector<std::uint64_t>> buffers) {
  return Reader(std::move(table), blocks, buffers).run();
}

}  // namespace barline::regions
