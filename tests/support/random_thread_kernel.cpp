// SPDX-License-Identifier: Apache-2.0
// What keeps a kernel valid: a value is used where it is in scope; what a whole team must reach
// (slots, shuffles, reductions) stands under conditions that the block agrees on; a slot is written
// whole before it is read, by indices that differ between threads; divisors are odd.
#include <algorithm>
#include <map>
#include <string>

#include "ir/builder.h"
#include "tests/support/random_kernel.h"
#include "tests/support/random_source.h"
#include "tests/support/random_vectors.h"

namespace barline::test {
namespace {

using namespace ir;

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : rng_(seed), b_(k_) {}

  RandomKernel run() {
    header();
    prologue();
    statements(rng_.between(2, 12), true, 0);
    epilogue();
    return {std::move(k_), std::move(sizes_)};
  }

 private:
  struct Buffer {
    ValueId slot;
    Elem elem;
  };

  // ---- the frame
  // ---------------------------------------------------------------------------------
  void header() {
    k_.name = "random";
    threads_ = rng_.pick({32, 32, 64, 64, 96, 128, 48});
    whole_warps_ = threads_ % 32 == 0;
    k_.launch.threads[0] = threads_;
    if (threads_ == 64 && rng_.one_in(2)) k_.launch.threads[0] = 16, k_.launch.threads[1] = 4;
    std::int64_t n = rng_.between(1, 200);
    axis("n", n, rng_.one_in(3));
    axis("m", 4 * n, k_.axes[0].bound.has_value());
    k_.launch.grid[0] = {.axis = 0, .per_block = threads_, .count = 1};
    x_ = tensor("x", Elem::F32, Access::In, 0);
    xi_ = tensor("xi", Elem::S32, Access::In, 0);
    xh_ = tensor("xh", rng_.pick({Elem::F16, Elem::BF16}), Access::In, 1);
    y_ = tensor("y", Elem::F32, Access::Out, 0);
    yi_ = tensor("yi", Elem::S32, Access::Out, 0);
    yh_ = tensor("yh", Elem::F16, Access::Out, 1);
    scalar_f_ = param("a", scalar(Elem::F32));
    scalar_i_ = param("c", scalar(Elem::S32));
    for (std::size_t i = 0; i < k_.axes.size(); ++i)
      if (!k_.axes[i].bound) k_.axis_sizes[i] = k_.new_value(scalar(Elem::S32), k_.axes[i].name);
  }

  void axis(std::string name, std::int64_t size, bool bound) {
    Axis a;
    a.name = std::move(name);
    if (bound) a.bound = size;
    if (!bound) sizes_.push_back(size);
    k_.axes.push_back(std::move(a));
    k_.axis_sizes.push_back(no_value);
  }

  ValueId param(std::string name, Type type) {
    ValueId v = k_.new_value(type, name);
    k_.params.push_back({std::move(name), type, Access::In, {}, v, {}});
    return v;
  }

  ValueId tensor(std::string name, Elem e, Access access, int axis) {
    ValueId v = param(std::move(name), pointer(e, Space::Global));
    k_.params.back().access = access;
    k_.params.back().axes = {axis};
    return v;
  }

  void prologue() {
    rank_ = b_.emit(Op::ThreadRank, {});
    ValueId block = b_.emit(Op::BlockId, {}, {{Key::Dim, 0, {}}});
    i_ = b_.binary(Op::Add, b_.binary(Op::Mul, block, number(threads_)), rank_);
    ValueId size = k_.axes[0].bound ? number(*k_.axes[0].bound) : k_.axis_sizes[0];
    inside_ = b_.compare(Compare::Lt, i_, size);
    ValueId zero = number(0);
    i4_ = b_.binary(Op::Shl, i_, number(2));
    add(b_.emit(Op::Load, scalar(Elem::F32), {x_, i_, inside_}));
    add(b_.emit(Op::Load, scalar(Elem::S32), {xi_, i_, inside_}));
    add(rank_);
    add(i_);
    add(inside_);
    share(zero);
    share(block);
    share(scalar_i_);
    share(scalar_f_);
    share(size);
    share(b_.compare(Compare::Gt, scalar_i_, zero));
  }

