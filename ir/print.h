// SPDX-License-Identifier: Apache-2.0
// Text out: the canonical text of a kernel (grammar: docs/bir.md). parse(print(k)) == k.
#pragma once

#include <string>

#include "ir/kernel.h"

namespace barline::ir {

struct PrintOptions {
  bool locations = false;  ///< append `@ "file":line:column` to every op
};

/// The whole kernel, version line first. Values are numbered in order of appearance.
std::string print(const Kernel& k, PrintOptions options = {});
std::string to_string(const Kernel& k, Type t);
std::string to_string(Type scalar_or_pointer);

}  // namespace barline::ir
