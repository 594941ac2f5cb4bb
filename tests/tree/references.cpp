// SPDX-License-Identifier: Apache-2.0
// docs/ops.md and docs/diagnostics.md are what the tables say.
#include <catch2/catch.hpp>
#include <cstdio>
#include <regex>

#include "ir/diagnostic.h"
#include "ir/op.h"
#include "runtime/regions/layout.h"
#include "tests/tree/sources.h"

using namespace barline;
using namespace barline::test;

namespace {

constexpr int key_count = 0
#define ATTR(...) +1
#include "ir/attrs.def"
    ;

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

void join(std::string& out, std::string_view item, std::string_view by) {
  if (!out.empty()) out += by;
  out += item;
}

std::string classes(std::uint8_t bits) {
  using namespace ir::op_spelling;
  if (bits == Any) return "any";
  std::string out;
  if ((bits & Num) == Num) return (bits & ir::Bool) ? "number, i1" : "number";
  if ((bits & Int) == Int) join(out, "integer", ", ");
  if ((bits & Int) == ir::Signed) join(out, "signed", ", ");
  if ((bits & Int) == ir::Unsigned) join(out, "unsigned", ", ");
  if (bits & ir::Float) join(out, "float", ", ");
  if (bits & ir::Bool) join(out, "i1", ", ");
  if (bits & ir::ElemClass::Storage) join(out, "storage", ", ");
  return out;
}

std::string shape(ir::Shape s) {
  switch (s) {
    case ir::Shape::Vector: return " vector";
    case ir::Shape::ScalarOrVector: return " scalar or vector";
    case ir::Shape::Pointer: return " pointer";
    case ir::Shape::Tile: return " tile";
    default: return "";
  }
}

/// "`a` float" or "`b` as a".
std::string spec(const ir::OpDef& op, const ir::Spec& s, bool variadic) {
  std::string out = code(s.name) + (variadic ? "..." : "") + " ";
  if (s.same_as >= 0)
    out += "as " + code(op.in[s.same_as].name);
  else
    out += classes(s.classes) + shape(s.shape);
  return out + (s.optional ? ", optional" : "");
}

std::string operands(const ir::OpDef& op) {
  std::string out;
  for (int i = 0; i < op.in_count(); ++i)
    join(out, spec(op, op.in[i], op.has(ir::VariadicIn) && i + 1 == op.in_count()), "; ");
  return out;
}

std::string attributes(const ir::OpDef& op) {
  std::string out;
  for (ir::Key key : op.attrs)
    if (key != ir::OpDef::no_key) join(out, code(ir::info(key).name), ", ");
  return out;
}

std::string traits(const ir::OpDef& op) {
  const std::pair<ir::Trait, const char*> names[] = {{ir::Pure, "pure"},
                                                     {ir::Elementwise, "elementwise"},
                                                     {ir::Convergent, "convergent"},
                                                     {ir::WholeWarps, "whole warps"},
                                                     {ir::Reads, "reads"},
                                                     {ir::Writes, "writes"},
                                                     {ir::Syncs, "syncs"},
                                                     {ir::Fences, "fences"},
                                                     {ir::UsesScratch, "scratch"},
                                                     {ir::Approx, "approximate"},
                                                     {ir::TileLevel, "tile level"},
                                                     {ir::ReductionLevel, "reduction level"},
                                                     {ir::MeetingLevel, "meeting level"},
                                                     {ir::RegionLevel, "region level"},
                                                     {ir::Control, "control"},
                                                     {ir::Terminator, "terminator"},
                                                     {ir::Debug, "debug"}};
  std::string out;
  for (auto [bit, name] : names)
    if (op.has(bit)) join(out, name, ", ");
  if (op.regions)
    join(out, std::to_string(op.regions) + (op.regions > 1 ? " regions" : " region"), ", ");
  return out;
}

/// Text inside a Markdown table cell.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|' || c == '*') out += '\\';
    out += c;
  }
  return out;
}

std::string ops_reference() {
  std::string out =
      "# Operations\n\n"
      "Written from `ir/ops.def` by `scripts/update_docs`; a test compares the two.\n\n"
      "*number*: integers and floats. *storage*: `e4m3`, `e5m2`, `e2m1`, `s4`, `u4`, which are "
      "loaded, stored and cast. An operand without a shape is a scalar; for *elementwise* "
      "operations a scalar or a tile. *As* `a`: the element type of `a`.\n\n"
      "| operation | operands | result | attributes | traits | meaning "
      "|\n|---|---|---|---|---|---|\n";
  for (int i = 0; i < ir::op_count; ++i) {
    const ir::OpDef& op = ir::def(static_cast<ir::Op>(i));
    std::string result = op.out_count() ? spec(op, op.out[0], op.has(ir::VariadicOut)) : "";
    out += "| " + code(op.mnemonic) + " | " + cell(operands(op)) + " | " + result + " | " +
           attributes(op) + " | " + traits(op) + " | " + cell(op.doc) + " |\n";
  }
  out += "\n## Attributes with spellings\n\n| attribute | spellings |\n|---|---|\n";
  for (int k = 1; k <= key_count; ++k) {
    const ir::AttrInfo& info = ir::info(static_cast<ir::Key>(k));
    std::string words;
    for (std::string_view w : ir::spellings(info.kind)) join(words, code(w), ", ");
    if (!words.empty()) out += "| " + code(info.name) + " | " + words + " |\n";
  }
  return out;
}

