// SPDX-License-Identifier: Apache-2.0
#include "runtime/launch/workspace.h"

namespace barline::runtime {
namespace {

/// Each tensor begins as cuMemAlloc would place it.
constexpr std::uint64_t alignment = 256;

}  // namespace

std::uint64_t scratch_bytes(const SignatureParam& param, std::span<const std::int64_t> sizes) {
  std::uint64_t bits = param.elem.bits;
  for (const SignatureDim& d : param.axes) bits *= static_cast<std::uint64_t>(d.size.of(sizes));
  return (bits + 8 * alignment - 1) / (8 * alignment) * alignment;
}

WorkspaceSize workspace_size(const Signature& signature, std::span<const std::int64_t> sizes) {
  WorkspaceSize size;
  for (const SignatureParam& p : signature.params) {
    if (!p.scratch) continue;
    size.bytes += scratch_bytes(p, sizes);
    size.align = alignment;
  }
  return size;
}

}  // namespace barline::runtime