  void epilogue() {
    ValueId f = pick(Elem::F32), i = pick(Elem::S32);
    for (int n = 0; n < 2; ++n) f = b_.binary(Op::Add, f, pick(Elem::F32));
    for (int n = 0; n < 2; ++n) i = b_.binary(Op::Xor, i, pick(Elem::S32));
    act(Op::Store, {y_, i_, f, inside_});
    act(Op::Store, {yi_, i_, i, inside_});
    std::vector<ValueId> lanes;
    for (int n = 0; n < 4; ++n) lanes.push_back(pick(Elem::F16));
    ValueId v = b_.emit(Op::Pack, vector(Elem::F16, 4), lanes);
    act(Op::Store, {yh_, i4_, v, inside_});
    act(Op::Yield, {});
  }

  // ---- values in scope -------------------------------------------------------------------------
  struct Scope {
    std::map<Elem, std::vector<ValueId>> all, shared;
  };
  void add(ValueId v) { scope_.all[k_.type(v).elem].push_back(v); }
  /// A value that the whole block agrees on.
  void share(ValueId v) {
    add(v);
    scope_.shared[k_.type(v).elem].push_back(v);
  }
  ValueId number(std::int64_t n) { return b_.constant(Elem::S32, n); }

  ValueId pick(Elem e) {
    auto& of = scope_.all[e];
    if (of.empty() || rng_.one_in(12)) of.push_back(constant(e));
    return rng_.pick(of);
  }
  ValueId pick_shared(Elem e) {
    auto& of = scope_.shared[e];
    if (of.empty() || rng_.one_in(6)) of.push_back(constant(e));
    return rng_.pick(of);
  }
  ValueId constant(Elem e) {
    if (is_float(e))
      return b_.constant_f(e, rng_.pick({0.0, 1.0, -1.0, 0.5, 3.25, -2.75, 1e-3, 100.0}));
    if (e == Elem::I1) return b_.constant(e, rng_.below(2));
    return b_.constant(e, rng_.pick({0, 1, -1, 2, 3, 7, 31, 100, -128, 12345}));
  }
  Elem any_elem() {
    return rng_.pick({Elem::F32, Elem::F32, Elem::S32, Elem::S32, Elem::U32, Elem::S64, Elem::F16,
                      Elem::BF16, Elem::I1, Elem::F64, Elem::U8, Elem::S16, Elem::U64});
  }
  Elem int_elem() {
    return rng_.pick({Elem::S32, Elem::S32, Elem::U32, Elem::S64, Elem::U8, Elem::S16, Elem::U64});
  }
  Elem float_elem() { return rng_.pick({Elem::F32, Elem::F32, Elem::F16, Elem::BF16, Elem::F64}); }
  void act(Op op, std::vector<ValueId> in, std::vector<Attr> attrs = {}) {
    b_.append({.op = op,
               .in = std::move(in),
               .out = {},
               .attrs = std::move(attrs),
               .regions = {},
               .loc = {}});
  }

  // ---- statements
  // --------------------------------------------------------------------------------
  /// `uniform`: the whole block comes here together.
  void statements(int n, bool uniform, int depth) {
    for (int i = 0; i < n; ++i) statement(uniform, depth);
  }

  void statement(bool uniform, int depth) {
    int kind = rng_.below(uniform ? 22 : 14);
    if (kind < 7) return expression();
    if (kind == 7) return memory();
    if (kind == 8) return convert();
    if (kind < 12) return depth < 3 ? control(uniform, depth) : expression();
    if (kind < 14) return random_vectors(b_, rng_, scalars());
    if (kind == 14) return slot_exchange();
    if (kind == 15) return vector_exchange();
    if (kind == 16) return depth < 2 ? ring_loop(depth) : slot_exchange();
    if (kind == 17) return histogram();
    if (!whole_warps_) return slot_exchange();
    if (kind == 18) return reduction();
    if (kind == 20) return random_product(b_, rng_, scalars());
    if (kind == 21) return matrix_exchange();
    warp_op();
  }

  RandomScalars scalars() {
    return {[this](Elem e) { return pick(e); }, [this](ValueId v) { add(v); }};
  }

  void matrix_exchange() {
    ValueId slot = new_slot(Elem::U16, 8 * threads_);
    ValueId to = b_.binary(Op::Mul, permuted(), number(8));
    ValueId from = b_.binary(Op::Mul, permuted(), number(8));
    random_matrices(b_, rng_, scalars(), slot, to, from);
  }

  void expression() {
    switch (rng_.below(9)) {
      case 0: return float_op();
      case 1: return int_op();
      case 2: return compare();
      case 3: return select();
      case 4: return logic();
      case 5: return unary();
      case 6: return division();
      default: return rng_.one_in(2) ? float_op() : int_op();
    }
  }

