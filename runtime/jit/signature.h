// SPDX-License-Identifier: Apache-2.0
// The launch signature of a kernel, from its IR.
#pragma once

#include "ir/kernel.h"
#include "runtime/launch/signature.h"

namespace barline::jit {

/// The element type as hosts name it.
runtime::Element element_of(ir::Elem elem);

runtime::Signature signature_of(const ir::Kernel& kernel);

}  // namespace barline::jit
