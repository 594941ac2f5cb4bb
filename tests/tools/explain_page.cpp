// SPDX-License-Identifier: Apache-2.0
// The page of explain: complete in itself, true to its data, and alive in a browser.
#include "tools/explain_page.h"

#include <catch2/catch.hpp>
#include <cstdio>
#include <regex>

#include "tests/tools/cli.h"

using namespace barline;
using namespace barline::test;

namespace {

/// Two stages of a kernel whose source is `file`.
tools::Explanation small(const std::string& file) {
  const std::string place = " @ \"" + file + "\":2:3\n";
  tools::Explanation e;
  e.config = "k<1>.f32@s";
  e.target = "sm_90a";
  e.schedule = "threads=32";
  e.file = file;
  e.stages = {{"input", "", "%0 = cmp %a, %b {pred = lt}" + place},
              {"place_syncs", "", "%0 = cmp %a, %b {pred = lt}" + place + "barrier" + place}};
  e.ptx = "setp.lt.f32 %p, a, b; // <&>\n";
  e.llvm = "fcmp olt\n";
  return e;
}

int count(const std::string& text, const std::string& of) {
  int n = 0;
  for (std::size_t at = text.find(of); at != text.npos; at = text.find(of, at + 1)) ++n;
  return n;
}

/// Runs Debian's Chromium without a window; empty where there is none.
std::string browser(const std::string& words) {
  const std::string line =
      "timeout 60 chromium --headless --no-sandbox --disable-gpu "
      "--disable-dev-shm-usage --window-size=1200,800 " +
      words + " 2>/dev/null";
  std::string out;
  FILE* pipe = ::popen(line.c_str(), "r");
  for (int c; pipe && (c = std::fgetc(pipe)) != EOF;) out += static_cast<char>(c);
  if (pipe) ::pclose(pipe);
  return out;
}

bool has_browser() {
  if (std::system("command -v chromium >/dev/null 2>&1") == 0) return true;
  std::puts("SKIP: no browser (install Debian's chromium to open the page)");
  return false;
}

}  // namespace

TEST_CASE("the page says what changed, where it comes from, and needs nothing else") {
  Cli cli;
  cli.file("k.cpp", "// one\nauto less = a < b;\n");
  const std::string page = tools::to_html(small("k.cpp"), {cli.path("")});
  CHECK(has(page, "k&lt;1&gt;.f32@s for sm_90a"));
  CHECK(has(page, "<div data-at=\"k.cpp:2\"><i>2</i>auto less = a &lt; b;</div>"));
  CHECK(has(page, "<div class=\"new\" data-at=\"k.cpp:2\">barrier</div>"));
  CHECK(has(page, "place_syncs <small>1</small>"));
  CHECK(has(page, "// &lt;&amp;&gt;"));
  CHECK(has(page, "No ptxas"));
  CHECK_FALSE(std::regex_search(page, std::regex("(src|href)=|url\\(|@import|fetch\\(")));
}

TEST_CASE("a source that is not here is said to be missing") {
  const std::string page = tools::to_html(small("gone/k.cpp"), {"/nowhere"});
  CHECK(has(page, "<h3>gone/k.cpp</h3>\n<p class=\"missing\">This file is not here.</p>"));
}

TEST_CASE("a browser opens the page at a pass and lights up nothing by itself") {
  if (!has_browser()) return;
  Cli cli;
  cli.file("k.cpp", "// one\nauto less = a < b;\n");
  const std::string page = cli.file("page.html", tools::to_html(small("k.cpp"), {cli.path("")}));
  const std::string dom = browser("--dump-dom 'file://" + page + "#place_syncs'");
  CHECK(has(dom, "data-ready=\"2\""));
  CHECK(has(dom, "data-pass=\"place_syncs\" aria-pressed=\"true\""));
  CHECK(has(dom, "data-pass=\"input\" aria-pressed=\"false\""));
  CHECK(has(dom, "<div class=\"stage lines shown\" data-pass=\"place_syncs\""));
  CHECK(count(dom, "class=\"tab shown\"") == 1);
  CHECK(count(dom, "lit") == count(tools::to_html(small("k.cpp"), {cli.path("")}), "lit"));
}

TEST_CASE("explain --html of a kernel is a page that a browser draws") {
  Cli cli;
  Ran r = cli.run("explain rms_norm.f32@row256 --html page.html");
  INFO(r.err);
  REQUIRE((r.code == 0 || r.code == 3));
  CHECK(r.out == "");
  const std::string page = slurp(cli.path("page.html"));
  for (const char* part : {"data-pass=\"input\"", "data-pass=\"place_syncs\"", "rms_norm.cpp",
                           "data-tab=\"PTX\"", ".visible .entry"})
    CHECK(has(page, part));
  if (!has_browser()) return;
  browser("--screenshot=" + cli.path("page.png") + " file://" + cli.path("page.html"));
  const std::string png = slurp(cli.path("page.png"));
  CHECK(png.substr(1, 3) == "PNG");
  CHECK(png.size() > 40000);  // an empty page of this size takes less than 10 000 bytes
}

TEST_CASE("a page that cannot be put there is refused before any work") {
  Cli cli;
  Ran r = cli.run("explain rms_norm.f32@row256 --html no/such/page.html");
  CHECK(r.code == 2);
  CHECK(r.out == "");
  CHECK(has(r.err, "no/such"));
}