  void float_op() {
    Elem e = float_elem();
    if (rng_.one_in(4)) return add(b_.emit(Op::Fma, {pick(e), pick(e), pick(e)}));
    Op op = rng_.pick({Op::Add, Op::Sub, Op::Mul, Op::Min, Op::Max});
    add(b_.binary(op, pick(e), pick(e)));
  }
  void int_op() {
    Elem e = int_elem();
    Op op = rng_.pick({Op::Add, Op::Sub, Op::Mul, Op::Min, Op::Max, Op::And, Op::Or, Op::Xor,
                       Op::MulHi, Op::Shl, Op::Shr});
    bool shift = op == Op::Shl || op == Op::Shr;
    if (op == Op::MulHi && bits(e) < 32) op = Op::Mul;
    add(b_.binary(op, pick(e), pick(shift ? Elem::S32 : e)));
  }
  void compare() {
    Elem e = any_elem();
    int preds = e == Elem::I1 ? 2 : 6;
    add(b_.compare(static_cast<Compare>(rng_.below(preds)), pick(e), pick(e)));
  }
  void select() {
    Elem e = any_elem();
    add(b_.emit(Op::Select, {pick(Elem::I1), pick(e), pick(e)}));
  }
  void logic() {
    Op op = rng_.pick({Op::And, Op::Or, Op::Xor});
    add(b_.binary(op, pick(Elem::I1), pick(Elem::I1)));
  }
  void unary() {
    Elem f = float_elem(), i = rng_.pick({Elem::S32, Elem::S64, Elem::U32});
    switch (rng_.below(8)) {
      case 0: return add(b_.emit(Op::Neg, {pick(f)}));
      case 1: return add(b_.emit(Op::Abs, {pick(f)}));
      case 2: return add(b_.emit(Op::Neg, {pick(Elem::S32)}));
      case 3: return add(b_.emit(Op::Not, {pick(rng_.one_in(2) ? Elem::I1 : i)}));
      case 4: return add(b_.emit(rng_.pick({Op::Popc, Op::Clz}), {pick(i)}));
      case 5: return add(b_.emit(Op::Brev, {pick(i)}));
      case 6: return add(b_.emit(Op::Sqrt, {pick(f)}));
      default: {
        Elem e = rng_.pick({Elem::F32, Elem::F64});
        return add(b_.emit(Op::Round, scalar(e), {pick(e)}, {{Key::Round, rng_.below(4), {}}}));
      }
    }
  }
  void division() {
    if (rng_.one_in(2)) {
      Elem e = float_elem();
      return add(b_.binary(Op::Div, pick(e), pick(e)));
    }
    Elem e = rng_.pick({Elem::S32, Elem::U32, Elem::U64});
    ValueId odd =
        b_.binary(Op::Or, b_.binary(Op::And, pick(e), b_.constant(e, 126)), b_.constant(e, 1));
    add(b_.binary(rng_.pick({Op::Div, Op::Rem}), pick(e), odd));
  }
  void convert() {
    Elem from = any_elem(), to = any_elem();
    if (from == to) return;
    // The bits of an f64 NaN are the device's own.
    if (bits(from) == bits(to) && rng_.one_in(3) && from != Elem::I1 && from != Elem::F64)
      return add(b_.emit(Op::Bitcast, scalar(to), {pick(from)}));
    std::vector<Attr> attrs;
    bool ints = !is_float(from) && !is_float(to);
    if (!ints) attrs.push_back({Key::Round, rng_.below(4), {}});
    if (to != Elem::I1 && rng_.one_in(4)) attrs.push_back({Key::Saturate, 1, {}});
    add(b_.emit(Op::Cast, scalar(to), {pick(from)}, attrs));
  }

