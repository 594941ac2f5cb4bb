// SPDX-License-Identifier: Apache-2.0
// Helpers of the proof's tests: kernels from text, simulator inputs made for any kernel.
#pragma once

#include <string>
#include <string_view>

#include "ir/extents.h"
#include "ir/parse.h"
#include "verify/sim_case.h"

namespace barline::verify::test {

/// Patterned inputs that fit the kernel: In tensors hold small values of both signs (integers: 0 to
/// 15), all others zeros; scalars are 1. `sizes`: of the axes that are not bound, in order.
inline SimCase patterned_case(const ir::Kernel& k, std::vector<std::int64_t> sizes) {
  SimCase c;
  c.axis_sizes = sizes;
  std::size_t dynamic = 0;
  std::vector<std::int64_t> extents;
  for (const ir::Axis& a : k.axes)
    extents.push_back(a.bound                              ? *a.bound
                      : a.of < 0 && dynamic < sizes.size() ? sizes[dynamic++]
                                                           : 1);
  ir::derive_sizes(k, extents);
  for (const ir::Param& p : k.params) {
    if (!p.type.is_pointer()) {
      std::uint64_t one = p.type.elem == ir::Elem::F32 ? 0x3f800000u : 1u;
      c.scalars.push_back({p.type.elem, one});
      continue;
    }
    std::vector<std::int64_t> shape;
    for (int a : p.axes) shape.push_back(extents[a]);
    ir::Tensor t(p.type.elem, shape);
    if (p.access == ir::Access::In)
      for (std::int64_t i = 0; i < t.count(); ++i) {
        if (p.type.elem == ir::Elem::F32)
          t.as<float>()[i] = static_cast<float>((i * 37) % 101 - 50) / 8;
        else if (ir::bits(p.type.elem) == 32)
          t.as<std::int32_t>()[i] = static_cast<std::int32_t>((i * 7 + 3) % 16);
        else
          t.data[static_cast<std::size_t>(i)] = static_cast<std::byte>(i % 16);
      }
    c.tensors.push_back(std::move(t));
  }
  return c;
}

/// A kernel of one block of 64 threads over x[n] and y[n], n = 64, with a slot s of 64 floats.
inline ir::Kernel block_kernel(std::string_view body, std::string_view header = {}) {
  std::string text =
      "bir 1\nkernel @k\naxis n = 64\n"
      "param %x: in ptr<f32, global> [n]\nparam %y: out ptr<f32, global> [n]\n"
      "slot %s: f32[64] x 1\n";
  text += header;
  text += "threads 64 1 1\ngrid 1 1 1\n{\n  %t = thread_rank : s32\n";
  text += body;
  return ir::parse(text + "  yield\n}\n", "test.bir");
}

}  // namespace barline::verify::test
