// SPDX-License-Identifier: Apache-2.0
// The table of one target, and its line of text.
#include "codegen/sass/calibration.h"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

namespace barline::codegen {
namespace {

constexpr std::string_view names[] = {
#define SASS(name, doc) #name,
#include "codegen/sass/sass.def"
#undef SASS
};

[[noreturn]] void refuse(std::string_view word) {
  throw std::invalid_argument(
      fmt::format("'{}' is not an entry of a calibration: it reads Name=<hex, below 200>", word));
}

std::string_view next_word(std::string_view& text) {
  std::size_t end = std::min(text.find(' '), text.size());
  std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

void read_entry(std::string_view word, Calibration& out) {
  std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) refuse(word);
  std::string_view digits = word.substr(equals + 1);
  unsigned operation = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), operation, 16);
  if (error != std::errc() || end != digits.data() + digits.size() || operation > 511) refuse(word);
  for (int i = 1; i < sass_op_count; ++i)
    if (names[i] == word.substr(0, equals))
      return out.set(static_cast<std::uint16_t>(operation), static_cast<SassOp>(i));
  refuse(word);
}

}  // namespace

std::string_view sass_op_name(SassOp op) { return names[static_cast<int>(op)]; }

void Calibration::set(std::uint16_t opcode, SassOp op) {
  ops_[opcode & 511] = op;
  known_.set(static_cast<std::size_t>(op));
}

std::string Calibration::text() const {
  std::string out = target_;
  for (int i = 0; i < 512; ++i)
    if (ops_[i] != SassOp::Other) out += fmt::format(" {}={:03x}", sass_op_name(ops_[i]), i);
  return out;
}

Calibration Calibration::from_text(std::string_view text) {
  Calibration out{std::string(next_word(text))};
  while (!text.empty()) read_entry(next_word(text), out);
  return out;
}

}  // namespace barline::codegen