  void memory() {
    if (rng_.one_in(2)) {
      // Neighbours of the tensor, masked where they lie outside.
      ValueId at = b_.binary(Op::Add, i_, number(rng_.between(-2, 2)));
      ValueId size = k_.axes[0].bound ? number(*k_.axes[0].bound) : k_.axis_sizes[0];
      ValueId in = b_.binary(Op::And, b_.compare(Compare::Ge, at, number(0)),
                             b_.compare(Compare::Lt, at, size));
      std::vector<Attr> attrs;
      if (rng_.one_in(2)) attrs.push_back({Key::Order, static_cast<int>(MemOrder::Const), {}});
      if (rng_.one_in(3)) attrs.push_back({Key::Cache, rng_.below(3), {}});
      bool f = rng_.one_in(2);
      if (rng_.one_in(4)) act(Op::Prefetch, {f ? x_ : xi_, at});
      return add(
          b_.emit(Op::Load, scalar(f ? Elem::F32 : Elem::S32), {f ? x_ : xi_, at, in}, attrs));
    }
    Elem e = k_.type(xh_).elem;
    ValueId v = b_.emit(Op::Load, vector(e, 4), {xh_, i4_, inside_});
    for (int i = 0; i < 4; ++i)
      if (rng_.one_in(2)) add(b_.emit(Op::Extract, scalar(e), {v}, {{Key::Index, i, {}}}));
  }

  // ---- control
  // -----------------------------------------------------------------------------------
  void control(bool uniform, int depth) {
    switch (rng_.below(5)) {
      case 0:
      case 1: return branch(uniform, depth);
      case 2: return while_loop(uniform, depth);
      default: return for_loop(uniform, depth);
    }
  }

  /// Types of what an op carries out of its regions.
  std::vector<Elem> carried() {
    std::vector<Elem> types;
    for (int n = rng_.below(3); n > 0; --n) types.push_back(any_elem());
    return types;
  }

  template <class Body>
  Region region(std::vector<ValueId> args, Body body) {
    Region r;
    r.args = std::move(args);
    Scope outer = scope_;
    b_.open(r);
    for (ValueId v : r.args) add(v);
    body();
    b_.close();
    scope_ = std::move(outer);
    return r;
  }

  std::vector<ValueId> new_values(const std::vector<Elem>& types) {
    std::vector<ValueId> values;
    for (Elem e : types) values.push_back(k_.new_value(scalar(e)));
    return values;
  }
  std::vector<ValueId> pick_all(const std::vector<Elem>& types) {
    std::vector<ValueId> values;
    for (Elem e : types) values.push_back(pick(e));
    return values;
  }
  void finish(Operation op) {
    std::vector<ValueId> out = op.out;
    b_.append(std::move(op));
    for (ValueId v : out) add(v);
  }

  void branch(bool uniform, int depth) {
    bool agreed = uniform && rng_.one_in(2);
    std::vector<Elem> types = carried();
    Operation op{.op = Op::If,
                 .in = {agreed ? pick_shared(Elem::I1) : pick(Elem::I1)},
                 .out = {},
                 .attrs = {},
                 .regions = {},
                 .loc = {}};
    for (int arm = 0; arm < 2; ++arm)
      op.regions.push_back(region({}, [&] {
        statements(rng_.below(arm == 0 ? 4 : 3), agreed, depth + 1);
        act(Op::Yield, pick_all(types));
      }));
    op.out = new_values(types);
    finish(std::move(op));
  }

  void for_loop(bool uniform, int depth) {
    std::vector<Elem> types = carried();
    bool fixed = rng_.one_in(2);
    Elem e = rng_.pick({Elem::S32, Elem::S32, Elem::U32, Elem::S64});
    // A bound of 0..7: constant, of the block, or (in code of one thread) of the thread.
    ValueId hi = fixed ? b_.constant(e, rng_.below(6))
                       : b_.binary(Op::And, uniform ? pick_shared(e) : pick(e), b_.constant(e, 7));
    Operation op{.op = Op::For,
                 .in = {b_.constant(e, rng_.below(2)), hi, b_.constant(e, rng_.between(1, 2))},
                 .out = {},
                 .attrs = {},
                 .regions = {},
                 .loc = {}};
    if (rng_.one_in(2)) op.set(Key::Unroll, std::int64_t{rng_.between(fixed ? 0 : 1, 4)});
    for (ValueId v : pick_all(types)) op.in.push_back(v);
    std::vector<ValueId> args = new_values(types);
    ValueId index = k_.new_value(scalar(e));
    args.insert(args.begin(), index);
    op.regions.push_back(region(args, [&] {
      if (uniform) share(index);
      statements(rng_.below(4), uniform, depth + 1);
      act(Op::Yield, pick_all(types));
    }));
    op.out = new_values(types);
    finish(std::move(op));
  }

