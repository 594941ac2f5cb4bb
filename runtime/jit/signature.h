// SPDX-License-Identifier: Apache-2.0
// The launch signature: all that a host must know to call a kernel, kept as text in the cache entry
// so that a warm launch needs no IR.
//
//   x:in:bf16[rows,d];eps:scalar:f32|rows:1,n:8|rows/1,1,1
//   parameters                      |dynamic axes with the multiple promised|grid
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "ir/kernel.h"

namespace barline::jit {

struct SignatureParam {
  std::string name;
  ir::Elem elem{};
  bool tensor = false;
  ir::Access access = ir::Access::In;
  std::vector<std::string> axes;  ///< names, slowest first; bound ones as "name=extent"
  bool operator==(const SignatureParam&) const = default;
};

/// A dynamic axis: launched with its size, a positive multiple of `multiple`.
struct SignatureAxis {
  std::string name;
  std::int64_t multiple = 1;
  bool operator==(const SignatureAxis&) const = default;
};

/// ceil(size / per_block) blocks of dynamic axis `axis` (index into axes), or `count`.
struct SignatureGrid {
  int axis = -1;
  std::int64_t per_block = 1;
  std::int64_t count = 1;
  bool operator==(const SignatureGrid&) const = default;
};

struct Signature {
  std::vector<SignatureParam> params;
  std::vector<SignatureAxis> axes;
  std::array<SignatureGrid, 3> grid{};
  bool operator==(const Signature&) const = default;
};

Signature signature_of(const ir::Kernel& kernel);
std::string to_text(const Signature& signature);
/// Throws std::invalid_argument on text that to_text did not write.
Signature parse_signature(std::string_view text);

}  // namespace barline::jit
