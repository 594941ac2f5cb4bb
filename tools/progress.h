// SPDX-License-Identifier: Apache-2.0
// One line on a terminal's stderr that says how far a long command has come; nothing elsewhere.
#pragma once

#include <mutex>
#include <string>

#include "tools/context.h"

namespace barline::tools {

class Progress {
 public:
  Progress(const Context& context, std::string verb, std::size_t total);
  ~Progress();  ///< wipes the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// One more is done; `what` it was. From any thread.
  void step(const std::string& what);

 private:
  bool on_;
  std::string verb_;
  std::size_t total_, done_ = 0;
  std::mutex mutex_;
};

}  // namespace barline::tools
