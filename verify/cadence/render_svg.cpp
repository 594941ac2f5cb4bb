// SPDX-License-Identifier: Apache-2.0
// A table of fixed pitch: one letter is `letter` wide, so that widths follow from the texts alone.
//
//        step i              step i+1
//        1        2          1        2          <- each begins at its barrier, a heavy line
//   w[i] [read]   [write  ]
#include <fmt/format.h>
#include <algorithm>

#include "verify/cadence/picture.h"
#include "verify/cadence/render.h"
#include "verify/markup.h"

namespace barline::verify {
namespace {

constexpr int letter = 8, line = 22, pad = 8, margin = 16;

int width(std::string_view text) { return static_cast<int>(text.size()) * letter + 2 * pad; }

class Drawing {
 public:
  void text(int x, int y, std::string_view style, std::string_view words) {
    out_ +=
        fmt::format("<text x=\"{}\" y=\"{}\" class=\"{}\">{}</text>\n", x, y, style, markup(words));
    grow(x + static_cast<int>(words.size()) * letter, y);
  }
  void rect(int x, int y, int w, int h, std::string_view style) {
    out_ +=
        fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\" class=\"{}\"/>\n",
                    x, y, w, h, style);
    grow(x + w, y + h);
  }
  void bar(int x, int from, int to, std::string_view style) {
    out_ += fmt::format("<line x1=\"{0}\" y1=\"{1}\" x2=\"{0}\" y2=\"{2}\" class=\"{3}\"/>\n", x,
                        from, to, style);
    grow(x, to);
  }

  int bottom() const { return height_; }

  std::string document(std::string_view title) const {
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
        "viewBox=\"0 0 {0} {1}\">\n<title>{2}</title>\n<style>\n"
        "text {{ font: 12px 'DejaVu Sans Mono', Consolas, monospace; fill: #1c2430; }}\n"
        ".head {{ font-weight: bold; }}\n.note {{ fill: #5a6472; }}\n"
        ".read {{ fill: #cfe3fa; }}\n.write {{ fill: #f9d8b8; }}\n.copy {{ fill: #f4e3a1; }}\n"
        ".flight {{ fill: #fbf6df; }}\n.mma {{ fill: #d3ecd0; }}\n.lane {{ fill: #f3f5f8; }}\n"
        ".barrier {{ stroke: #b3261e; stroke-width: 2; }}\n"
        "</style>\n<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n{3}</svg>\n",
        width_ + margin, height_ + margin, markup(title), out_);
  }

 private:
  void grow(int x, int y) {
    width_ = std::max(width_, x);
    height_ = std::max(height_, y);
  }

  std::string out_;
  int width_ = 0, height_ = margin;
};

std::string_view style_of(Picture::Kind kind) {
  constexpr std::string_view styles[] = {"read", "write", "copy", "flight", "mma"};
  return styles[kind];
}

class LoopDrawing {
 public:
  LoopDrawing(const CadenceLoop& loop, Drawing& to) : loop_(loop), p_(picture_of(loop)), to_(to) {
    int label = width("epoch");
    for (const Picture::Row& row : p_.rows) label = std::max(label, width(row.label));
    edges_.push_back(margin + label);
    for (int c = 0; c < p_.steps * p_.epochs; ++c) {
      int widest = width(step_name(p_.steps));
      for (const Picture::Row& row : p_.rows)
        for (const Picture::Mark& mark : row.cells[c]) widest = std::max(widest, width(mark.text));
      edges_.push_back(edges_.back() + widest + pad);
    }
  }

  void draw(const std::string& kernel) {
    int y = to_.bottom() + line;
    to_.text(margin, y, "head", kernel);
    to_.text(margin, y + line, "note", loop_text(loop_));
    y += 2 * line + pad;
    int top = y - line / 2;
    heads(y);
    y += 2 * line - pad;
    for (const Picture::Row& row : p_.rows) y = row_at(row, y);
    for (std::size_t c = 0; c < edges_.size(); ++c) to_.bar(edges_[c], top, y, "barrier");
    legend(y + line);
  }

 private:
  static std::string step_name(int step) {
    return step == 0 ? "step i" : fmt::format("step i+{}", step);
  }

  void heads(int y) {
    for (int c = 0; c < p_.steps * p_.epochs; ++c) {
      int x = edges_[c] + pad;
      if (c % p_.epochs == 0) to_.text(x, y, "head", step_name(c / p_.epochs));
      to_.text(x, y + line - 4, "note", std::to_string(c % p_.epochs + 1));
    }
    to_.text(margin, y + line - 4, "note", "epoch");
  }

  /// Draws the row, as high as its fullest cell; where the next one begins.
  int row_at(const Picture::Row& row, int y) {
    std::size_t most = 1;
    for (const auto& cell : row.cells) most = std::max(most, cell.size());
    int high = static_cast<int>(most) * line;
    to_.rect(edges_[0], y, edges_.back() - edges_[0], high, "lane");
    to_.text(margin, y + line - 7, "head", row.label);
    for (std::size_t c = 0; c < row.cells.size(); ++c)
      for (std::size_t m = 0; m < row.cells[c].size(); ++m) {
        const Picture::Mark& mark = row.cells[c][m];
        int at = y + static_cast<int>(m) * line, wide = edges_[c + 1] - edges_[c] - pad;
        to_.rect(edges_[c] + pad / 2, at + 2, wide, line - 4, style_of(mark.kind));
        to_.text(edges_[c] + pad, at + line - 7, "mark", mark.text);
      }
    return y + high + 4;
  }

  void legend(int y) {
    to_.text(margin, y, "note",
             "red line: a barrier; epoch n begins at barrier n of its step; +n: data of the n-th "
             "step after");
  }

  const CadenceLoop& loop_;
  Picture p_;
  Drawing& to_;
  std::vector<int> edges_;  ///< where columns begin, and where the last one ends
};

}  // namespace

std::string cadence_svg(const Cadence& c) {
  Drawing drawing;
  for (const CadenceLoop& loop : c.loops) LoopDrawing(loop, drawing).draw(c.kernel);
  if (c.loops.empty())
    drawing.text(margin, 2 * margin, "head", c.kernel + ": no loop with a barrier in every step");
  return drawing.document("Barrier cadence of " + c.kernel);
}

}  // namespace barline::verify
