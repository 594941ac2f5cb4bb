// SPDX-License-Identifier: Apache-2.0
// Pure instructions compute all 32 lanes, masked or not. That is safe although registers are
// reused: a lane that is switched off only owns values defined around the region it left (live
// throughout it, so never reused inside) and carried or joined values, which are written under the
// mask.
#include "verify/interp/compile.h"

#include <fmt/format.h>
#include <utility>

#include "ir/diagnostic.h"
#include "verify/interp/fragment.h"
#include "verify/interp/machine.h"
#include "verify/interp/meanings.h"
#include "verify/interp/warpgroup.h"

namespace barline::verify::sim {
namespace {

using namespace ir;

/// For each op of the region, the values defined by its ops that are not used after it.
std::vector<std::vector<ValueId>> dying_after(const Region& r, std::size_t value_count) {
  constexpr std::uint32_t not_here = ~0u;
  std::vector<std::uint32_t> last(value_count, not_here);
  std::vector<ValueId> defined;
  for (std::uint32_t i = 0; i < r.ops.size(); ++i) {
    for (ValueId v : r.ops[i].out) {
      last[v] = i;
      defined.push_back(v);
    }
    auto use = [&](const Operation& op) {
      for (ValueId v : op.in)
        if (last[v] != not_here) last[v] = i;
    };
    use(r.ops[i]);
    for (const Region& inner : r.ops[i].regions) walk(inner, use);
  }
  std::vector<std::vector<ValueId>> dying(r.ops.size());
  for (ValueId v : defined) dying[last[v]].push_back(v);
  return dying;
}

void run_pause(Warp& w, const Inst&) { w.yield = true; }
/// The first warp ends its block; others may come here before it has begun.
void run_leave(Warp& w, const Inst&) {
  if (w.index == 0) w.worker->leave(w);
}

}  // namespace

Compiler::Compiler(const Kernel& k, const Geometry& geometry,
                   std::span<const SimArgument> arguments, std::span<const int> tensor_of_param,
                   bool syncs_placed)
    : k_(k),
      tensor_of_param_(tensor_of_param),
      syncs_placed_(syncs_placed),
      at_(k.values.size()),
      defs_(ir::definitions(k)),
      share_of_layout_(k.layouts.size(), -1) {
  program_.kernel = &k;
  program_.geometry = geometry;
  presets(arguments);
}

/// Scalars and sizes come first; constants and ids follow, before any register can be reused.
void Compiler::presets(std::span<const SimArgument> arguments) {
  using Source = Preset::Source;
  for (std::size_t i = 0; i < k_.params.size(); ++i)
    if (!arguments[i].tensor)
      preset(k_.params[i].value,
             {Source::Bits, 0, arguments[i].scalar.bits, arguments[i].scalar.elem, 0});
  for (std::size_t i = 0; i < k_.axis_sizes.size(); ++i)
    if (k_.axis_sizes[i] != no_value)
      preset(k_.axis_sizes[i],
             {Source::Bits, 0, static_cast<std::uint64_t>(program_.geometry.axis_sizes[i]),
              elem(k_.axis_sizes[i]), 0});
  walk(k_.body, [&](const Operation& op) {
    switch (op.op) {
      case Op::Const:
      case Op::ThreadId:
      case Op::BlockId:
      case Op::GridDim:
      case Op::ThreadRank:
      case Op::LaneId:
      case Op::WarpId: operation(op); break;
      default: break;
    }
  });
}

void Compiler::preset(ValueId v, Preset p) {
  p.elem = elem(v);
  for (const Preset& old : program_.presets)
    if (old.source == p.source && old.dim == p.dim && old.bits == p.bits && old.elem == p.elem)
      return bind(v, {old.at, 0});
  p.at = temporary(p.elem, 1).at;
  program_.presets.push_back(p);
  bind(v, {p.at, 0});
}

Program Compiler::run() {
  constexpr std::int32_t registers_of_sm = 65536, most = 255;
  program_.launch_registers = k_.launch.max_registers;
  if (!program_.launch_registers)
    program_.launch_registers = std::min(most, registers_of_sm / geometry().block_threads());
  walk(k_.body, [&](const Operation& op) { program_.awaits_previous |= op.is(Op::AwaitPrevious); });
  region(k_.body, [](const Operation&) {});
  emit({.run = nullptr});
  program_.register_bytes = registers_.size();
  return std::move(program_);
}

void Compiler::region(const Region& r, const std::function<void(const Operation&)>& end) {
  auto dying = dying_after(r, k_.values.size());
  for (std::size_t i = 0; i < r.ops.size(); ++i) {
    const Operation& op = r.ops[i];
    const Operation* outer = std::exchange(current_, &op);
    if (&op == leave_before_) leave();
    if (op.has(Terminator))
      end(op);
    else
      operation(op);
    current_ = outer;
    for (ValueId v : dying[i])
      if (at_[v].step != 0) give_back(at_[v].at);
  }
}

void Compiler::operation(const Operation& op) {
  if (op.has(Approx)) approximate();
  switch (op.op) {
#define OP(id, ...) \
  case Op::id:      \
    return mean(Tag<Op::id>{}, *this, op);
#include "ir/ops.def"
#undef OP
  }
}

std::uint32_t Compiler::count(const Type& t) {
  if (t.kind == Kind::Vector) return t.lanes;
  if (t.is_tile() && is_fragment(k_.layouts[t.layout]))
    return static_cast<std::uint32_t>(ir::registers(k_.layouts[t.layout]));
  if (t.is_tile()) return static_cast<std::uint32_t>(share_at(share(t)).elements());
  return 1;
}

Operand Compiler::temporary(Elem e, std::uint32_t n) {
  return {registers_.allocate(std::max(n, 1u) * lanes * bytes(e)), 1};
}

Operand Compiler::define(ValueId v) {
  const Type& t = type(v);
  return at_[v] = temporary(t.is_pointer() ? Elem::U32 : t.elem, count(t));
}

std::uint32_t Compiler::emit(Inst inst) {
  program_.code.push_back(inst);
  program_.origin.push_back(current_);
  return here() - 1;
}

void Compiler::leave() { emit({.run = &run_leave, .weight = 1}); }

std::uint32_t Compiler::add(FragmentAccess f) {
  return append(program_.fragments, std::make_shared<const FragmentAccess>(std::move(f)));
}
std::uint32_t Compiler::add(DotPlan plan) {
  return append(program_.dots, std::make_shared<const DotPlan>(std::move(plan)));
}
std::uint32_t Compiler::add(Places places) {
  return append(program_.places, std::make_shared<const Places>(std::move(places)));
}

std::uint32_t Compiler::add(ProductPlan plan) {
  return append(program_.products, std::make_shared<const ProductPlan>(std::move(plan)));
}

std::uint32_t Compiler::share(const Type& tile) {
  int& known = share_of_layout_[tile.layout];
  if (known >= 0) return static_cast<std::uint32_t>(known);
  StripeShape s = stripe_shape(k_.layouts[tile.layout]);
  TileShare t{.size = geometry().axis_sizes[s.axis], .vec = s.vec, .threads = s.threads};
  std::int64_t step = t.vec * t.threads;
  t.chunks = std::max<std::int64_t>(s.chunks, 1);
  if (!s.over_grid && (s.chunks == 0 || !k_.axes[s.axis].bound))
    t.chunks = (t.size + step - 1) / step;
  if (s.over_grid)
    for (int d = 0; d < 3; ++d)
      if (k_.launch.grid[d].axis == s.axis) t.grid_dim = d;
  bool whole_block = t.threads == geometry().block_threads();
  if (!whole_block || (s.over_grid && t.grid_dim < 0))
    fail(Diag::BadLaunch, {},
         fmt::format("a tile spread over {} threads{} in a block of {}", t.threads,
                     s.over_grid ? " and the grid" : "", geometry().block_threads()),
         "make the block and the grid those of the tile's layout");
  known = static_cast<int>(append(program_.shares, t));
  return static_cast<std::uint32_t>(known);
}

Access Compiler::access(const Operation& op) {
  Root root = root_of(k_, defs_, op.in[0]);
  Access a;
  a.param = root.param;
  a.slot = root.slot;
  if (root.param >= 0) a.tensor = tensor_of_param_[root.param];
  if (root.chosen != no_value) {
    a.copy = in(op.in[0]);
    for (int p : root.params) a.choices.push_back({tensor_of(p), p});
  }
  a.elem = elem(op.in[0]);
  a.rotating = root.use != no_value;
  if (a.rotating) a.copy = in(op.in[0]);
  a.index = in(op.in[1]);
  a.index_elem = elem(op.in[1]);
  a.offset = op.attr(Key::Offset);
  a.order = op.attr_as<MemOrder>(Key::Order);
  bool atomic = op.is(Op::Atomic) || op.is(Op::AtomicCas);
  if (atomic && a.order < MemOrder::Relaxed) a.order = MemOrder::Relaxed;
  a.wide = op.attr_as<MemScope>(Key::Scope) >= MemScope::Gpu;
  if (a.strong() && a.tensor >= 0) program_.blocks_talk = true;
  // Where barriers are not placed yet, a slot is accessed in program order over the block: a warp
  // waits before each access until no other warp stands earlier.
  if (a.slot >= 0 && !syncs_placed_) emit({.run = &run_pause});
  return a;
}

void Compiler::refuse(const Operation& op, std::string message) const {
  fail(Diag::WrongClass, op.loc, fmt::format("{}: {}", name(op.op), message),
       "use an element type that the operation's row in docs/ops.md lists");
}

}  // namespace barline::verify::sim
