// SPDX-License-Identifier: Apache-2.0
// Tokens of the textual IR: words, numbers, %values, @names, strings, punctuation; // comments.
#pragma once

#include <string>
#include <string_view>

#include "ir/diagnostic.h"

namespace barline::ir {

enum class TokenKind { Word, Number, Value, At, String, Punct, End };

struct Token {
  TokenKind kind = TokenKind::End;
  std::string text;  ///< without sigil or quotes
  Loc loc;
};

class Lexer {
 public:
  Lexer(std::string_view text, std::string file);

  const Token& peek() const { return next_; }
  Token take();
  const Loc& taken() const { return taken_; }  ///< where the token before the next one stands
  bool is(std::string_view text) const;
  /// Takes the token if it is this word or punctuation.
  bool accept(std::string_view text);
  void expect(std::string_view text);
  std::string expect(TokenKind kind, std::string_view what);
  /// Refuses the next token unless it is of this kind.
  void require(TokenKind kind, std::string_view what) const;
  std::int64_t expect_int(std::string_view what);
  /// An integer in low .. high.
  std::int64_t expect_int(std::string_view what, std::int64_t low, std::int64_t high);
  /// Refuses the token that comes next, or (error_at_taken) the one that was taken last.
  [[noreturn]] void error(std::string message, std::string fix) const;
  [[noreturn]] void error_at_taken(std::string message, std::string fix) const;

 private:
  std::string found() const;
  void advance();
  void skip_space();
  Token scan();
  char at(std::size_t ahead = 0) const {
    return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0';
  }
  char bump();

  std::string_view text_;
  std::string file_;
  std::size_t pos_ = 0;
  std::uint32_t line_ = 1, column_ = 1;
  Token next_;
  Loc taken_;  ///< of the token before it
};

}  // namespace barline::ir
