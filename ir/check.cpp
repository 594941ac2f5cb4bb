// SPDX-License-Identifier: Apache-2.0
// The rules in the order in which a reader would ask: is the header sound, is every op what its row
// says, is every value defined before its use and in scope, do regions end as they must, and do
// convergent ops stand where their whole team comes.
#include "ir/check.h"

#include <fmt/format.h>
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <set>

#include "ir/async_rules_p.h"
#include "ir/builder.h"
#include "ir/diagnostic.h"
#include "ir/extents.h"
#include "ir/op_rules_p.h"
#include "ir/print.h"
#include "ir/uniformity.h"

namespace barline::ir {

bool is_name(std::string_view s) {
  if (s.empty() || s.size() > 255 || std::isdigit(static_cast<unsigned char>(s[0]))) return false;
  return std::all_of(s.begin(), s.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

namespace {

void check_name(std::string_view name, std::string_view what, const Loc& loc) {
  if (!is_name(name)) fail(Diag::BadName, loc, fmt::format("{} '{}'", what, name), "rename it");
}

void check_launch(const Kernel& k) {
  const Launch& l = k.launch;
  bool positive = l.threads[0] > 0 && l.threads[1] > 0 && l.threads[2] > 0;
  if (!positive || l.threads[0] > 1024 || l.threads[1] > 1024 || l.threads[2] > 64 ||
      l.block_threads() > 1024)
    fail(Diag::BadLaunch, {},
         fmt::format("a block of {}x{}x{} threads in @{}", l.threads[0], l.threads[1], l.threads[2],
                     k.name),
         "choose a block of 1 to 1024 threads");
  for (const GridDim& g : l.grid) {
    auto exists = [&](int a) { return a < static_cast<int>(k.axes.size()); };
    bool axis_ok =
        exists(g.axis) && (g.axis >= 0 || g.also.empty()) &&
        std::all_of(g.also.begin(), g.also.end(), [&](int a) { return a >= 0 && exists(a); });
    if (!axis_ok || g.per_block < 1 || (g.axis < 0 && g.count < 1))
      fail(Diag::BadLaunch, {}, fmt::format("a grid dimension of no blocks in @{}", k.name),
           "give it a positive count or an axis");
  }
  if (l.cluster < 1 || l.cluster > 16)
    fail(Diag::BadLaunch, {}, fmt::format("clusters of {} blocks in @{}", l.cluster, k.name),
         "choose clusters of 1 to 16 blocks");
}

void check_slot(const Slot& s) {
  const bool power = s.align >= 16 && s.align <= 1024 && (s.align & (s.align - 1)) == 0;
  const bool gate = !s.is_gate() || (s.elem == Elem::U64 && s.extent == 1 && s.arrivals <= 1024);
  if (power && gate) return;
  fail(Diag::SlotMisuse, s.loc,
       power ? fmt::format("gate '{}' of {} x {} and {} arrivals", s.name, name(s.elem), s.extent,
                           s.arrivals)
             : fmt::format("slot '{}' aligned to {} bytes", s.name, s.align),
       power ? "a gate is one u64 a copy and takes 1 to 1024 arrivals"
             : "align it to 16 to 1024 bytes, a power of two");
}

/// An axis whose size follows from another's.
void check_derived(const Kernel& k, const Axis& a, bool sized) {
  int root = a.of;
  for (std::size_t up = 0; up < k.axes.size() && root >= 0; ++up)
    root = root < static_cast<int>(k.axes.size()) ? k.axes[root].of : a.of;
  bool exists = root < 0;
  if (!exists || a.per < 1 || a.times < 1 || sized)
    fail(Diag::BadDim, {},
         fmt::format("axis '{}' {}", a.name,
                     sized     ? "is derived and has a size, too"
                     : !exists ? "derives from itself, or from no axis"
                               : "derives by a factor below 1"),
         fmt::format("write 'axis {} of parent / per * times', without a size line", a.name));
  if (!a.bound) return;
  const std::optional<std::int64_t>& parent = k.axes[a.of].bound;
  if (!parent || derived_size(a, *parent) != *a.bound)
    fail(Diag::BadDim, {},
         fmt::format("axis '{}' is bound to {} and derived from '{}'", a.name, *a.bound,
                     k.axes[a.of].name),
         "leave its bound out: it follows");
}

/// Regions have names of their own; a timed kernel's last parameter takes their samples.
void check_regions(const Kernel& k) {
  std::set<std::string_view> names;
  for (const regions::Region& r : k.region_table) {
    check_name(r.name, "region", {});
    if (!names.insert(r.name).second)
      fail(Diag::BadName, {}, fmt::format("two regions '{}'", r.name), "rename one");
  }
  if (!k.timed) return;
  const bool buffer = !k.params.empty() && k.params.back().name == regions::parameter &&
                      k.params.back().type == pointer(Elem::U64, Space::Global) &&
                      k.params.back().access == Access::InOut;
  if (!buffer)
    fail(Diag::BadParam, {}, fmt::format("@{} is timed without a buffer of samples", k.name),
         fmt::format("make its last parameter '{}', inout u64 [.., words of a block]",
                     regions::parameter));
}

void check_header(const Kernel& k) {
  check_name(k.name, "kernel", {});
  std::set<std::string_view> names;
  for (const Axis& a : k.axes) {
    check_name(a.name, "axis", {});
    if (!names.insert(a.name).second)
      fail(Diag::BadName, {}, fmt::format("two axes '{}'", a.name), "rename one");
    if ((a.bound && (*a.bound < 1 || *a.bound > INT32_MAX)) || a.multiple < 1)
      fail(Diag::BadDim, {}, fmt::format("axis '{}' is bound to {}", a.name, a.bound.value_or(0)),
           "bind it to an extent of 1 to 2^31 - 1");
  }
  for (std::size_t i = 0; i < k.axes.size(); ++i) {
    bool sized = i < k.axis_sizes.size() && k.axis_sizes[i] != no_value;
    if (k.axes[i].of >= 0) {
      check_derived(k, k.axes[i], sized);
      continue;
    }
    if (sized == k.axes[i].bound.has_value())
      fail(Diag::BadDim, {},
           fmt::format("axis '{}' {}", k.axes[i].name,
                       sized ? "is bound and has a size, too" : "has neither a bound nor a size"),
           fmt::format("write 'size %{0}' for a dynamic axis, 'axis {0} = extent' for a bound one",
                       k.axes[i].name));
  }
  for (const Param& p : k.params) {
    check_name(p.name, "parameter", p.loc);
    bool tensor = p.type.is_pointer() && p.type.space == Space::Global && !p.axes.empty();
    if (!names.insert(p.name).second || !(tensor || p.type.is_scalar()) ||
        (p.type.is_scalar() && p.type.elem == Elem::I1))
      fail(Diag::BadParam, p.loc,
           fmt::format("parameter '{}' of type {}", p.name, to_string(p.type)),
           "declare it as a tensor over axes or as a number, under a name of its own");
  }
  for (const Slot& s : k.slots) {
    check_name(s.name, "slot", s.loc);
    if (!names.insert(s.name).second || s.extent < 1 || s.extent > (1 << 28) || s.copies < 1 ||
        s.copies > 1024)
      fail(Diag::SlotMisuse, s.loc, fmt::format("slot '{}' of {} x {}", s.name, s.extent, s.copies),
           "give it a name of its own, an extent of 1 to 2^28 and 1 to 1024 copies");
    check_slot(s);
  }
  for (std::size_t i = 0; i < k.layouts.size(); ++i) {
    check_name(k.layouts[i].name, "layout", {});
    for (std::size_t j = 0; j < i; ++j)
      if (k.layouts[j].name == k.layouts[i].name)
        fail(Diag::BadName, {}, fmt::format("two layouts @{}", k.layouts[i].name), "rename one");
    for (const Digit& d : k.layouts[i].digits) {
      bool sized =
          k.axes[d.axis].bound || k.axes[d.axis].of >= 0 || k.axis_sizes[d.axis] != no_value;
      if (!sized)
        fail(Diag::BadDim, {},
             fmt::format("layout @{} over axis '{}' of no size", k.layouts[i].name,
                         k.axes[d.axis].name),
             "bind the axis, or declare its size");
    }
  }
  check_regions(k);
  check_launch(k);
}

/// Walks the regions in order, keeping the set of values in scope.
class StructureCheck {
 public:
  explicit StructureCheck(const Kernel& k)
      : k_(k), defs_(definitions(k)), defined_(k.values.size()), visible_(k.values.size()) {}

  void run() {
    for (const Param& p : k_.params) define(p.value, p.loc);
    for (const Slot& s : k_.slots) define(s.value, s.loc);
    for (ValueId v : k_.axis_sizes)
      if (v != no_value) define(v, {});
    region(k_.body, Op::Yield, {}, "the kernel's body");
  }

 private:
  void define(ValueId v, const Loc& loc) {
    if (v >= defined_.size() || defined_[v])
      fail(Diag::BadStructure, loc, "a value is defined twice",
           "give each result a value of its own");
    defined_[v] = visible_[v] = true;
  }

  /// `results`: types that the terminator must carry (after the flag of a condition).
  void region(const Region& r, Op terminator, const std::vector<Type>& results,
              std::string_view what) {
    std::vector<ValueId> scope = r.args;
    for (ValueId v : r.args) define(v, {});
    if (r.ops.empty() || !r.ops.back().is(terminator))
      fail(Diag::BadStructure, r.ops.empty() ? Loc{} : r.ops.back().loc,
           fmt::format("{} does not end in {}", what, name(terminator)),
           "end it with its terminator");
    for (std::size_t i = 0; i < r.ops.size(); ++i) {
      const Operation& op = r.ops[i];
      if (op.has(Terminator) && i + 1 != r.ops.size())
        fail(Diag::BadStructure, op.loc, fmt::format("{} before the end of a region", name(op.op)),
             "move it to the end");
      operation(op);
      scope.insert(scope.end(), op.out.begin(), op.out.end());
    }
    const Operation& end = r.ops.back();
    std::size_t skip = terminator == Op::Condition;
    bool same = end.in.size() == results.size() + skip;
    for (std::size_t i = 0; same && i < results.size(); ++i)
      same = k_.type(end.in[i + skip]) == results[i];
    if (!same)
      fail(Diag::BadStructure, end.loc,
           fmt::format("{} carries {} values of other types than its operation", name(terminator),
                       end.in.size() - skip),
           "carry one value of the right type for each result");
    for (ValueId v : scope) visible_[v] = false;
  }

  std::vector<Type> types(const std::vector<ValueId>& values, std::size_t from = 0) {
    std::vector<Type> t;
    for (std::size_t i = from; i < values.size(); ++i) t.push_back(k_.type(values[i]));
    return t;
  }

  void operation(const Operation& op) {
    for (ValueId v : op.in)
      if (v >= visible_.size() || !visible_[v])
        fail(Diag::BadStructure, op.loc,
             fmt::format("{} uses a value that is not defined here", name(op.op)),
             "use values that are defined above, in this region or one around it");
    Type inferred = result_type(k_, op.op, op.in, op.loc);
    results(op, inferred);
    attributes(op);
    check_op_rules(k_, op);
    check_async_rules(k_, defs_, op);
    bool of_memory = (op.has(Reads) || op.has(Writes)) && !op.is(Op::Wgmma);
    if (of_memory) memory(op);
    if (static_cast<int>(op.regions.size()) != def(op.op).regions)
      fail(Diag::BadStructure, op.loc,
           fmt::format("{} with {} regions", name(op.op), op.regions.size()),
           fmt::format("give it {}", def(op.op).regions));
    regions(op);
    for (ValueId v : op.out) define(v, op.loc);
  }

  /// May a bitcast make one of the other? Tiles keep their shape; i1 has no place in memory order.
  static bool same_bits(const Type& a, const Type& b) {
    if (a.is_tile() || b.is_tile() || a.elem == Elem::I1 || b.elem == Elem::I1)
      return bits(a.elem) == bits(b.elem) && a.with(b.elem) == b;
    bool values = (a.is_scalar() || a.kind == Kind::Vector) && b.kind <= Kind::Vector;
    return values && bits(a.elem) * a.lanes == bits(b.elem) * b.lanes;
  }

  void results(const Operation& op, const Type& inferred) {
    const OpDef& d = def(op.op);
    bool count_ok = d.has(VariadicOut) || static_cast<int>(op.out.size()) == d.out_count() ||
                    (d.out_count() == 1 && op.out.empty() && !d.has(Pure));
    if (!count_ok)
      fail(Diag::BadStructure, op.loc,
           fmt::format("{} with {} results", name(op.op), op.out.size()),
           fmt::format("give it {}", d.out_count()));
    if (d.has(VariadicOut) || op.out.empty()) return;
    const Spec& spec = d.out[0];
    const Type& t = k_.type(op.out[0]);
    bool fixed = spec.same_as >= 0 || spec.classes == ElemClass::Bool;
    bool elem_ok = fixed ? t.elem == inferred.elem : (info(t.elem).klass & spec.classes) != 0;
    bool shape_ok = !d.has(Elementwise) || t.with(inferred.elem) == inferred;
    // What load_matrix and extract give is theirs to say: check_op_rules asks how much there is.
    if (spec.shape == Shape::Vector) shape_ok = op.is(Op::LoadMatrix) || t == inferred;
    if (spec.shape == Shape::Tile) shape_ok = t.is_tile() && t.layout < k_.layouts.size();
    if (op.is(Op::Bitcast)) elem_ok = shape_ok = same_bits(t, k_.type(op.in[0]));
    if (!elem_ok || !shape_ok)
      fail(Diag::TypeMismatch, op.loc, fmt::format("{} gives a {}", name(op.op), to_string(k_, t)),
           fmt::format("its operands make it a {}", to_string(k_, inferred)));
  }

  void attributes(const Operation& op) {
    for (const Attr& a : op.attrs) {
      auto all = spellings(info(a.key).kind);
      const auto& keys = def(op.op).attrs;
      bool known = std::find(std::begin(keys), std::end(keys), a.key) != std::end(keys);
      bool in_range =
          all.empty() || (a.value >= 0 && a.value < static_cast<std::int64_t>(all.size()));
      if (a.key == Key::Dim) in_range = a.value >= 0 && a.value < 3;
      if (a.key == Key::Unroll || a.key == Key::Chains) in_range = a.value >= 0 && a.value <= 4096;
      if (a.key == Key::Pending) in_range = a.value >= 0 && a.value < 64;
      if (a.key == Key::Saturate) in_range = a.value == 0 || a.value == 1;
      if (a.key == Key::Index)
        in_range = a.value >= 0 && a.value + k_.type(op.out[0]).lanes <= k_.type(op.in[0]).lanes;
      if (a.key == Key::Transpose) in_range = a.value == 0 || a.value == 1;
      in_range = in_range && async_attr_in_range(a);
      if (!known || !in_range)
        fail(Diag::BadAttr, op.loc,
             fmt::format("{} with {} = {}", name(op.op), info(a.key).name, a.value),
             "see the operation's row in docs/ops.md");
    }
    bool needs_value = op.is(Op::Const) && !op.find(Key::Value);
    if (needs_value) fail(Diag::BadAttr, op.loc, "const without a value", "give it one");
  }

  void memory(const Operation& op) {
    Root root = root_of(k_, defs_, op.in[0]);
    if (root.param < 0 && root.slot < 0)
      fail(Diag::BadRoot, op.loc, fmt::format("{} through a computed pointer", name(op.op)),
           "access a parameter or a slot by index");
    const Type& pointer_type = k_.type(op.in[0]);
    ValueId accessed = op.in[0];  // what must have its elements: the pointer's own where a row
    if (op.is(Op::Load)) accessed = op.out.empty() ? no_value : op.out[0];  // says same_as(0)
    if (op.has(Writes) && op.in.size() > 2) accessed = op.in[2];
    if (op.is(Op::FragmentStore)) accessed = op.in[4];
    if (op.is(Op::StoreRemote)) accessed = op.in[3];
    if (op.is(Op::Fill)) accessed = op.in[1];
    if (accessed != no_value && k_.type(accessed).elem != pointer_type.elem)
      fail(root.slot >= 0 ? Diag::SlotMisuse : Diag::TypeMismatch, op.loc,
           fmt::format("{} of {} through a {}", name(op.op), to_string(k_, k_.type(accessed)),
                       to_string(pointer_type)),
           "convert the value first");
    if (op.is(Op::CopyAsync) || op.is(Op::CopyBulk) || op.is(Op::CopyTensor)) copy(op, root);
    for (int p : root.params) permission(op, k_.params[p]);
  }

  /// May the op read or write this parameter?
  void permission(const Operation& op, const Param& p) {
    if (op.has(Writes) && p.access == Access::In)
      fail(Diag::WriteToInput, op.loc, fmt::format("{} to '{}'", name(op.op), p.name),
           "declare the parameter Out or InOut");
    if (op.has(Reads) && p.access == Access::Out)
      fail(Diag::ReadOfOutput, op.loc, fmt::format("{} of '{}'", name(op.op), p.name),
           "declare the parameter InOut");
    if (op.has(Reads) && p.access != Access::In &&
        op.attr_as<MemOrder>(Key::Order) == MemOrder::Const)
      fail(Diag::BadAttr, op.loc,
           fmt::format("a const load of '{}', which this kernel writes", p.name),
           "load it weak, or declare the parameter In");
  }

  /// From tensors that stay as they are to a slot: when a copy reads its source is not defined.
  void copy(const Operation& op, const Root& to) {
    Root from = root_of(k_, defs_, op.in[2]);
    if (to.slot < 0 || from.params.empty())
      fail(Diag::BadRoot, op.loc,
           to.slot < 0 ? fmt::format("{} to something that is no slot", name(op.op))
                       : fmt::format("{} from something that is no parameter", name(op.op)),
           "copy from a parameter, or a choose of parameters, to a slot");
    for (int p : from.params)
      if (k_.params[p].access != Access::In)
        fail(Diag::WriteToInput, op.loc,
             fmt::format("{} from '{}', which this kernel may write", name(op.op),
                         k_.params[p].name),
             "declare the parameter In, or load and store its elements");
  }

  void regions(const Operation& op) {
    std::vector<Type> out = types(op.out);
    auto expect_args = [&](const Region& r, std::vector<Type> want) {
      if (types(r.args) != want)
        fail(Diag::BadStructure, op.loc,
             fmt::format("a region of {} takes other arguments", name(op.op)),
             "match the carried values");
    };
    switch (op.op) {
      case Op::If:
        for (const Region& r : op.regions) {
          expect_args(r, {});
          region(r, Op::Yield, out, "a branch of if");
        }
        break;
      case Op::For: {
        std::vector<Type> carried = types(op.in, 3);
        if (carried != out)
          fail(Diag::BadStructure, op.loc, "for carries other values than it gives",
               "give one initial value a result");
        carried.insert(carried.begin(), k_.type(op.in[0]));
        expect_args(op.regions[0], carried);
        region(op.regions[0], Op::Yield, out, "the body of for");
        break;
      }
      case Op::While:
        expect_args(op.regions[0], types(op.in));
        expect_args(op.regions[1], out);
        region(op.regions[0], Op::Condition, out, "the head of while");
        region(op.regions[1], Op::Yield, types(op.in), "the body of while");
        break;
      case Op::Reduce: {
        std::size_t n = op.out.size();
        if (op.in.size() != 2 * n || n == 0)
          fail(Diag::BadStructure, op.loc, "reduce without one value and one identity a result",
               "list the values, then the identities");
        std::vector<Type> args = out;
        args.insert(args.end(), out.begin(), out.end());
        for (std::size_t i = 0; i < n; ++i) {
          bool tile = op.attr_as<Team>(Key::Team) == Team::Thread;
          if (k_.type(op.in[i]).is_tile() != tile || k_.type(op.in[i]).elem != out[i].elem ||
              k_.type(op.in[n + i]) != out[i])
            fail(Diag::TypeMismatch, op.loc,
                 fmt::format("reduce of {}", to_string(k_, k_.type(op.in[i]))),
                 "reduce tiles over the thread, scalars over warp and cta, with an identity of the "
                 "same type");
        }
        expect_args(op.regions[0], args);
        region(op.regions[0], Op::Yield, out, "the combine of reduce");
        break;
      }
      case Op::Fold: {
        std::vector<Type> values;
        for (ValueId v : op.out) values.push_back(scalar(k_.type(v).elem));
        std::vector<Type> args = values;
        args.insert(args.end(), values.begin(), values.end());
        expect_args(op.regions[0], args);
        region(op.regions[0], Op::Yield, values, "the combine of fold");
        break;
      }
      default: break;
    }
  }

  const Kernel& k_;
  std::vector<const Operation*> defs_;
  std::vector<bool> defined_, visible_;
};

void check_convergence(const Kernel& k) {
  Uniformity u = uniformity(k);
  int threads = k.launch.block_threads();
  walk_control(k, u, [&](const Operation& op, Team control) {
    bool reduce = op.is(Op::Reduce);
    // Each warp of a cluster merges with the same warp of the other blocks.
    bool merge = op.is(Op::Merge) && op.attr_as<Team>(Key::Team) != Team::Cluster;
    bool whole_block = (op.is(Op::Barrier) && !op.find(Key::Warps)) || merge ||
                       op.has(MeetingLevel) || op.is(Op::Leave);
    Team team = reduce ? op.attr_as<Team>(Key::Team) : whole_block ? Team::Cta : Team::Warp;
    bool whole_warps = op.has(WholeWarps) || (reduce && team >= Team::Warp);
    if (whole_warps && threads % warp_size != 0)
      fail(Diag::PartialWarp, op.loc,
           fmt::format("{} in a block of {} x {} x {} = {} threads", name(op.op),
                       k.launch.threads[0], k.launch.threads[1], k.launch.threads[2], threads),
           fmt::format("make the block a multiple of {} threads, or do without the warp operation",
                       warp_size));
    if (op.is(Op::CommitCopies) && control < Team::Cta)
      fail(Diag::DivergentConvergent, op.loc,
           "commit_copies under a condition that differs between the threads of its block",
           "move it out of the condition: a group of no copies costs nothing");
    if (op.is(Op::Fill) && control < Team::Cta)
      fail(Diag::DivergentConvergent, op.loc,
           "fill under a condition that differs between the threads of its block",
           "move it out of the condition: all threads share the copy");
    if (op.has(MeetingLevel) && u[op.in[1]] < Team::Cta)
      fail(Diag::DivergentConvergent, op.loc,
           fmt::format("{} at an index that differs between the threads of its block", name(op.op)),
           "index the counter by what is one for the block: a block_id, a size, a constant");
    if (op.is(Op::Choose) && u[op.in[0]] < Team::Cta)
      fail(Diag::DivergentConvergent, op.loc,
           "choose by an index that differs between the threads of its block",
           "choose by what is one for the block: a block_id, a size, a constant");
    if (op.has(Convergent) && team > Team::Thread && control < team)
      fail(Diag::DivergentConvergent, op.loc,
           fmt::format("{} under a condition that differs between the threads of its {}",
                       name(op.op), team == Team::Cta ? "block" : "warp"),
           "move it out of the condition, and select its operand instead");
  });
}

}  // namespace

void check(const Kernel& k) {
  check_header(k);
  StructureCheck(k).run();
  check_named_barriers(k);
  check_convergence(k);
}

void check_lowered(const Kernel& k) {
  walk(k.body, [&](const Operation& op) {
    bool tile = op.has(TileLevel) || std::any_of(op.out.begin(), op.out.end(),
                                                 [&](ValueId v) { return k.type(v).is_tile(); });
    if (tile || op.has(ReductionLevel) || op.has(RegionLevel) || op.has(MeetingLevel) ||
        (op.has(Debug) && !k.debug))
      fail(Diag::NotLowered, op.loc, fmt::format("{} is left", name(op.op)),
           "run the pipeline of ir/passes.def first");
  });
}

void check_for(const Kernel& k, const Target& target) {
  check(k);
  if (shared_bytes(k) > target.smem_per_block)
    fail(Diag::TargetFeature, k.slots.empty() ? Loc{} : k.slots[0].loc,
         fmt::format("{} bytes of shared memory; {} has {} a block", shared_bytes(k), target.name,
                     target.smem_per_block),
         "declare smaller or fewer slots, or leave the target out");
  walk(k.body, [&](const Operation& op) {
    bool cluster = op.attr_as<MemScope>(Key::Scope) == MemScope::Cluster && op.find(Key::Scope);
    if (cluster && target.capability < 90)
      fail(Diag::TargetFeature, op.loc,
           fmt::format("cluster scope of {}; {} has no clusters", name(op.op), target.name),
           "use cta or gpu scope, or leave the target out");
    if (needs_sm90(op) && target.capability < 90)
      fail(Diag::TargetFeature, op.loc, fmt::format("{}; {} has none", name(op.op), target.name),
           "choose another schedule for this target, or leave the target out");
  });
}

}  // namespace barline::ir
