// SPDX-License-Identifier: Apache-2.0
// The timeline's picture: one row a block, in order of SMs, one colour a region; waits are pale.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/trace_report.h"

namespace barline::tools {
namespace {

constexpr double left = 120, top = 60, width = 960, tallest = 2000;
constexpr std::array colours{"#2f6fb0", "#c4622d", "#3d8b40", "#8a4fa3",
                             "#b0892f", "#2f9aa0", "#b03a5b", "#5a6472"};

class Timeline {
 public:
  explicit Timeline(const Trace& t) : t_(t), launch_(t.samples.launches[t.shown]) {
    for (const regions::Block& b : launch_.blocks)
      if (b.ran) rows_.push_back(&b);
    std::stable_sort(rows_.begin(), rows_.end(),
                     [](const auto* a, const auto* b) { return a->sm < b->sm; });
    pitch_ = std::clamp(tallest / static_cast<double>(rows_.size() + 1), 4.0, 18.0);
  }

  std::string run() {
    std::string marks;
    for (std::size_t i = 0; i < rows_.size(); ++i) marks += row(i);
    for (const regions::Segment& s : t_.path.segments) marks += outline(s);
    const double bottom = y(rows_.size());
    marks += text(left, bottom + 18, "start", "0");
    marks += text(left + width, bottom + 18, "end", fmt::format("{:.3f} us", launch_.span / 1e3));
    return fmt::format(
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
               "viewBox=\"0 0 {0:.0f} {1:.0f}\">\n<style>text {{ font: 11px sans-serif; fill: "
               "#1c2430; }}</style>\n<rect width=\"{0:.0f}\" height=\"{1:.0f}\" "
               "fill=\"#ffffff\"/>\n",
               left + width + 40, bottom + 40) +
           text(left, 20, "start", fmt::format("{} on {}", t_.kernel, t_.device)) + legend() +
           marks + "</svg>\n";
  }

 private:
  double x(double ns) const { return left + (launch_.span > 0 ? width * ns / launch_.span : 0); }
  double y(std::size_t row) const { return top + pitch_ * static_cast<double>(row); }

  static std::string text(double x, double y, const char* anchor, const std::string& words) {
    return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y,
                       anchor, words);
  }

  std::string box(double from, double to, double at, const std::string& look,
                  const std::string& title) const {
    return fmt::format(
        "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" {}><title>{}</title>"
        "</rect>\n",
        x(from), at + 0.5, std::max(x(to) - x(from), 0.5), pitch_ - 1, look, title);
  }

  std::string look(std::size_t region) const {
    const bool waits = t_.samples.table[region].klass == regions::Class::Wait;
    return fmt::format("fill=\"{}\"{}", colours[region % colours.size()],
                       waits ? " fill-opacity=\"0.25\"" : "");
  }

  std::string row(std::size_t i) const {
    const regions::Block& b = *rows_[i];
    std::string out =
        box(b.begin, b.end, y(i), "fill=\"#e8ebef\"", fmt::format("block {}", b.index));
    if (pitch_ >= 10)
      out += text(left - 6, y(i) + pitch_ * 0.75, "end", fmt::format("SM {} b{}", b.sm, b.index));
    for (std::size_t r = 0; r < b.visits.size(); ++r)
      if (const regions::Visit& v = b.visits[r]; v.count && v.placed)
        out +=
            box(v.first, v.last, y(i), look(r),
                fmt::format("block {}: {}, {:.3f} us, {} times", b.index, t_.samples.table[r].name,
                            v.cycles * t_.samples.clocks.ns_a_cycle / 1e3, v.count));
    return out;
  }

  std::string outline(const regions::Segment& s) const {
    for (std::size_t i = 0; i < rows_.size(); ++i)
      if (rows_[i]->index == s.block)
        return box(s.from, s.to, y(i), "fill=\"none\" stroke=\"#101418\"",
                   fmt::format("critical path: {}", s.region));
    return "";
  }

  std::string legend() const {
    std::string out;
    double at = left;
    for (std::size_t r = 0; r < t_.samples.table.size(); ++r) {
      const std::string& name = t_.samples.table[r].name;
      out +=
          fmt::format("<rect x=\"{:.1f}\" y=\"34\" width=\"10\" height=\"10\" {}/>\n", at, look(r));
      out += text(at + 14, 43, "start", name);
      at += 34 + 6.5 * static_cast<double>(name.size());
    }
    return out;
  }

  const Trace& t_;
  const regions::Launch& launch_;
  std::vector<const regions::Block*> rows_;
  double pitch_;
};

}  // namespace

std::string timeline_svg(const Trace& t) { return Timeline(t).run(); }

}  // namespace barline::tools