  void while_loop(bool uniform, int depth) {
    std::vector<Elem> types = carried();
    ValueId limit =
        b_.binary(Op::And, uniform ? pick_shared(Elem::S32) : pick(Elem::S32), number(3));
    Operation op{
        .op = Op::While, .in = pick_all(types), .out = {}, .attrs = {}, .regions = {}, .loc = {}};
    op.in.insert(op.in.begin(), number(0));
    std::vector<Elem> all = types;
    all.insert(all.begin(), Elem::S32);
    std::vector<ValueId> head = new_values(all), body = new_values(all);
    op.regions.push_back(region(head, [&] {
      statements(rng_.below(2), false, 3);
      std::vector<ValueId> end = head;
      end.insert(end.begin(), b_.compare(Compare::Lt, head[0], limit));
      act(Op::Condition, end);
    }));
    op.regions.push_back(region(body, [&] {
      statements(rng_.below(3), uniform, depth + 1);
      std::vector<ValueId> end = pick_all(types);
      end.insert(end.begin(), b_.binary(Op::Add, body[0], number(1)));
      act(Op::Yield, end);
    }));
    op.out = new_values(all);
    finish(std::move(op));
  }

  // ---- what a block does together
  // ----------------------------------------------------------------
  ValueId new_slot(Elem e, std::int64_t extent, int copies = 1) {
    std::string name = "s" + std::to_string(k_.slots.size());
    ValueId v = k_.new_value(pointer(e, Space::Shared), name);
    k_.slots.push_back({name, e, extent, copies, v, {}});
    return v;
  }

  /// A permutation of the ranks, as an s32.
  ValueId permuted() {
    int power = threads_ & -threads_;  // xor within it stays inside
    switch (rng_.below(4)) {
      case 0: return rank_;
      case 1: return b_.binary(Op::Xor, rank_, number(rng_.below(power)));
      case 2: return b_.binary(Op::Sub, number(threads_ - 1), rank_);
      default: {
        ValueId turned = b_.binary(Op::Add, rank_, number(rng_.below(threads_)));
        return b_.binary(Op::Rem, turned, number(threads_));
      }
    }
  }

  /// Through a slot: a new one, or one that was used before.
  void slot_exchange() {
    Elem e = rng_.pick({Elem::F32, Elem::S32, Elem::F16, Elem::U8});
    if (buffers_.empty() || rng_.one_in(2)) buffers_.push_back({new_slot(e, threads_), e});
    Buffer r = rng_.pick(buffers_);
    act(Op::Store, {r.slot, permuted(), pick(r.elem)});
    for (int n = rng_.between(1, 2); n > 0; --n)
      add(b_.emit(Op::Load, scalar(r.elem), {r.slot, permuted()}));
  }

  void vector_exchange() {
    Elem e = rng_.pick({Elem::F32, Elem::F16, Elem::S32});
    ValueId slot = new_slot(e, 4 * threads_);
    std::vector<ValueId> lanes;
    for (int i = 0; i < 4; ++i) lanes.push_back(pick(e));
    ValueId at = b_.binary(Op::Mul, permuted(), number(4));
    act(Op::Store, {slot, at, b_.emit(Op::Pack, vector(e, 4), lanes)});
    int width = rng_.pick({2, 4});
    ValueId from = b_.binary(Op::Mul, permuted(), number(4));
    std::vector<Attr> attrs;
    if (width == 2 && rng_.one_in(2)) attrs.push_back({Key::Offset, 2, {}});
    ValueId v = b_.emit(Op::Load, vector(e, width), {slot, from}, attrs);
    for (int i = 0; i < width; ++i)
      add(b_.emit(Op::Extract, scalar(e), {v}, {{Key::Index, i, {}}}));
  }

  /// A loop that writes and reads the copies of a slot in turn.
  void ring_loop(int depth) {
    Elem e = rng_.pick({Elem::F32, Elem::S32});
    ValueId slot = new_slot(e, threads_, rng_.between(2, 3));
    Operation op{.op = Op::For,
                 .in = {number(0), b_.binary(Op::And, pick_shared(Elem::S32), number(7)), number(1),
                        number(rng_.below(3)), pick(e)},
                 .out = {},
                 .attrs = {},
                 .regions = {},
                 .loc = {}};
    if (rng_.one_in(3)) op.set(Key::Unroll, std::int64_t{2});
    std::vector<ValueId> args = new_values({Elem::S32, Elem::S32, e});
    op.regions.push_back(region(args, [&] {
      share(args[0]);
      share(args[1]);
      bool by_index = rng_.one_in(3);  // the loop's own counter, or one that it carries
      ValueId count = args[by_index ? 0 : 1];
      for (int n = rng_.between(1, 2); n > 0; --n) {
        ValueId copy = b_.emit(Op::SlotAt, {slot, count});
        act(Op::Store, {copy, permuted(), pick(e)});
        if (rng_.one_in(2)) statements(1, true, depth + 1);
        add(b_.emit(Op::Load, scalar(e), {copy, permuted()}));
        count = b_.binary(Op::Add, count, number(1));
      }
      act(Op::Yield, {count, pick(e)});
    }));
    op.out = new_values({Elem::S32, e});
    finish(std::move(op));
  }

