// SPDX-License-Identifier: Apache-2.0
// Attributes: the compile-time facts of an op. The keys and their spellings are rows of attrs.def.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace barline::ir {

enum class Key : std::uint8_t {
  None,  ///< stands for no attribute in a row of ops.def
#define ATTR(id, ...) id,
#include "ir/attrs.def"
};

enum class Compare : std::uint8_t { Eq, Ne, Lt, Le, Gt, Ge };
/// Rn nearest even, Rz toward zero, Rm down, Rp up, Rna nearest, ties away.
enum class Rounding : std::uint8_t { Rn, Rz, Rm, Rp, Rna };
/// Const: memory that no running grid writes (may become ld.global.nc).
enum class MemOrder : std::uint8_t { Weak, Const, Relaxed, Acquire, Release, AcqRel };
enum class MemScope : std::uint8_t { Cta, Cluster, Gpu, Sys };
enum class CacheHint : std::uint8_t {
  All,
  Global,
  Streaming,
  LastUse,
  WriteThrough,
  EvictFirst,
  EvictLast,
  NoAllocate
};
enum class ShuffleMode : std::uint8_t { Xor, Up, Down, Index };
enum class VoteMode : std::uint8_t { All, Any, Ballot };
enum class RmwKind : std::uint8_t { Add, Min, Max, And, Or, Xor, Exchange };
/// Counters by which blocks meet (ir/meeting.h); Elected: a slot that says whether the block is the
/// last.
enum class CounterKind : std::uint8_t { Launches, Flag, Arrivals, Elected };

/// How a key's value is spelled.
enum class AttrKind : std::uint8_t {
  Int,
  String,
  Literal,
  Compare,
  Rounding,
  MemOrder,
  MemScope,
  CacheHint,
  ShuffleMode,
  VoteMode,
  RmwKind,
  AgentKind,
  CounterKind,
  TeamKind
};

struct AttrInfo {
  std::string_view name;
  AttrKind kind;
};
const AttrInfo& info(Key key);
/// The spellings of an enum kind, by value; empty for Int, String and Literal.
std::span<const std::string_view> spellings(AttrKind kind);

struct Attr {
  Key key;
  std::int64_t value = 0;  ///< number, enumerator or literal bits
  std::string text;        ///< String only
  bool operator==(const Attr&) const = default;
};

}  // namespace barline::ir
