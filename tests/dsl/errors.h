// SPDX-License-Identifier: Apache-2.0
// What a refused kernel must say: the code, words of the message, and the author's line.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "dsl/dsl.h"
#include "ir/diagnostic.h"

namespace barline::test {

/// Runs `act`, which must throw ir::Error of this code, at this line of the test file.
inline void expect_error(ir::Diag diag, const std::string& words, int line, const char* file,
                         const std::function<void()>& act) {
  try {
    act();
  } catch (const ir::Error& e) {
    const ir::Diagnostic& d = e.diagnostic();
    INFO(e.what());
    CHECK(ir::code(d.diag) == ir::code(diag));
    CHECK(d.message.find(words) != std::string::npos);
    CHECK(d.loc.line == static_cast<std::uint32_t>(line));
    CHECK(d.loc.file == file);
    CHECK_FALSE(d.fix.empty());
    return;
  }
  FAIL("no error; expected " << ir::code(diag) << ": " << words);
}

/// A kernel of one block-shaped launch over y[n], built with `body`.
inline ir::Kernel build(std::vector<std::int32_t> threads,
                        const std::function<void(dsl::Thread&, const dsl::Tensor&)>& body) {
  dsl::Axis n{"n"};
  dsl::InOut y{"y", dsl::f32, {n}};
  auto source = dsl::kernel("k", {y}, {.threads = std::move(threads), .grid = {dsl::Blocks(n, 64)}},
                            [=](dsl::Thread& t) { body(t, y); });
  return dsl::instantiate(source, {});
}

}  // namespace barline::test

/// The expression after `diag, words` is refused; it stands at this line.
#define EXPECT_ERROR(diag, words, ...)                                            \
  barline::test::expect_error(barline::ir::Diag::diag, words, __LINE__, __FILE__, \
                              [&] { __VA_ARGS__; })