std::string diagnostics_reference() {
  std::string out =
      "# Diagnostics\n\n"
      "Written from `ir/diagnostics.def` by `scripts/update_docs`; a test compares the two. Each "
      "names the source line, what was found there, the rule and the fix.\n\n"
      "| code | rule |\n|---|---|\n";
  for (int i = 0; i < ir::diag_count; ++i) {
    auto d = static_cast<ir::Diag>(i);
    out += "| " + code(ir::code(d)) + " | " + cell(ir::rule(d)) + " |\n";
  }
  return out;
}

/// A table of rows between the marks of that name.
template <class Rows>
void fill_marks(std::string& text, const std::string& mark, const Rows& tables) {
  std::string body = "<!-- " + mark + " -->\n| name | |\n|---|---|\n";
  for (const auto& rows : tables)
    for (const regions::Row& row : rows)
      body += "| " + code(row.name) + " | " + cell(row.doc) + " |\n";
  const auto from = text.find("<!-- " + mark + " -->"), to = text.find("<!-- /" + mark + " -->");
  REQUIRE(to != text.npos);
  text.replace(from, to - from, body);
}

std::string regions_reference() {
  using Rows = std::span<const regions::Row>;
  std::string text = slurp(root() / "docs/regions.md");
  fill_marks(text, "classes", std::vector<Rows>{regions::classes});
  fill_marks(text, "fields", std::vector<Rows>{regions::block_fields, regions::region_fields});
  return text;
}

std::string output_of(const std::string& words) {
  std::string line = "NO_COLOR=1 " BARLINE_BINARY_DIR "/bin/barline " + words, out;
  FILE* pipe = popen(line.c_str(), "r");
  REQUIRE(pipe);
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) out += static_cast<char>(c);
  REQUIRE(pclose(pipe) == 0);
  return out;
}

/// Names of the subcommands: the indented words under "Subcommands:".
std::vector<std::string> subcommands(const std::string& help) {
  std::vector<std::string> out;
  bool inside = false;
  for (const std::string& line : split_lines(help)) {
    if (line.rfind("  ", 0) == 0 && inside && line[2] != ' ')
      out.push_back(line.substr(2, line.find(' ', 2) - 2));
    else if (line == "Subcommands:" || line.empty())
      inside = line == "Subcommands:";
  }
  return out;
}

std::string commands_reference() {
  std::string help = output_of("--help");
  std::string out =
      "# Commands\n\n"
      "Written from the program's own help by `scripts/update_docs`; a test compares the two.\n\n"
      "stdout is data, stderr is messages; `--json` prints one JSON object with a `schema`. Exit "
      "codes: 0 ok; 1 a gate, proof, comparison or launch failed; 2 usage, or a named input "
      "missing "
      "or malformed; 3 a needed tool or device is missing; 4 internal error; 5 a failing read or "
      "write. Several at once: 4, 5, 3, 2, 1.\n\n```text\n" +
      help + "```\n";
  for (const std::string& name : subcommands(help)) {
    std::string own = output_of(name + " --help");
    out += "\n## " + name + "\n\n```text\n" + own + "```\n";
    for (const std::string& below : subcommands(own))
      out += "\n### " + name + " " + below + "\n\n```text\n" +
             output_of(name + " " + below + " --help") + "```\n";
  }
  return out;
}

}  // namespace

TEST_CASE("the command reference is what the program says") {
  CHECK(differs("docs/commands.md", commands_reference()) == "");
}

TEST_CASE("the op reference is what ops.def says") {
  CHECK(differs("docs/ops.md", ops_reference()) == "");
}

TEST_CASE("the diagnostics reference is what diagnostics.def says") {
  CHECK(differs("docs/diagnostics.md", diagnostics_reference()) == "");
}

TEST_CASE("the fields and classes of regions are what their tables say") {
  CHECK(differs("docs/regions.md", regions_reference()) == "");
}

TEST_CASE("every op and every diagnostic is documented") {
  for (int i = 0; i < ir::op_count; ++i) {
    CAPTURE(ir::def(static_cast<ir::Op>(i)).mnemonic);
    CHECK(ir::def(static_cast<ir::Op>(i)).doc.size() > 4);
  }
  for (int i = 0; i < ir::diag_count; ++i) CHECK(ir::rule(static_cast<ir::Diag>(i)).size() > 10);
}

TEST_CASE("the README shows the first kernel as it is compiled") {
  std::string readme = slurp(root() / "README.md");
  CHECK(readme.find("```cpp\n" + slurp(root() / "examples/first_kernel/l2_norm.cpp") + "```") !=
        readme.npos);
}

TEST_CASE("links in the documents lead somewhere") {
  static const std::regex link(R"(\]\(([^)#: ]+)\))");
  for (const char* document : {"README.md", "DESIGN.md", "CONTRIBUTING.md"}) {
    std::string text = slurp(root() / document);
    CHECK(text.size() > 1000);
    for (std::sregex_iterator at(text.begin(), text.end(), link), end; at != end; ++at) {
      CAPTURE(document, (*at)[1].str());
      CHECK(fs::exists(root() / (*at)[1].str()));
    }
  }
}
