// SPDX-License-Identifier: Apache-2.0
#include "ir/async_rules_p.h"

#include <fmt/format.h>
#include <algorithm>
#include <set>
#include <utility>

#include "ir/diagnostic.h"
#include "ir/fragment.h"
#include "ir/fragment_use.h"
#include "ir/print.h"

namespace barline::ir {
namespace {

constexpr std::int64_t copy_unit = 16;         ///< bytes
constexpr std::int64_t swizzled_row = 128;     ///< bytes
constexpr std::int64_t widest_box = 256;       ///< elements along an axis
constexpr std::size_t most_accumulators = 32;  ///< n = 256

using Defs = std::vector<const Operation*>;

bool is_gate(const Kernel& k, const Defs& defs, ValueId v) {
  const Type& t = k.type(v);
  if (!t.is_pointer() || t.space != Space::Shared || t.elem != Elem::U64) return false;
  const int slot = root_of(k, defs, v).slot;
  return slot >= 0 && k.slots[static_cast<std::size_t>(slot)].is_gate();
}

/// Which operand must be a gate; -1: none.
int gate_operand(Op op) {
  switch (op) {
    case Op::Arrive:
    case Op::Await: return 0;
    case Op::CopyBulk: return 4;
    case Op::CopyTensor: return 5;
    default: return -1;
  }
}

void check_gates(const Kernel& k, const Defs& defs, const Operation& op) {
  const int wanted = gate_operand(op.op);
  for (std::size_t i = 0; i < op.in.size(); ++i) {
    const bool gate = is_gate(k, defs, op.in[i]);
    if (static_cast<int>(i) == wanted && !gate)
      fail(Diag::SlotMisuse, op.loc, fmt::format("{} with something that is no gate", name(op.op)),
           "declare it: gate %name arrivals n x copies");
    if (static_cast<int>(i) != wanted && gate && !op.is(Op::SlotAt))
      fail(Diag::SlotMisuse, op.loc, fmt::format("{} of a gate", name(op.op)),
           "a gate holds no data: arrive, await it, or let a copy report to it");
  }
  if (op.is(Op::Await) && k.type(op.in[1]).elem != Elem::S32)
    fail(Diag::WrongClass, op.loc,
         fmt::format("operand 'phase' of await is a {}", name(k.type(op.in[1]).elem)),
         "use one of: s32");
  const std::int64_t bytes = op.attr(Key::Bytes);
  if (op.is(Op::Arrive) && bytes % copy_unit)
    fail(Diag::BadAttr, op.loc, fmt::format("arrive with bytes = {}", bytes),
         "copies that report to a gate are a multiple of 16 bytes");
}

/// From which operand on the op takes accumulators in flight; past the end: it takes none.
std::size_t first_flight(const Operation& op) {
  switch (op.op) {
    case Op::Wgmma: return 3;
    case Op::WgmmaSlots: return 4;
    case Op::WgmmaWait:
    case Op::Yield:
    case Op::While: return 0;
    case Op::Condition: return 1;
    case Op::For: return 3;
    default: return op.in.size();
  }
}

void check_flights(const Kernel& k, const Operation& op) {
  const bool gives =
      op.is(Op::Wgmma) || op.is(Op::WgmmaSlots) || op.is(Op::WgmmaFence) || op.has(Control);
  for (std::size_t i = 0; i < op.in.size(); ++i)
    if (k.type(op.in[i]).in_flight && i < first_flight(op))
      fail(Diag::TypeMismatch, op.loc,
           fmt::format("{} of a {}", name(op.op), to_string(k, k.type(op.in[i]))),
           "an accumulator in flight goes to a wgmma, or to the wgmma_wait that makes it a value");
  for (ValueId v : op.out)
    if (k.type(v).in_flight && !gives)
      fail(Diag::TypeMismatch, op.loc,
           fmt::format("{} gives a {}", name(op.op), to_string(k, k.type(v))),
           "only a wgmma, or a wgmma_fence of values, gives accumulators in flight");
}

void check_accumulators(const Kernel& k, const Operation& op, std::size_t first, Elem sum) {
  const std::size_t n = op.out.size();
  const bool wide = sum == Elem::S32 && n > 4 && n % 2;
  if (op.in.size() != first + n || n < 1 || n > most_accumulators || wide)
    fail(Diag::BadStructure, op.loc,
         fmt::format("{} with {} accumulators and {} results", name(op.op),
                     op.in.size() - std::min(first, op.in.size()), n),
         sum == Elem::S32 ? "give it one result an accumulator, 1 to 4 of them or an even number "
                            "up to 32 (n = 8 to 256)"
                          : "give it one result an accumulator, 1 to 32 of them (n = 8 to 256)");
  for (std::size_t i = 0; i < n; ++i) {
    Type in = k.type(op.in[first + i]);
    in.in_flight = false;
    if (in == vector(sum, 4) && k.type(op.out[i]) == flight(sum, 4)) continue;
    fail(Diag::TypeMismatch, op.loc,
         fmt::format("{} of {} into {}", name(op.op), to_string(k, k.type(op.in[first + i])),
                     to_string(k, k.type(op.out[i]))),
         fmt::format("take accumulators of 4 {0} and give flight<{0} x 4>", name(sum)));
  }
}

void require_slot(const Kernel& k, const Operation& op, std::size_t i) {
  if (k.type(op.in[i]).space != Space::Shared)
    fail(Diag::BadRoot, op.loc,
         fmt::format("operand '{}' of {} is no slot", def(op.op).in[i].name, name(op.op)),
         "copy it into a slot first");
}

void check_wgmma(const Kernel& k, const Operation& op) {
  const bool slots = op.is(Op::WgmmaSlots);
  const Type &a = k.type(op.in[0]), &b = k.type(op.in[slots ? 2 : 1]);
  const bool halves = b.elem == Elem::F16 || b.elem == Elem::BF16;
  if (!halves && b.elem != Elem::S8)
    fail(Diag::WrongClass, op.loc,
         fmt::format("operand 'b' of {} is a {}", name(op.op), to_string(k, b)),
         "use one of: f16, bf16, s8");
  const bool fits = slots    ? a.elem == b.elem
                    : halves ? a == vector(b.elem, 8)
                             : a == vector(Elem::U32, 4);
  if (!fits)
    fail(Diag::TypeMismatch, op.loc,
         fmt::format("{} of {} and {}", name(op.op), to_string(k, a), to_string(k, b)),
         slots    ? "multiply slots of one element type"
         : halves ? "give it an a of 8 elements of b's type"
                  : "give it an a of 4 words of u32, four s8 each");
  if (slots) require_slot(k, op, 0);
  require_slot(k, op, slots ? 2 : 1);
  check_accumulators(k, op, slots ? 4 : 3, halves ? Elem::F32 : Elem::S32);
  const bool transposed = op.attr(Key::Transpose) != 0;
  if (transposed && !halves)
    fail(Diag::BadAttr, op.loc, fmt::format("{} of s8 with transpose = 1", name(op.op)),
         "only operands of 16 bits are read by columns");
  const std::int64_t pitch = op.attr(Key::Pitch);
  const bool panels = transposed && op.out.size() > 8;
  if (pitch % 512 || (panels && pitch == 0))
    fail(Diag::BadAttr, op.loc, fmt::format("{} with pitch = {}", name(op.op), pitch),
         "panels of 64 columns stand a multiple of 512 elements apart");
}

void check_wait(const Kernel& k, const Operation& op) {
  bool fits = op.in.size() >= op.out.size();
  for (std::size_t i = 0; fits && i < op.in.size(); ++i) {
    const Type& t = k.type(op.in[i]);
    fits = i < op.out.size() ? t.in_flight && k.type(op.out[i]) == vector(t.elem, t.lanes)
                             : !t.in_flight && t.lanes > 1;
  }
  if (!fits)
    fail(Diag::TypeMismatch, op.loc, "wgmma_wait that does not give what it takes",
         "take accumulators in flight, and give each as a vector of the same elements; then take "
         "the registers that the products read");
}

void check_bulk(const Kernel& k, const Operation& op) {
  const Elem e = k.type(op.in[0]).elem;
  const std::int64_t lanes = op.attr(Key::Lanes, 1);
  const bool sized = lanes >= 1 && lanes < (1 << 20) && e != Elem::I1 && bits(e) >= 8;
  if (!sized || lanes * bytes(e) % copy_unit)
    fail(Diag::BadAttr, op.loc, fmt::format("copy_bulk of {} elements of {}", lanes, name(e)),
         "copy a multiple of 16 bytes, elements of at least 8 bits");
}

constexpr std::size_t plane_operand = 6;  // of a copy_tensor

void check_tensor_copy(const Kernel& k, const Defs& defs, const Operation& op) {
  const Elem e = k.type(op.in[0]).elem;
  const std::int64_t rows = op.attr(Key::Rows, 1), columns = op.attr(Key::Columns, 1);
  const bool sized = rows >= 1 && rows <= widest_box && columns >= 1 && columns <= widest_box &&
                     e != Elem::I1 && bits(e) >= 8;
  const std::int64_t row = sized ? columns * bytes(e) : 0;
  const bool swizzled = op.attr(Key::Swizzled) != 0;
  if (!sized || row % copy_unit || (swizzled && row != swizzled_row))
    fail(Diag::BadAttr, op.loc,
         fmt::format("copy_tensor of a box of {} x {} {}{}", rows, columns, name(e),
                     swizzled ? ", swizzled" : ""),
         "copy a box of at most 256 x 256 whose rows are a multiple of 16 bytes, of 128 where they "
         "are swizzled");
  for (int p : root_of(k, defs, op.in[2]).params) {
    const std::size_t axes = k.params[static_cast<std::size_t>(p)].axes.size();
    const bool planes = op.in.size() > plane_operand;
    if ((axes > 2) != planes || (axes == 1 && rows != 1))
      fail(
          Diag::BadAttr, op.loc,
          fmt::format("copy_tensor of {} rows from '{}' of {} axes{}", rows,
                      k.params[static_cast<std::size_t>(p)].name, axes, planes ? ", by plane" : ""),
          "copy boxes of tensors over two axes, by plane of those over more, or single rows of "
          "those over one");
  }
  for (std::size_t i : {std::size_t{3}, std::size_t{4}, plane_operand})
    if (i < op.in.size() && k.type(op.in[i]).elem != Elem::S32)
      fail(Diag::WrongClass, op.loc,
           fmt::format("operand '{}' of copy_tensor is a {}", def(op.op).in[i].name,
                       name(k.type(op.in[i]).elem)),
           "use one of: s32");
}

void check_store_matrix(const Kernel& k, const Operation& op) {
  const Type& t = k.type(op.in[2]);
  require_slot(k, op, 0);
  if (bits(t.elem) != 16 || t.lanes > 8)
    fail(Diag::WrongClass, op.loc, fmt::format("store_matrix of a {}", to_string(k, t)),
         "store 1, 2 or 4 matrices of 16 bits: 2, 4 or 8 elements");
}

void check_barrier(const Kernel& k, const Operation& op) {
  const bool id = op.find(Key::Id), warps = op.find(Key::Warps);
  const std::int64_t all = k.launch.block_threads() / warp_size;
  if (id == warps && op.attr(Key::Warps) <= all) return;
  fail(Diag::BadAttr, op.loc,
       fmt::format("barrier with {} in a block of {} warps",
                   id && warps ? fmt::format("warps = {}", op.attr(Key::Warps))
                   : id        ? "id, without warps"
                               : "warps, without id",
                   all),
       "give a barrier of some warps an id (1 to 15) and how many of the block's they are");
}

void check_store_remote(const Kernel& k, const Operation& op) {
  require_slot(k, op, 0);
  if (k.type(op.in[2]).elem != Elem::S32)
    fail(Diag::WrongClass, op.loc,
         fmt::format("operand 'rank' of store_remote is a {}", name(k.type(op.in[2]).elem)),
         "use one of: s32");
}

/// The positions that a layout's elements reach, and how often each.
std::set<std::pair<std::int64_t, std::int64_t>> positions(const Layout& l,
                                                          const std::vector<int>& axes,
                                                          int threads) {
  std::set<std::pair<std::int64_t, std::int64_t>> all;
  for (int r = 0; r < registers(l); ++r)
    for (int t = 0; t < threads; ++t)
      all.insert({position(l, axes[0], r, t), axes.size() > 1 ? position(l, axes[1], r, t) : 0});
  return all;
}

/// The slowest warp digit has step 0: its warps hold the parts of one sum.
bool has_parts(const Layout& l, std::int64_t parts) {
  auto slowest = std::find_if(l.digits.rbegin(), l.digits.rend(),
                              [](const Digit& d) { return d.in == In::Warp; });
  return slowest != l.digits.rend() && slowest->step == 0 && slowest->extent == parts;
}

void check_merge(const Kernel& k, const Operation& op) {
  const Team team = op.attr_as<Team>(Key::Team);
  const std::int64_t parts = op.attr(Key::Parts);
  if ((team != Team::Warp && team != Team::Cluster) || parts < 2)
    fail(Diag::BadAttr, op.loc, fmt::format("merge of {} parts", parts),
         "merge 2 parts or more, of the warps or of the cluster (team = warp, cluster)");
  if (k.type(op.in[0]).elem != Elem::F32)
    fail(Diag::WrongClass, op.loc, fmt::format("merge of {}", name(k.type(op.in[0]).elem)),
         "merge sums of f32");
  if (team == Team::Cluster) return;
  const Layout &from = k.layouts[k.type(op.in[0]).layout],
               &to = k.layouts[k.type(op.out[0]).layout];
  std::vector<int> axes = tile_axes(from), others = tile_axes(to);
  std::sort(axes.begin(), axes.end());
  std::sort(others.begin(), others.end());
  const int threads = k.launch.block_threads();
  bool fits = has_parts(from, parts) && axes == others;
  if (fits) {
    auto have = positions(from, axes, threads), want = positions(to, axes, threads);
    fits = std::includes(have.begin(), have.end(), want.begin(), want.end());
  }
  if (!fits)
    fail(Diag::BadFragment, op.loc,
         fmt::format("merge of {} parts over @{} into @{}", parts, from.name, to.name),
         "give the operand a slowest warp digit of step 0 and as many warps as parts; the result "
         "lies over the same axes, among the operand's elements");
}

}  // namespace

bool async_attr_in_range(const Attr& a) {
  auto within = [&](std::int64_t lo, std::int64_t hi) { return a.value >= lo && a.value <= hi; };
  switch (a.key) {
    case Key::Bytes: return within(0, (1 << 20) - 1);  // what an mbarrier counts
    case Key::Registers: return within(24, 256) && a.value % 8 == 0;
    case Key::Id: return within(1, 15);
    case Key::Warps: return within(1, 32);
    case Key::Parts: return within(1, 32);
    case Key::Swizzled: return within(0, 1);
    case Key::Pitch: return within(0, 1 << 20);
    default: return true;
  }
}

void check_async_rules(const Kernel& k, const Defs& defs, const Operation& op) {
  check_gates(k, defs, op);
  check_flights(k, op);
  switch (op.op) {
    case Op::Wgmma:
    case Op::WgmmaSlots: return check_wgmma(k, op);
    case Op::WgmmaWait: return check_wait(k, op);
    case Op::CopyBulk: return check_bulk(k, op);
    case Op::CopyTensor: return check_tensor_copy(k, defs, op);
    case Op::StoreMatrix: return check_store_matrix(k, op);
    case Op::Barrier: return check_barrier(k, op);
    case Op::StoreRemote: return check_store_remote(k, op);
    case Op::Merge: return check_merge(k, op);
    case Op::SetRegisters:
      if (!op.find(Key::Registers))
        fail(Diag::BadAttr, op.loc, "set_registers without registers",
             "give it a multiple of 8, 24 to 256");
      return;
    default: return;
  }
}

void check_named_barriers(const Kernel& k) {
  std::int64_t warps[16] = {};
  walk(k.body, [&](const Operation& op) {
    if (!op.is(Op::Barrier) || !op.find(Key::Id)) return;
    std::int64_t& known = warps[op.attr(Key::Id)];
    if (known && known != op.attr(Key::Warps))
      fail(Diag::BadAttr, op.loc,
           fmt::format("barrier {} of {} warps, and elsewhere of {}", op.attr(Key::Id),
                       op.attr(Key::Warps), known),
           "give each number of barrier one team of warps");
    known = op.attr(Key::Warps);
  });
}

bool needs_sm90(const Operation& op) {
  switch (op.op) {
    case Op::CopyBulk:
    case Op::CopyTensor:
    case Op::Arrive:
    case Op::Await:
    case Op::StoreMatrix:
    case Op::Wgmma:
    case Op::WgmmaSlots:
    case Op::WgmmaFence:
    case Op::WgmmaCommit:
    case Op::WgmmaWait:
    case Op::SetRegisters:
    case Op::ProxyFence:
    case Op::ClusterRank:
    case Op::ClusterArrive:
    case Op::ClusterWait:
    case Op::StoreRemote:
    case Op::AwaitPrevious:
    case Op::ReleaseNext: return true;
    default: return false;
  }
}

}  // namespace barline::ir
