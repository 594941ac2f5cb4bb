// SPDX-License-Identifier: Apache-2.0
#include "ir/fragment_rules_p.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/cluster_share.h"
#include "ir/copy_share.h"
#include "ir/diagnostic.h"
#include "ir/fragment_merge.h"
#include "ir/fragment_use.h"
#include "ir/op_rules_p.h"
#include "ir/packing.h"
#include "ir/print.h"

namespace barline::ir {
namespace {

const Layout& layout_of(const Kernel& k, ValueId tile) { return k.layouts[k.type(tile).layout]; }

std::string text(const Kernel& k, ValueId v) { return to_string(k, k.type(v)); }

bool is_fragment_op(const Operation& op) {
  switch (op.op) {
    case Op::FragmentLoad:
    case Op::FragmentStore:
    case Op::FragmentIndex:
    case Op::Dot:
    case Op::Fold:
    case Op::Merge:
    case Op::Spread: return true;
    default: return false;
  }
}

/// Stripes and fragments do not mix.
void check_kinds(const Kernel& k, const Operation& op) {
  bool fragments = is_fragment_op(op);
  bool stripes = op.is(Op::TileStore) || op.is(Op::TileLoad) || op.is(Op::TileIndex) ||
                 (op.is(Op::Reduce) && !op.in.empty());
  if (!fragments && !stripes) return;
  for (ValueId v : op.in) {
    if (!k.type(v).is_tile() || is_fragment(layout_of(k, v)) == fragments) continue;
    fail(Diag::BadFragment, op.loc,
         fmt::format("{} of a {}, which is a {}", name(op.op), text(k, v),
                     fragments ? "stripe" : "fragment"),
         fragments ? "load it with fragment_load"
                   : "use fold and fragment_store: reduce and tile_store take stripes");
  }
}

/// The tensor's axes along which the box of a load or store lies, for each tensor that it may be.
std::vector<Box> boxes(const Kernel& k, const Operation& op, const Layout& tile) {
  std::vector<Box> all;
  std::vector<int> params = sources_of(k, definitions(k), op);
  if (params.empty())
    fail(Diag::BadFragment, op.loc, fmt::format("{} of a slot that nothing fills", name(op.op)),
         "fill the slot from a tensor: its axes are the box's");
  for (int i : params) {
    const Param& p = k.params[i];
    std::optional<Box> box = box_of(k, p, tile);
    if (!box)
      fail(Diag::BadFragment, op.loc,
           fmt::format("{} of '{}' by a tile over other axes than its last two", name(op.op),
                       p.name),
           "spread the tile over axes that the tensor has, or that its axes are derived from");
    all.push_back(*box);
  }
  return all;
}

void check_words(const Kernel& k, const Operation& op, const Box& box) {
  Elem code = k.type(op.out[0]).elem;
  int per_word = 32 / bits(code);
  switch (words_of(k, op)) {
    case Words::None: return;
    case Words::Portable:
      if (box.col.quotient && box.col.per == per_word && box.col.times == 1) return;
      fail(Diag::BadFragment, op.loc, fmt::format("{} in words of u32", name(code)),
           fmt::format("derive the words' innermost axis from the tile's, {} elements a word",
                       per_word));
    case Words::Packed: {
      Packing p{code};
      bool fits = box.row.quotient && box.row.per == p.unit_n() && box.row.times == 1 &&
                  box.col.quotient && box.col.per == Packing::unit_k &&
                  box.col.times == Packing::unit_words;
      if (fits) return;
      fail(Diag::BadFragment, op.loc, fmt::format("packed {}", name(code)),
           fmt::format("derive the image's axes as ir/packing.h has them: n by {}, k by {} times "
                       "{} words",
                       p.unit_n(), Packing::unit_k, Packing::unit_words));
    }
  }
}

void check_slot_columns(const Kernel& k, const Operation& op, const Root& root) {
  std::int64_t columns = op.attr(Key::Columns);
  std::int64_t extent = k.slots[root.slot].extent;
  if (columns < 1 || extent % columns != 0)
    fail(Diag::BadFragment, op.loc,
         fmt::format("{} of '{}', {} elements in rows of {}", name(op.op), k.slots[root.slot].name,
                     extent, columns),
         "say in `columns` how many elements a row of the slot has");
}

void check_fragment_load(const Kernel& k, const Operation& op) {
  if (op.out.empty())
    fail(Diag::BadStructure, op.loc, "fragment_load without a result", "give it one");
  const Type &tile = k.type(op.out[0]), &root_type = k.type(op.in[0]);
  Words words = words_of(k, op);
  if (tile.elem != root_type.elem && words == Words::None)
    fail(Diag::TypeMismatch, op.loc,
         fmt::format("fragment_load of {} through a {}", to_string(k, tile), to_string(root_type)),
         "load the tensor's element type (s4 and s8 may lie in u32 words), then cast");
  if (op.attr(Key::Packed) != 0 && (op.attr(Key::Packed) != 1 || words == Words::None))
    fail(Diag::BadAttr, op.loc, fmt::format("fragment_load of {} with packed", to_string(k, tile)),
         "packed = 1 is for s4 and s8 in u32 words");
  Root root = root_of(k, definitions(k), op.in[0]);
  if (root.slot >= 0) check_slot_columns(k, op, root);
  for (const Box& box : boxes(k, op, layout_of(k, op.out[0]))) {
    check_words(k, op, box);
    bool image = (box.row.quotient && box.row.times > 1) || (box.col.quotient && box.col.times > 1);
    if (image && words != Words::Packed)
      fail(Diag::BadFragment, op.loc,
           fmt::format("fragment_load of {} along an axis that is derived by a factor",
                       to_string(k, tile)),
           "only packed images have several elements a group (packed = 1)");
  }
}

void check_fragment_store(const Kernel& k, const Operation& op) {
  if (k.type(op.in[0]).space == Space::Shared)
    fail(Diag::BadFragment, op.loc, "fragment_store to a slot", "store it to a parameter");
  for (const Box& box : boxes(k, op, layout_of(k, op.in[4])))
    if (box.row.quotient || box.col.quotient)
      fail(Diag::BadFragment, op.loc,
           fmt::format("fragment_store of {} along a derived axis", text(k, op.in[4])),
           "several elements would go to one place: store along the tensor's own axes");
}

void check_axis(const Kernel& k, const Operation& op, const Layout& tile) {
  std::vector<int> axes = tile_axes(tile);
  auto axis = op.find(Key::Axis) ? op.attr(Key::Axis) : -1;
  if (std::find(axes.begin(), axes.end(), axis) != axes.end()) return;
  fail(Diag::BadAttr, op.loc,
       fmt::format("{} along {} of a tile over @{}", name(op.op),
                   axis >= 0 && axis < std::ssize(k.axes)
                       ? fmt::format("axis '{}'", k.axes[static_cast<std::size_t>(axis)].name)
                       : std::string("no axis"),
                   tile.name),
       "name an axis of the tile");
}

void check_fragment_index(const Kernel& k, const Operation& op) {
  check_axis(k, op, layout_of(k, op.out[0]));
  if (k.type(op.out[0]).elem != Elem::S32)
    fail(Diag::TypeMismatch, op.loc, fmt::format("fragment_index gives a {}", text(k, op.out[0])),
         "make its result a tile of s32");
}

void check_fill(const Kernel& k, const Operation& op) {
  auto defs = definitions(k);
  Root to = root_of(k, defs, op.in[0]), from = root_of(k, defs, op.in[1]);
  if (to.slot < 0 || from.param < 0)
    fail(Diag::BadRoot, op.loc, "fill of something that is no slot, or from no parameter",
         "fill a slot of the kernel from a tensor");
  const Slot& slot = k.slots[to.slot];
  std::int64_t rows = op.attr(Key::Rows), columns = op.attr(Key::Columns);
  bool whole = rows >= 1 && rows <= slot.extent && columns >= 1 && columns <= slot.extent &&
               rows * columns == slot.extent;
  if (!whole || bits(slot.elem) < 8)
    fail(Diag::BadFragment, op.loc,
         fmt::format("fill of '{}', {} {}, with {} x {}", slot.name, slot.extent, name(slot.elem),
                     rows, columns),
         "give the slot rows x columns elements of at least 8 bits (s4: in words of u32)");
  auto by = op.attr_as<Agent>(Key::Agent);
  int vector = copy_share(rows, columns, bytes(slot.elem), 1).vec * bytes(slot.elem);
  if ((by != Agent::Lane && by != Agent::CpAsync) || (by == Agent::CpAsync && vector < 4))
    fail(Diag::BadAttr, op.loc,
         fmt::format("fill by {} of rows of {} bytes",
                     spellings(info(Key::Agent).kind)[static_cast<std::size_t>(by)],
                     columns * bytes(slot.elem)),
         "fill by lane, or by cp_async where rows are a multiple of 4 bytes");
  for (int i : from.params) {
    const Param& p = k.params[i];
    if (p.access == Access::Out)
      fail(Diag::ReadOfOutput, op.loc, fmt::format("fill from '{}'", p.name),
           "declare the parameter In");
    if (p.access != Access::In && by == Agent::CpAsync)
      fail(Diag::WriteToInput, op.loc,
           fmt::format("fill by cp_async from '{}', which this kernel may write", p.name),
           "declare the parameter In, or fill by lane");
    if (p.axes.size() == 1 && rows != 1)
      fail(Diag::BadFragment, op.loc, fmt::format("fill of {} rows from '{}'", rows, p.name),
           "a tensor of one axis has one row");
  }
}

void check_dot(const Kernel& k, const Operation& op) {
  const Type &acc = k.type(op.in[0]), &a = k.type(op.in[1]);
  bool halves = a.elem == Elem::F16 || a.elem == Elem::BF16;
  if ((halves && acc.elem == Elem::F32) || (a.elem == Elem::S8 && acc.elem == Elem::S32)) {
    bool fits =
        product_of(layout_of(k, op.in[0]), layout_of(k, op.in[1]), layout_of(k, op.in[2]), a.elem)
            .has_value();
    if (fits && k.type(op.out[0]) == acc) return;
    fail(Diag::BadFragment, op.loc,
         fmt::format("dot of {}, {} and {}", text(k, op.in[0]), text(k, op.in[1]),
                     text(k, op.in[2])),
         "take the layouts of one block tile: acc over (m, n), a over (m, k), b over (k, n)");
  }
  fail(Diag::WrongClass, op.loc, fmt::format("dot of {} into {}", name(a.elem), name(acc.elem)),
       "multiply f16 or bf16 into f32, or s8 into s32");
}

/// Of a cluster's blocks: each of them gets a share of the tile.
void check_cluster_merge(const Kernel& k, const Operation& op) {
  const auto parts = static_cast<int>(op.attr(Key::Parts));
  const Layout &from = layout_of(k, op.in[0]), &to = layout_of(k, op.out[0]);
  if (parts != k.launch.cluster)
    fail(Diag::BadFragment, op.loc,
         fmt::format("merge of the parts of {} blocks in clusters of {}", parts, k.launch.cluster),
         "let each block of the cluster hold a part");
  if (share_axis(from, to, parts)) return;
  fail(Diag::BadFragment, op.loc,
       fmt::format("merge of {} parts of {} to {}", parts, text(k, op.in[0]), text(k, op.out[0])),
       "give the result the operand's layout with a part of one axis' register groups "
       "(ir/cluster_share.h)");
}

void check_merge(const Kernel& k, const Operation& op) {
  if (op.attr_as<Team>(Key::Team) == Team::Cluster) return check_cluster_merge(k, op);
  if (op.attr_as<Team>(Key::Team) != Team::Warp) return;
  const Layout &from = layout_of(k, op.in[0]), &to = layout_of(k, op.out[0]);
  const auto parts = static_cast<int>(op.attr(Key::Parts));
  bool fits = parts > 1 && tile_axes(from).size() == 2 && has_parts(from, parts) &&
              same_places(to, merged_layout({}, from, parts));
  if (fits && k.type(op.in[0]).elem == Elem::F32) return;
  fail(Diag::BadFragment, op.loc,
       fmt::format("merge of {} parts of {} to {}", parts, text(k, op.in[0]), text(k, op.out[0])),
       "merge f32 tiles whose slowest warps hold a part each; ir/fragment_merge.h has the layout "
       "of the sum");
}

/// Lanes that divide the axis are a power of two, and one warp has all of it.
bool folds_in_warp(const Layout& tile, int axis) {
  return std::all_of(tile.digits.begin(), tile.digits.end(), [&](const Digit& d) {
    if (d.axis != axis || d.step == 0 || d.extent == 1) return true;
    return d.in != In::Warp && (d.in != In::Lane || (d.extent & (d.extent - 1)) == 0);
  });
}

void check_fold(const Kernel& k, const Operation& op) {
  std::size_t n = op.out.size();
  if (n == 0 || op.in.size() != n)
    fail(Diag::BadStructure, op.loc, "fold without one tile a result",
         "fold each tile to a result");
  const Layout& tile = layout_of(k, op.in[0]);
  check_axis(k, op, tile);
  int axis = static_cast<int>(op.attr(Key::Axis));
  if (tile_axes(tile).size() != 2 || !folds_in_warp(tile, axis))
    fail(Diag::BadFragment, op.loc,
         fmt::format("fold of {} along axis '{}'", text(k, op.in[0]), k.axes[axis].name),
         "fold a tile over two axes, along one that a single warp holds");
  for (std::size_t i = 0; i < n; ++i) {
    const Type &in = k.type(op.in[i]), &out = k.type(op.out[i]);
    bool same = in.layout == k.type(op.in[0]).layout && in.elem == out.elem;
    if (same && same_places(layout_of(k, op.out[i]), without_axis(tile, axis))) continue;
    fail(Diag::BadFragment, op.loc,
         fmt::format("fold of {} to {}", text(k, op.in[i]), text(k, op.out[i])),
         "fold tiles of one layout; the results have its other axis alone");
  }
  check_combine(op);
}

void check_spread(const Kernel& k, const Operation& op) {
  if (k.type(op.in[0]).is_scalar()) return;
  const Layout &from = layout_of(k, op.in[0]), &to = layout_of(k, op.out[0]);
  std::vector<int> have = tile_axes(from), want = tile_axes(to);
  bool fits = have.size() == 1 && want.size() == 2 &&
              std::find(want.begin(), want.end(), have[0]) != want.end();
  if (fits) fits = same_places(from, without_axis(to, have[0] == want[0] ? want[1] : want[0]));
  if (!fits)
    fail(Diag::BadFragment, op.loc,
         fmt::format("spread of {} to {}", text(k, op.in[0]), text(k, op.out[0])),
         "spread a scalar, or a tile over one axis of the result, laid out as fold would leave it");
}

}  // namespace

void check_whole_warps(const Kernel& k, const Operation& op) {
  int threads = k.launch.block_threads();
  if (threads <= warp_size || threads % warp_size == 0) return;
  int below = threads / warp_size * warp_size;
  fail(Diag::PartialWarp, op.loc, fmt::format("{} in a block of {} threads", name(op.op), threads),
       fmt::format("make the block a multiple of {} threads: {} or {}", warp_size, below,
                   below + warp_size));
}

/// Warps that the layout's digits count, unless the slowest only repeat and count past the block's.
std::int64_t warps_counted(const Kernel& k, const Layout& layout) {
  std::int64_t all = extent(layout.digits, In::Warp), have = k.launch.block_threads() / warp_size;
  const Digit* slowest = nullptr;
  for (const Digit& d : layout.digits)
    if (d.in == In::Warp) slowest = &d;
  bool past = slowest && slowest->step == 0 && all > have;
  std::int64_t once = past ? all / slowest->extent : all;
  return past && once <= have && all - once < have ? have : all;
}

void check_fragment(const Kernel& k, const Operation& op, const Layout& layout) {
  check_whole_warps(k, op);
  double lanes = 1, warps = 1, regs = 1;
  bool digits = true;
  for (const Digit& d : layout.digits) {
    digits = digits && d.extent >= 1 && (d.in == In::Reg || d.in == In::Lane || d.in == In::Warp);
    digits = digits && d.step >= 0 && d.step < (1 << 20) && (d.in != In::Reg || d.step > 0);
    (d.in == In::Lane ? lanes : d.in == In::Warp ? warps : regs) *= static_cast<double>(d.extent);
  }
  std::size_t axes = digits ? tile_axes(layout).size() : 0;
  // Beside gates some warps may have other jobs than to hold fragments.
  bool gates =
      std::any_of(k.slots.begin(), k.slots.end(), [](const Slot& s) { return s.is_gate(); });
  int threads = k.launch.block_threads();
  bool few = digits && warps <= 1024;  // what counts them takes integers
  bool all = gates ? lanes * warps <= threads
                   : few && lanes * static_cast<double>(warps_counted(k, layout)) == threads;
  bool fits = digits && lanes == warp_size && all && regs <= 1024 && axes >= 1 && axes <= 2;
  bool groups = axes != 2 || static_cast<int>(regs) % 4 == 0;
  if (!fits || !groups)
    fail(Diag::BadFragment, op.loc,
         fmt::format("{} of a tile over @{}, which is no fragment over {} threads", name(op.op),
                     layout.name, k.launch.block_threads()),
         "give its digits 32 lanes and the block's warps, one or two axes, and of two axes a "
         "multiple of 4 registers");
}

void check_fragment_rules(const Kernel& k, const Operation& op) {
  check_kinds(k, op);
  switch (op.op) {
    case Op::FragmentLoad: return check_fragment_load(k, op);
    case Op::FragmentStore: return check_fragment_store(k, op);
    case Op::FragmentIndex: return check_fragment_index(k, op);
    case Op::Fill: return check_fill(k, op);
    case Op::Dot: return check_dot(k, op);
    case Op::Fold: return check_fold(k, op);
    case Op::Merge: return check_merge(k, op);
    case Op::Spread: return check_spread(k, op);
    default: return;
  }
}

}  // namespace barline::ir
