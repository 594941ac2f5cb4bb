// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <algorithm>

#include "verify/cadence/picture.h"
#include "verify/cadence/render.h"

namespace barline::verify {
namespace {

std::string cell_text(const std::vector<Picture::Mark>& cell) {
  std::string out;
  for (const Picture::Mark& mark : cell) out += (out.empty() ? "" : ", ") + mark.text;
  return out;
}

/// Lines of cells between bars, `||` where a step begins; blanks at a line's end left out.
class Table {
 public:
  explicit Table(int epochs) : epochs_(static_cast<std::size_t>(epochs)) {}

  void add(std::vector<std::string> cells) {
    widths_.resize(std::max(widths_.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i)
      widths_[i] = std::max(widths_[i], cells[i].size());
    lines_.push_back(std::move(cells));
  }

  std::string text() const {
    std::string out;
    for (const auto& cells : lines_) {
      std::string line;
      for (std::size_t i = 0; i < cells.size(); ++i)
        line += fmt::format("{}{:<{}}", bar(i), cells[i], widths_[i]);
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    }
    return out;
  }

 private:
  const char* bar(std::size_t column) const {
    if (column == 0) return "  ";
    return (column - 1) % epochs_ == 0 ? " || " : " | ";
  }

  std::size_t epochs_;
  std::vector<std::vector<std::string>> lines_;
  std::vector<std::size_t> widths_;
};

std::string table_text(const Picture& p) {
  Table table(p.epochs);
  std::vector<std::string> steps{""}, epochs{"epoch"};
  for (int step = 0; step < p.steps; ++step)
    for (int epoch = 0; epoch < p.epochs; ++epoch) {
      std::string name = step == 0 ? "step i" : fmt::format("step i+{}", step);
      steps.push_back(epoch == 0 ? name : "");
      epochs.push_back(std::to_string(epoch + 1));
    }
  table.add(std::move(steps));
  table.add(std::move(epochs));
  for (const Picture::Row& row : p.rows) {
    std::vector<std::string> cells{row.label};
    for (const auto& cell : row.cells) cells.push_back(cell_text(cell));
    table.add(std::move(cells));
  }
  return table.text();
}

std::string place(const ir::Loc& loc) {
  return loc ? fmt::format(", {}:{}", loc.file, loc.line) : "";
}

std::string need_text(const BarrierNeed& need) {
  switch (need.kind) {
    case BarrierNeed::Needed: return "  needed; without it: " + need.why + "\n";
    case BarrierNeed::Needless: return "  NEEDLESS: the kernel is PROVED without it\n";
    default: return "  not decided: " + need.why + "\n";
  }
}

std::string barrier_text(const CadenceLoop& loop, int epoch,
                         const std::vector<BarrierNeed>& needs) {
  const CadenceBarrier& b = loop.barriers[epoch];
  std::string out = fmt::format("barrier {}{}", epoch + 1, place(b.loc));
  if (b.pending == 0) out += ": waits for every copy in flight";
  if (b.pending == 1) out += ": waits for all copies but those of the latest group";
  if (b.pending > 1)
    out += fmt::format(": waits for all copies but those of the {} latest groups", *b.pending);
  out += "\n";
  for (const auto& orders : b.alone) out += "  alone orders " + hazard_text(loop, orders) + "\n";
  if (b.alone.empty())
    for (const auto& orders : b.shared)
      out += "  with others orders " + hazard_text(loop, orders) + "\n";
  return b.number < needs.size() ? out + need_text(needs[b.number]) : out;
}

}  // namespace

std::string cadence_text(const Cadence& c, const std::vector<BarrierNeed>& needs) {
  std::string out;
  for (const CadenceLoop& loop : c.loops) {
    out +=
        fmt::format("{}loop{}: {}\n\n", out.empty() ? "" : "\n", place(loop.loc), loop_text(loop));
    out += table_text(picture_of(loop)) + "\n";
    for (int epoch = 0; epoch < loop.epochs(); ++epoch) out += barrier_text(loop, epoch, needs);
    for (const CadenceHazard& h : loop.open)
      out += "NO BARRIER orders " + hazard_text(loop, {h, 0}) + "\n";
  }
  return out;
}

}  // namespace barline::verify