  /// Counts by relaxed atomics, whose old values nobody reads.
  void histogram() {
    ValueId slot = new_slot(Elem::S32, threads_);
    act(Op::Store, {slot, rank_, number(0)});
    ValueId bin = b_.binary(Op::And, pick(Elem::S32), number(15));
    Operation op{.op = Op::Atomic,
                 .in = {slot, bin, pick(Elem::S32)},
                 .out = {},
                 .attrs = {},
                 .regions = {},
                 .loc = {}};
    op.set(Key::Rmw, static_cast<std::int64_t>(
                         rng_.pick({RmwKind::Add, RmwKind::Min, RmwKind::Max, RmwKind::Or})));
    op.set(Key::Order, static_cast<std::int64_t>(MemOrder::Relaxed));
    op.set(Key::Scope, static_cast<std::int64_t>(MemScope::Cta));
    b_.append(std::move(op));
    add(b_.emit(Op::Load, scalar(Elem::S32), {slot, permuted()}));
  }

  void reduction() {
    Elem e = rng_.pick({Elem::F32, Elem::F32, Elem::S32, Elem::F16, Elem::U32});
    Op fold = rng_.pick({Op::Add, Op::Max, Op::Min});
    int n = rng_.between(1, 2);
    bool block = rng_.one_in(2);
    Operation op{.op = Op::Reduce, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = {}};
    op.set(Key::Team, static_cast<std::int64_t>(block ? Team::Cta : Team::Warp));
    for (int i = 0; i < n; ++i) op.in.push_back(pick(e));
    for (int i = 0; i < n; ++i) op.in.push_back(b_.constant(e, 0));
    std::vector<ValueId> args = new_values(std::vector<Elem>(static_cast<std::size_t>(2 * n), e));
    Region r;
    r.args = args;
    b_.open(r);
    std::vector<ValueId> folded;
    for (int i = 0; i < n; ++i) folded.push_back(b_.binary(fold, args[i], args[n + i]));
    act(Op::Yield, folded);
    b_.close();
    op.regions.push_back(std::move(r));
    op.out = new_values(std::vector<Elem>(static_cast<std::size_t>(n), e));
    std::vector<ValueId> out = op.out;
    b_.append(std::move(op));
    for (ValueId v : out) block ? share(v) : add(v);
  }

  void warp_op() {
    Elem e = rng_.pick({Elem::F32, Elem::S32, Elem::F16, Elem::S64, Elem::I1});
    switch (rng_.below(3)) {
      case 0: {
        int mode = rng_.below(4);
        bool computed = mode == static_cast<int>(ShuffleMode::Index) && rng_.one_in(2);
        ValueId lane = computed ? pick(Elem::S32) : number(rng_.below(32));
        return add(b_.emit(Op::Shuffle, {pick(e), lane}, {{Key::Mode, mode, {}}}));
      }
      case 1: {
        int mode = rng_.below(3);
        Type t = scalar(mode == 2 ? Elem::U32 : Elem::I1);
        return add(b_.emit(Op::Vote, t, {pick(Elem::I1)}, {{Key::Vote, mode, {}}}));
      }
      default: add(b_.emit(Op::LaneId, {})); return add(b_.emit(Op::WarpId, {}));
    }
  }

  Random rng_;
  Kernel k_;
  Builder b_;
  Scope scope_;
  std::vector<Buffer> buffers_;
  std::vector<std::int64_t> sizes_;
  int threads_ = 32;
  bool whole_warps_ = true;
  ValueId x_{}, xi_{}, xh_{}, y_{}, yi_{}, yh_{}, scalar_f_{}, scalar_i_{};
  ValueId rank_{}, i_{}, i4_{}, inside_{};
};

}  // namespace

RandomKernel random_thread_kernel(std::uint64_t seed) { return Generator(seed).run(); }

}  // namespace barline::test
