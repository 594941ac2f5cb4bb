// SPDX-License-Identifier: Apache-2.0
#include "tools/explain_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "tools/explain_lines.h"
#include "tools/explain_page_assets.h"
#include "tools/explanation_sections.h"
#include "tools/file.h"
#include "verify/cadence/render.h"
#include "verify/markup.h"

namespace barline::tools {
namespace {

namespace fs = std::filesystem;
using verify::markup;

std::string html_block(std::string_view text) { return "<pre>" + markup(text) + "</pre>\n"; }

constexpr std::size_t most_bytes = std::size_t{4} << 20;  ///< of a source file

/// Lines of a file that ops come from.
using Places = std::map<std::string, std::set<int>>;

std::string place_id(const std::string& file, int line) { return fmt::format("{}:{}", file, line); }

std::vector<std::vector<IrLine>> lines_of(const Explanation& e) {
  std::vector<std::vector<IrLine>> stages;
  std::string_view before;
  for (const Explanation::Stage& s : e.stages) {
    stages.push_back(ir_lines(before, s.located));
    before = s.located;
  }
  return stages;
}

Places places_of(const std::vector<std::vector<IrLine>>& stages) {
  Places out;
  for (const auto& stage : stages)
    for (const IrLine& line : stage)
      if (!line.file.empty()) out[line.file].insert(line.line);
  return out;
}

std::optional<std::string> find_source(const std::string& file,
                                       const std::vector<fs::path>& folders) {
  for (const fs::path& folder : folders) {
    std::error_code error;
    const fs::path path = folder / file;  // an absolute one stays as it is
    if (fs::is_regular_file(path, error)) return read_file(path.string(), most_bytes);
  }
  return std::nullopt;
}

std::string source_html(const std::string& file, const std::set<int>& used,
                        const std::vector<fs::path>& folders) {
  std::string out = fmt::format("<h3>{}</h3>\n", markup(file));
  const auto text = find_source(file, folders);
  if (!text) return out + "<p class=\"missing\">This file is not here.</p>\n";
  out += "<div class=\"lines\">";
  int number = 0;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    const std::string id = used.contains(++number)
                               ? fmt::format(" data-at=\"{}\"", markup(place_id(file, number)))
                               : std::string();
    out += fmt::format("<div{}><i>{}</i>{}</div>", id, number, markup(text->substr(at, end - at)));
    at = end + 1;
  }
  return out + "</div>\n";
}

std::string stage_html(const std::string& pass, const std::vector<IrLine>& lines) {
  std::string out = fmt::format("<div class=\"stage lines\" data-pass=\"{}\">", markup(pass));
  for (const IrLine& line : lines) {
    const char* kind = line.mark == '+' ? "new" : line.mark == '-' ? "gone" : "same";
    const std::string id =
        line.file.empty() ? std::string()
                          : fmt::format(" data-at=\"{}\"", markup(place_id(line.file, line.line)));
    out += fmt::format("<div class=\"{}\"{}>{}</div>", kind, id, markup(line.text));
  }
  return out + "</div>\n";
}

long changes_in(const std::vector<IrLine>& lines) {
  return std::count_if(lines.begin(), lines.end(), [](const IrLine& l) { return l.mark != ' '; });
}

std::string ir_tab(const Explanation& e, const std::vector<fs::path>& folders) {
  const auto stages = lines_of(e);
  std::string buttons, shown, sources;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const std::string& pass = e.stages[i].pass;
    buttons += fmt::format("<button data-pass=\"{0}\">{0} <small>{1}</small></button>\n",
                           markup(pass), changes_in(stages[i]));
    shown += stage_html(pass, stages[i]);
  }
  // The kernel's own file before those of the library that it is written with.
  for (bool own : {true, false})
    for (const auto& [file, used] : places_of(stages))
      if ((file == e.file) == own) sources += source_html(file, used, folders);
  return fmt::format(
      "<div class=\"passes\">{}<button id=\"only\" aria-pressed=\"false\">changed lines only"
      "</button></div>\n<div class=\"pair\"><div class=\"scroll\" id=\"source\">{}</div>"
      "<div class=\"scroll\" id=\"ir\">{}</div></div>\n",
      buttons, sources, shown);
}

std::string resources_row(const Explanation::OnTarget& on) {
  const verify::ResourceRow& r = on.result.row;
  if (!r.error.empty())
    return fmt::format("<tr><td>{}</td><td colspan=\"7\">{}</td></tr>\n", r.target,
                       markup(r.error));
  std::string occupancy = "<td></td><td></td><td></td>";
  if (on.occupancy)
    occupancy =
        fmt::format("<td>{}</td><td>{:.0f}%</td><td>{}</td>", on.occupancy->blocks_per_sm,
                    100 * on.occupancy->fraction, codegen::limiter_name(on.occupancy->limiter));
  return fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>{}</tr>\n",
                     r.target, r.registers, r.spills(), r.smem, r.barriers, occupancy);
}

std::string resources_tab(const Explanation& e) {
  if (e.targets.empty()) return "<p>No ptxas: nothing was assembled.</p>\n";
  std::string rows;
  for (const Explanation::OnTarget& on : e.targets) rows += resources_row(on);
  return "<table><tr><th>target</th><th>registers</th><th>spills, bytes</th><th>shared, bytes</th>"
         "<th>barriers</th><th>blocks an SM</th><th>occupancy</th><th>limited by</th></tr>\n" +
         rows + "</table>\n";
}

std::string cadence_tab(const Explanation& e) {
  std::string out = "<h2>Barriers</h2>\n" + html_block(barriers_text(e));
  if (e.cadence.loops.empty()) return out;
  return out + "<h2>Timeline</h2>\n" + verify::cadence_svg(e.cadence) + "\n<h2>Steps</h2>\n" +
         html_block(verify::cadence_text(e.cadence, e.needs));
}

std::string proof_tab(const Explanation& e) {
  return fmt::format("<h2>{}</h2>\n", name(e.proof.verdict)) + html_block(proof_text(e)) +
         "<h2>Memory accesses of one block, at the small shape of kernels.yaml</h2>\n" +
         html_block(costs_text(e));
}

}  // namespace

std::string to_html(const Explanation& e, const std::vector<fs::path>& folders) {
  struct Tab {
    const char* name;
    std::string content;
  };
  const Tab tabs[] = {{"IR", ir_tab(e, folders)}, {"Cadence", cadence_tab(e)},
                      {"Proof", proof_tab(e)},    {"Resources", resources_tab(e)},
                      {"PTX", html_block(e.ptx)}, {"LLVM", html_block(e.llvm)}};
  std::string buttons, parts;
  for (const Tab& tab : tabs) {
    buttons += fmt::format("<button data-tab=\"{0}\">{0}</button>\n", tab.name);
    parts += fmt::format("<section class=\"tab\" data-tab=\"{}\">\n{}</section>\n", tab.name,
                         tab.content);
  }
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{0}</title>\n"
      "<style>{2}</style>\n</head>\n<body>\n<header><h1>{0} for "
      "{1}</h1><details><summary>schedule</summary>{3}</details></header>\n"
      "<nav>{4}</nav>\n<main>\n{5}</main>\n<script>{6}</script>\n</body>\n</html>\n",
      markup(e.config), e.target, explain_style, markup(e.schedule), buttons, parts,
      explain_script);
}

}  // namespace barline::tools
