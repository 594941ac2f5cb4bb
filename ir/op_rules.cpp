// SPDX-License-Identifier: Apache-2.0
#include "ir/op_rules_p.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/diagnostic.h"
#include "ir/fragment_rules_p.h"
#include "ir/fragment_use.h"
#include "ir/print.h"

namespace barline::ir {
namespace {

std::string_view spelled(const Operation& op, Key key) {
  return spellings(info(key).kind)[static_cast<std::size_t>(op.attr(key))];
}

/// A stripe over the whole block, as stripe_layout makes it: what expand_stripes understands.
void check_stripe(const Kernel& k, const Operation& op, const Layout& layout) {
  double elements = 1;  // of all digits: small, so that the products below do not overflow
  for (const Digit& d : layout.digits)
    elements *= static_cast<double>(std::max<std::int64_t>(d.extent, 1));
  bool small = elements < 0x1p40;
  StripeShape s = small ? stripe_shape(layout) : StripeShape{.vec = 0};
  bool power = s.vec == 1 || s.vec == 2 || s.vec == 4 || s.vec == 8 || s.vec == 16;
  bool threads = s.threads == k.launch.block_threads();
  check_whole_warps(k, op);
  if (!power || !threads || s.chunks < 0 || stripe_layout(layout.name, s) != layout)
    fail(Diag::BadStructure, op.loc,
         fmt::format("{} of a tile over @{}, which is no stripe over {} threads", name(op.op),
                     layout.name, k.launch.block_threads()),
         "write its digits as reg, lane, warp and chunk (and cta), each step the product of the "
         "extents before it");
}

/// Results of ops whose row fixes the shape; elementwise and control ops follow their operands.
void check_result_shape(const Kernel& k, const Operation& op) {
  const OpDef& d = def(op.op);
  if (op.out.empty() || d.has(Elementwise) || d.has(Control)) return;
  for (ValueId v : op.out) {
    const Type& t = k.type(v);
    bool ok = t.is_scalar() || (op.is(Op::Const) && t.is_tile());
    if (d.out[0].shape == Shape::ScalarOrVector) ok = ok || t.kind == Kind::Vector;
    if (d.out[0].shape == Shape::Vector) ok = t.kind == Kind::Vector;
    if (d.out[0].shape == Shape::Tile) ok = t.is_tile();
    if (d.out[0].shape == Shape::Pointer) ok = t == k.type(op.in[d.out[0].same_as]);
    bool lanes = t.lanes == 1 || t.lanes == 2 || t.lanes == 4 || t.lanes == 8 || t.lanes == 16;
    if (!ok || !lanes)
      fail(Diag::TypeMismatch, op.loc, fmt::format("{} gives a {}", name(op.op), to_string(k, t)),
           "give its result the shape of its row in docs/ops.md; vectors have 2, 4, 8 or 16 lanes");
    if (!t.is_tile()) continue;
    if (op.is(Op::TileLoad) || op.is(Op::TileIndex))
      check_stripe(k, op, k.layouts[t.layout]);
    else
      check_fragment(k, op, k.layouts[t.layout]);
  }
}

/// What loops and branches carry: a stripe is computed where it is used, a pointer is a root.
void check_carried(const Kernel& k, const Operation& op) {
  for (ValueId v : op.out) {
    const Type& t = k.type(v);
    if (t.is_scalar() || t.kind == Kind::Vector) continue;
    if (t.is_tile() && is_fragment(k.layouts[t.layout])) continue;
    fail(Diag::BadStructure, op.loc, fmt::format("{} carries a {}", name(op.op), to_string(k, t)),
         "carry scalars, vectors or fragments; reduce a stripe first, name a pointer where it is "
         "used");
  }
}

void check_reduce(const Kernel& k, const Operation& op) {
  Team team = op.attr_as<Team>(Key::Team);
  if (team != Team::Thread && team != Team::Warp && team != Team::Cta)
    fail(Diag::BadAttr, op.loc, fmt::format("reduce over a {}", spelled(op, Key::Team)),
         "reduce over a thread, a warp or a cta");
  for (std::size_t i = 1; i < op.out.size() && i < op.in.size(); ++i)
    if (k.type(op.in[i]).layout != k.type(op.in[0]).layout)
      fail(Diag::WrongAxis, op.loc,
           fmt::format("reduce of {} with {}", to_string(k, k.type(op.in[0])),
                       to_string(k, k.type(op.in[i]))),
           "reduce tiles of one axis together");
  check_combine(op);
}

void check_order(const Operation& op) {
  auto order = op.attr_as<MemOrder>(Key::Order);
  bool reads = op.has(Reads), writes = op.has(Writes);
  bool ok = order == MemOrder::Weak || order == MemOrder::Relaxed ||
            (order == MemOrder::Const && !writes) || (order == MemOrder::Acquire && reads) ||
            (order == MemOrder::Release && writes) ||
            (order == MemOrder::AcqRel && reads && writes);
  if (!ok)
    fail(Diag::BadAttr, op.loc,
         fmt::format("{} with order {}", name(op.op), spelled(op, Key::Order)),
         writes && reads ? "use relaxed, acquire, release or acq_rel"
         : writes        ? "use weak, relaxed or release"
                         : "use weak, const, relaxed or acquire");
}

void check_atomic(const Kernel& k, const Operation& op) {
  Elem e = k.type(op.in[2]).elem;
  bool add = op.is(Op::Atomic) && op.attr_as<RmwKind>(Key::Rmw) == RmwKind::Add;
  if ((is_int(e) && bits(e) >= 32) || (add && e == Elem::F32)) return;
  fail(Diag::WrongClass, op.loc, fmt::format("{} of {}", name(op.op), name(e)),
       "use a 32- or 64-bit integer, or add of f32");
}

void check_cast(const Kernel& k, const Operation& op) {
  Elem to = k.type(op.out[0]).elem;
  auto round = op.attr_as<Rounding>(Key::Round);
  bool whole = is_int(to) || to == Elem::I1 || to == Elem::S4 || to == Elem::U4;
  bool tiny = to == Elem::E4M3 || to == Elem::E5M2 || to == Elem::E2M1;
  if (whole || round == Rounding::Rn || (round != Rounding::Rna && !tiny)) return;
  fail(Diag::BadAttr, op.loc,
       fmt::format("a cast to {} that rounds {}", name(to), spelled(op, Key::Round)),
       tiny ? "round to nearest even (rn)" : "use rn, rz, rm or rp");
}

void check_vote(const Kernel& k, const Operation& op) {
  bool ballot = op.attr_as<VoteMode>(Key::Vote) == VoteMode::Ballot;
  Elem want = ballot ? Elem::U32 : Elem::I1;
  if (k.type(op.out[0]).elem != want)
    fail(Diag::TypeMismatch, op.loc,
         fmt::format("vote {} gives a {}", spelled(op, Key::Vote), name(k.type(op.out[0]).elem)),
         fmt::format("make its result a {}", name(want)));
}

/// Operands as PTX has them: f16 and bf16 into f32, s8 in u32 words into s32.
void check_mma(const Kernel& k, const Operation& op) {
  const Type &a = k.type(op.in[0]), &b = k.type(op.in[1]), &c = k.type(op.in[2]);
  bool halves = a.elem == Elem::F16 || a.elem == Elem::BF16;
  if (!halves && a.elem != Elem::U32)
    fail(Diag::WrongClass, op.loc, fmt::format("operand 'a' of mma is a {}", to_string(k, a)),
         "use one of: f16, bf16, or s8 packed into u32 words");
  bool lanes = halves ? a.lanes == 8 || a.lanes == 4 : a.lanes == 4;
  if (lanes && b.lanes == a.lanes / 2 && c == vector(halves ? Elem::F32 : Elem::S32, 4)) return;
  fail(Diag::TypeMismatch, op.loc,
       fmt::format("mma of {}, {} and {}", to_string(k, a), to_string(k, b), to_string(k, c)),
       halves ? "give it an a of 8 elements (m16n8k16) or 4 (m16n8k8), a b of half as many and a c "
                "of 4 f32"
              : "give it an a of 4 words, a b of 2 (m16n8k32) and a c of 4 s32");
}

/// What ldmatrix and movmatrix move: 8x8 elements of 16 bits, two a lane.
void check_matrix(const Kernel& k, const Operation& op) {
  if (op.out.empty())
    fail(Diag::BadStructure, op.loc, fmt::format("{} without a result", name(op.op)),
         "give it one");
  const Type& t = k.type(op.out[0]);
  if (bits(t.elem) != 16)
    fail(Diag::WrongClass, op.loc, fmt::format("{} of {}", name(op.op), name(t.elem)),
         "move elements of 16 bits: bitcast others to u16 or f16 first");
  bool load = op.is(Op::LoadMatrix);
  if (load && k.type(op.in[0]).space != Space::Shared)
    fail(Diag::BadRoot, op.loc, "load_matrix of something that is no slot",
         "copy the rows into a slot first");
  bool lanes = t.lanes == 2 || (load && (t.lanes == 4 || t.lanes == 8));
  if (!lanes)
    fail(Diag::TypeMismatch, op.loc, fmt::format("{} gives a {}", name(op.op), to_string(k, t)),
         load ? "load 1, 2 or 4 matrices: 2, 4 or 8 elements" : "move one matrix: 2 elements");
}

void want_elem(const Kernel& k, const Operation& op, std::size_t i, Elem want) {
  if (k.type(op.in[i]).elem != want)
    fail(Diag::WrongClass, op.loc,
         fmt::format("operand '{}' of {} is a {}", def(op.op).in[i].name, name(op.op),
                     name(k.type(op.in[i]).elem)),
         fmt::format("use one of: {}", name(want)));
}

/// cp.async moves 4, 8 or 16 bytes at once.
void check_copy(const Kernel& k, const Operation& op) {
  Elem e = k.type(op.in[0]).elem;
  std::int64_t lanes = op.attr(Key::Lanes, 1);
  std::int64_t wide = lanes >= 1 && lanes <= 32 && e != Elem::I1 ? lanes * bits(e) : 0;
  if (wide == 32 || wide == 64 || wide == 128) return;
  fail(Diag::BadAttr, op.loc, fmt::format("copy_async of {} elements of {}", lanes, name(e)),
       "copy 4, 8 or 16 bytes at once");
}

void check_choose(const Kernel& k, const Operation& op) {
  if (op.in.size() < 2)
    fail(Diag::BadCall, op.loc, "choose among no pointers", "list the parameters");
  for (std::size_t i = 1; i < op.in.size(); ++i) {
    if (k.param_of(op.in[i]) < 0)
      fail(Diag::BadRoot, op.loc, "choose of something that is no parameter",
           "list parameters of the kernel");
    if (k.type(op.in[i]) != k.type(op.in[1]))
      fail(Diag::TypeMismatch, op.loc,
           fmt::format("choose of {} and {}", to_string(k, k.type(op.in[1])),
                       to_string(k, k.type(op.in[i]))),
           "choose among tensors of one element type");
  }
}

/// Clocks are u64; a marker names a region of the kernel's table.
void check_time(const Kernel& k, const Operation& op, const std::vector<ValueId>& stamps,
                Elem elem) {
  for (ValueId v : stamps)
    if (k.type(v).elem != elem)
      fail(Diag::TypeMismatch, op.loc, fmt::format("{} with {}", name(op.op), name(k.type(v).elem)),
           fmt::format("make it {}", name(elem)));
  const std::int64_t region = op.attr(Key::Region, -1);
  if (op.has(RegionLevel) && (region < 0 || region >= std::ssize(k.region_table)))
    fail(Diag::BadAttr, op.loc, fmt::format("{} of region {}", name(op.op), region),
         "name a region of the kernel's table by its number");
}

}  // namespace

void check_combine(const Operation& op) {
  if (op.regions.empty()) return;
  for (const Operation& inner : op.regions[0].ops)
    if (!inner.has(Terminator) && (!inner.has(Pure) || inner.has(Convergent)))
      fail(Diag::BadStructure, inner.loc, fmt::format("{} in a combine", name(inner.op)),
           "combine two values by arithmetic of one thread alone");
}

void check_op_rules(const Kernel& k, const Operation& op) {
  check_result_shape(k, op);
  check_fragment_rules(k, op);
  if (op.has(Control)) check_carried(k, op);
  if (op.find(Key::Order)) check_order(op);
  if (op.has(Approx) && k.type(op.in[0]).elem == Elem::F64)
    fail(Diag::WrongClass, op.loc, fmt::format("{} of f64", name(op.op)),
         "cast the operand to f32 first");
  switch (op.op) {
    case Op::Reduce: return check_reduce(k, op);
    case Op::Atomic:
    case Op::AtomicCas: return check_atomic(k, op);
    case Op::Cast: return check_cast(k, op);
    case Op::Vote: return check_vote(k, op);
    case Op::MmaSync: return check_mma(k, op);
    case Op::LoadMatrix:
    case Op::MoveMatrix: return check_matrix(k, op);
    case Op::Shuffle: return want_elem(k, op, 1, Elem::S32);
    case Op::MulHi:
    case Op::Popc:
    case Op::Clz:
    case Op::Brev:
      if (bits(k.type(op.in[0]).elem) < 32)
        fail(Diag::WrongClass, op.loc,
             fmt::format("{} of {}", name(op.op), name(k.type(op.in[0]).elem)),
             "convert it to a 32- or 64-bit integer first");
      return;
    case Op::BytePermute: return want_elem(k, op, 0, Elem::U32);
    case Op::Cmp:
      if (k.type(op.in[0]).elem == Elem::I1 && op.attr_as<Compare>(Key::Pred) > Compare::Ne)
        fail(Diag::BadAttr, op.loc, fmt::format("cmp {} of i1", spelled(op, Key::Pred)),
             "compare i1 by eq or ne alone");
      return;
    case Op::CopyAsync: return check_copy(k, op);
    case Op::Choose: return check_choose(k, op);
    case Op::SlotAt:
      if (k.slot_of(op.in[0]) < 0)
        fail(Diag::BadRoot, op.loc, "slot_at of something that is no slot",
             "name a slot of the kernel");
      return;
    case Op::Prefetch:
      if (k.type(op.in[0]).space != Space::Global)
        fail(Diag::BadRoot, op.loc, "prefetch of a slot", "prefetch from a parameter's tensor");
      return;
    case Op::Clock:
    case Op::GlobalTimer:
    case Op::RegionBegin: return check_time(k, op, op.out, Elem::U64);
    case Op::SmId: return check_time(k, op, op.out, Elem::U32);
    case Op::RegionEnd: return check_time(k, op, op.in, Elem::U64);
    case Op::Print:
      if (op.in.size() > 8)
        fail(Diag::BadCall, op.loc, fmt::format("print of {} values", op.in.size()),
             "print at most 8 values at once");
      return;
    default: return;
  }
}

}  // namespace barline::ir
