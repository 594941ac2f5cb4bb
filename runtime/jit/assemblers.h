// SPDX-License-Identifier: Apache-2.0
// The ladder of assemblers: ptxas, nvJitLink, the driver.
#pragma once

#include <memory>
#include <vector>

#include "codegen/assembler/assembler.h"
#include "runtime/options.h"

namespace barline::jit {

/// The kinds that the options allow, best first. A path to ptxas that was given allows no other.
std::vector<codegen::AssemblerKind> allowed_assemblers(const runtime::Options& options);

/// The first of these that this machine has. Throws codegen::MissingAssembler that lists what was
/// tried, why each was refused and how to get one.
std::unique_ptr<const codegen::Assembler> choose_assembler(const runtime::Options& options);

}  // namespace barline::jit
