// SPDX-License-Identifier: Apache-2.0
// The sweep's picture: a square of logarithmic axes, so that time in inverse proportion to the
// value is a straight line down.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/sweep_report.h"
#include "verify/markup.h"

namespace barline::tools {
namespace {

constexpr double left = 80, top = 50, width = 560, height = 320;

/// Where a value stands between the least and the greatest, in logarithms.
struct LogScale {
  double least, greatest;
  double share(double v) const {
    return greatest > least ? std::log(v / least) / std::log(greatest / least) : 0.5;
  }
};

std::string plot_text(double x, double y, const char* anchor, const std::string& words) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     verify::markup(words));
}

}  // namespace

std::string plot_svg(const Sweep& s) {
  LogScale x{1e300, 0}, y{1e300, 0};
  for (const SweepRow& r : s.rows) {
    const auto v = static_cast<double>(r.value);
    x = {std::min(x.least, v), std::max(x.greatest, v)};
    y = {std::min(y.least, r.time.median), std::max(y.greatest, r.time.median)};
  }
  std::string line, marks;
  for (const SweepRow& r : s.rows) {
    const double px = left + width * x.share(static_cast<double>(r.value));
    const double py = top + height * (1 - y.share(r.time.median));
    line += fmt::format("{:.1f},{:.1f} ", px, py);
    marks += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/>\n", px, py);
    marks += plot_text(px + 8, py - 8, "start", fmt::format("{:.1f} us", r.time.median));
    marks += plot_text(px + 8, py + 16, "start",
                       fmt::format("{}, {:.1f} %", limit_of(s, r), 100 * share_of_ceiling(s, r)));
    marks += plot_text(px, top + height + 24, "middle", fmt::format("{}", r.value));
  }
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"840\" height=\"430\" "
             "viewBox=\"0 0 840 430\">\n<style>text {{ font: 12px sans-serif; fill: #1c2430; }}"
             "</style>\n<rect width=\"840\" height=\"430\" fill=\"#ffffff\"/>\n"
             "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" "
             "stroke=\"#5a6472\"/>\n<polyline points=\"{}\" fill=\"none\" stroke=\"#2f6fb0\" "
             "stroke-width=\"2\"/>\n",
             left, top, width, height, line) +
         marks +
         plot_text(left, 30, "start",
                   fmt::format("{} on {}: median us over {}; share of the copy rate, {:.0f} GB/s",
                               s.kernel, s.device, s.over, s.ceiling)) +
         plot_text(left + width / 2, top + height + 46, "middle", s.over) + "</svg>\n";
}

}  // namespace barline::tools
