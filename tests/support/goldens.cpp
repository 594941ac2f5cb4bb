// SPDX-License-Identifier: Apache-2.0
#include "tests/support/goldens.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace barline::test {
namespace {

bool updating() {
  const char* flag = std::getenv("BARLINE_UPDATE_GOLDENS");
  return flag && std::string(flag) == "1";
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string golden_difference(const std::string& path, const std::string& text) {
  if (updating()) {
    std::ofstream(path, std::ios::binary) << text;
    return "";
  }
  std::string want;
  try {
    want = read_file(path);
  } catch (const std::runtime_error& e) {
    return fmt::format("{}; run with BARLINE_UPDATE_GOLDENS=1 to write it:\n{}", e.what(), text);
  }
  if (want == text) return "";
  auto at = std::mismatch(want.begin(), want.end(), text.begin(), text.end());
  std::size_t line = std::count(want.begin(), at.first, '\n') + 1;
  std::size_t from = want.rfind('\n', at.first - want.begin());
  from = from == std::string::npos ? 0 : from + 1;
  return fmt::format(
      "{}:{}: the golden says\n{}\nand now it is\n{}\n(BARLINE_UPDATE_GOLDENS=1 "
      "accepts the new text)",
      path, line, want.substr(from), text.substr(std::min(from, text.size())));
}

}  // namespace barline::test
