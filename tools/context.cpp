// SPDX-License-Identifier: Apache-2.0
#include "tools/context.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>

#include "tools/error.h"

namespace barline::tools {

int Context::threads() const {
  return jobs > 0 ? jobs : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void Context::say(std::string_view text) const {
  if (!quiet) fmt::print(stderr, "{}\n", text);
}

void Context::note(std::string_view text) const {
  if (verbose) fmt::print(stderr, "{}\n", text);
}

void Context::warn(std::string_view text) const {
  if (quiet) return;
  fmt::print(stderr, "{}warning:{} {}\n", color ? "\033[33m" : "", color ? "\033[0m" : "", text);
}

void print_json(std::string_view command, const nlohmann::ordered_json& data) {
  nlohmann::ordered_json out = {{"schema", fmt::format("barline.{}/1", command)}};
  out.update(data);
  // A path or a message may hold bytes that are no UTF-8; they are replaced and never fatal.
  print_out(out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void print_out(std::string_view text) {
  bool good = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!good || std::fflush(stdout) != 0) {
    throw IoError(fmt::format("cannot write to stdout: {}", std::strerror(errno)));
  }
}

}  // namespace barline::tools
