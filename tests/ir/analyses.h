// SPDX-License-Identifier: Apache-2.0
// Kernels as text for the tests of analyses: a body over fixed names, and values by name.
#pragma once

#include <stdexcept>
#include <string>

#include "ir/check.h"
#include "ir/parse.h"

namespace barline::test {

/// 64 threads (or `threads`), %t the rank, %n a dynamic size, %f a scalar, %x %y %z tensors, %s a
/// slot of 256 s32, %r one of three copies.
inline ir::Kernel analysed(const std::string& body, const std::string& threads = "64 1 1") {
  ir::Kernel k = ir::parse(
      "bir 1\nkernel @k\naxis n\nparam %x: in ptr<s32, global> [n]\n"
      "param %y: out ptr<s32, global> [n]\nparam %z: inout ptr<s32, global> [n]\n"
      "param %f: s32\nsize %n\nslot %s: s32[256] x 1\nslot %r: s32[256] x 3\n"
      "threads " +
          threads +
          "\ngrid n/64 1 1\n{\n%t = thread_rank : s32\n"
          "%zero = const {value = 0} : s32\n%one = const {value = 1} : s32\n" +
          body + "\nyield\n}\n",
      "a.bir");
  ir::check(k);
  return k;
}

/// The value of that name.
inline ir::ValueId named(const ir::Kernel& k, const std::string& name) {
  for (ir::ValueId v = 0; v < k.values.size(); ++v)
    if (k.values[v].name == name) return v;
  throw std::runtime_error("no value " + name);
}

}  // namespace barline::test
