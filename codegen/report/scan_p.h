// SPDX-License-Identifier: Apache-2.0
// A cursor over one line of text: each step either reads what it is asked for or leaves the cursor.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

namespace barline::codegen {

class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }
  bool done() const { return rest_.empty(); }

  void spaces() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t'))
      rest_.remove_prefix(1);
  }

  bool eat(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  /// A decimal that fits an int, after spaces.
  bool number(int& out) {
    Scan saved = *this;
    spaces();
    auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
    if (error != std::errc() || out < 0) {
      *this = saved;
      return false;
    }
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }

  /// A decimal with a fraction, after spaces.
  bool real(double& out) {
    spaces();
    auto [end, error] =
        std::from_chars(rest_.data(), rest_.data() + rest_.size(), out, std::chars_format::fixed);
    if (error != std::errc()) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }

  /// A name in single quotes.
  bool quoted(std::string& out) {
    if (rest_.empty() || rest_.front() != '\'') return false;
    std::size_t end = rest_.find('\'', 1);
    if (end == std::string_view::npos) return false;
    out = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return true;
  }

  /// A run of characters up to space, colon, comma or the end.
  bool word(std::string& out) {
    std::size_t end = std::min(rest_.find_first_of(" :,"), rest_.size());
    if (end == 0) return false;
    out = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return true;
  }

 private:
  std::string_view rest_;
};

}  // namespace barline::codegen
