// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <cctype>
#include <charconv>

#include "ir/lexer_p.h"

namespace barline::ir {
namespace {

bool word_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
}

}  // namespace

Lexer::Lexer(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {
  advance();
}

char Lexer::bump() {
  char c = text_[pos_++];
  if (c == '\n') {
    ++line_;
    column_ = 1;
  } else {
    ++column_;
  }
  return c;
}

void Lexer::skip_space() {
  while (pos_ < text_.size()) {
    if (std::isspace(static_cast<unsigned char>(at()))) {
      bump();
    } else if (at() == '/' && at(1) == '/') {
      while (pos_ < text_.size() && at() != '\n') bump();
    } else {
      return;
    }
  }
}

Token Lexer::scan() {
  skip_space();
  Token t{TokenKind::End, {}, Loc{file_, line_, column_}};
  if (pos_ >= text_.size()) return t;
  char c = at();
  if (c == '"') {
    bump();
    t.kind = TokenKind::String;
    while (pos_ < text_.size() && at() != '"') {
      char s = bump();
      if (s == '\\' && pos_ < text_.size()) {
        s = bump();
        if (s == 'n') s = '\n';
      }
      t.text += s;
    }
    if (pos_ >= text_.size())
      fail(Diag::BadSyntax, t.loc, "a string without an end", "close it with \"");
    bump();
    return t;
  }
  bool sigil = (c == '%' || c == '@') && word_char(at(1));
  bool negative = c == '-' && std::isdigit(static_cast<unsigned char>(at(1)));
  if (!sigil && !negative && !word_char(c)) {
    t.kind = TokenKind::Punct;
    t.text = bump();
    return t;
  }
  t.kind = c == '%'                                                  ? TokenKind::Value
           : c == '@'                                                ? TokenKind::At
           : negative || std::isdigit(static_cast<unsigned char>(c)) ? TokenKind::Number
                                                                     : TokenKind::Word;
  if (sigil) bump();
  if (negative) t.text += bump();
  while (pos_ < text_.size() && word_char(at())) {
    t.text += bump();
    bool exponent =
        t.kind == TokenKind::Number && t.text.back() == 'e' && !t.text.starts_with("0x");
    if (exponent && (at() == '-' || at() == '+')) t.text += bump();
  }
  return t;
}

void Lexer::advance() { next_ = scan(); }

Token Lexer::take() {
  Token t = std::move(next_);
  taken_ = t.loc;
  advance();
  return t;
}

bool Lexer::is(std::string_view text) const {
  return (next_.kind == TokenKind::Word || next_.kind == TokenKind::Punct) && next_.text == text;
}

bool Lexer::accept(std::string_view text) {
  if (!is(text)) return false;
  take();
  return true;
}

void Lexer::expect(std::string_view text) {
  if (!accept(text)) error(found(), fmt::format("write '{}' here", text));
}

std::string Lexer::expect(TokenKind kind, std::string_view what) {
  require(kind, what);
  return take().text;
}

void Lexer::require(TokenKind kind, std::string_view what) const {
  if (next_.kind != kind) error(found(), fmt::format("write {} here", what));
}

std::string Lexer::found() const {
  return next_.kind == TokenKind::End ? "the text ends" : fmt::format("found '{}'", next_.text);
}

std::int64_t Lexer::expect_int(std::string_view what) {
  std::string text = expect(TokenKind::Number, what);
  std::int64_t value = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size())
    error_at_taken(fmt::format("'{}' is no 64-bit integer", text),
                   fmt::format("write {} as a decimal integer", what));
  return value;
}

std::int64_t Lexer::expect_int(std::string_view what, std::int64_t low, std::int64_t high) {
  std::int64_t value = expect_int(what);
  if (value < low || value > high)
    error_at_taken(fmt::format("{} as {}", value, what),
                   fmt::format("write a number from {} to {}", low, high));
  return value;
}

void Lexer::error(std::string message, std::string fix) const {
  fail(Diag::BadSyntax, next_.loc, std::move(message), std::move(fix));
}

void Lexer::error_at_taken(std::string message, std::string fix) const {
  fail(Diag::BadSyntax, taken_, std::move(message), std::move(fix));
}

}  // namespace barline::ir
