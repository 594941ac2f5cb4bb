// SPDX-License-Identifier: Apache-2.0
// The launch signature: all that a host must know to call a kernel, kept as text in the cache entry
// so that a warm launch needs no IR.
//
//   x:in:bf16[rows,d];eps:scalar:f32|rows:1,n:8|rows/1,1,1
//   parameters                      |dynamic axes with the multiple promised|grid
//
// A tensor is in, out, inout, or scratch: what the blocks of a launch share and the next one finds.
//
// A kernel that copies boxes of tensors has a fourth part, its tensor maps in order of their
// arguments: x:64x128s:m:K%64*128 for swizzled boxes of 64 x 128 elements of x, which has m rows.
//
// A derived axis is spelled by its rule, K%64*128 for ceil(K / 64) * 128: in a parameter's axes
// after its name and '='. A grid dimension may count the blocks of several axes, one after the
// other (q+k+v/64) or side by side (q&k&v/64: as many as the widest needs).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/launch/element.h"

namespace barline::runtime {

/// A dynamic axis: launched with its size, a positive multiple of `multiple`.
struct SignatureAxis {
  std::string name;
  std::int64_t multiple = 1;
  bool operator==(const SignatureAxis&) const = default;
};

/// The size of an axis: that of dynamic axis `axis` (index into axes) or `count`, and then, rule by
/// rule, ceil(size / first) * second.
struct SignatureSize {
  int axis = -1;
  std::int64_t count = 1;
  std::vector<std::pair<std::int64_t, std::int64_t>> rules;
  std::int64_t of(std::span<const std::int64_t> sizes) const;
  bool operator==(const SignatureSize&) const = default;
};

/// One axis of a tensor parameter: its name and the size that it has at a launch.
struct SignatureDim {
  std::string name;
  SignatureSize size;
  bool operator==(const SignatureDim&) const = default;
};

struct SignatureParam {
  std::string name;
  Element elem{};
  bool tensor = false;
  bool read = true, written = false;  ///< by the kernel; of tensors
  bool scratch = false;               ///< read and written by launches alone: part of a workspace
  std::vector<SignatureDim> axes;     ///< slowest first
  bool operator==(const SignatureParam&) const = default;
};

/// ceil(size / per_block) blocks for each axis, added up or (`abreast`) the most of them; or
/// `count`.
struct SignatureGrid {
  std::vector<SignatureSize> axes;
  bool abreast = false;
  std::int64_t per_block = 1;
  std::int64_t count = 1;
  /// Blocks for these sizes of the dynamic axes.
  std::int64_t blocks(std::span<const std::int64_t> sizes) const;
  bool operator==(const SignatureGrid&) const = default;
};

/// A tensor map, an argument after the axes' sizes: boxes of rows x columns elements of a parameter
/// whose last two axes have `height` and `width` elements.
struct SignatureMap {
  int param = 0;
  std::int64_t rows = 1, columns = 1;
  bool swizzled = false;
  SignatureSize height, width;
  std::vector<SignatureSize> planes{};  ///< axes before the last two, counted as one
  bool operator==(const SignatureMap&) const = default;
};

struct Signature {
  std::vector<SignatureParam> params;
  std::vector<SignatureAxis> axes;
  std::array<SignatureGrid, 3> grid{};
  std::vector<SignatureMap> maps{};
  bool operator==(const Signature&) const = default;
};

std::string to_text(const Signature& signature);
/// Throws std::invalid_argument on text that to_text did not write.
Signature parse_signature(std::string_view text);

}  // namespace barline::runtime
