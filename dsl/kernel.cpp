// SPDX-License-Identifier: Apache-2.0
#include "dsl/kernel.h"

#include <fmt/format.h>
#include <algorithm>
#include <numeric>
#include <set>

#include "ir/check.h"
#include "ir/extents.h"

namespace barline::dsl {
namespace {

using ir::Diag;

/// Entry name: the label with everything but letters and digits as underscores.
std::string entry_name(const KernelSource& source, const Config& config) {
  std::string name = config.label.empty() ? source.name : config.label;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

/// The kernel's axis of that name, declared by its first mention.
int declare_axis(ir::Kernel& k, const Axis& axis, const ir::Loc& loc, const Config& config) {
  if (!ir::is_name(axis.name))
    ir::fail(Diag::BadName, loc, fmt::format("axis '{}'", axis.name), "rename it");
  auto named = [&](const std::string& name) {
    return std::find_if(k.axes.begin(), k.axes.end(),
                        [&](const ir::Axis& a) { return a.name == name; });
  };
  auto at = named(axis.name);
  if (at == k.axes.end()) {
    ir::Axis a;
    a.name = axis.name;
    a.multiple = axis.multiple;
    if (!axis.of.empty()) {
      auto parent = named(axis.of);
      a.of = parent != k.axes.end() ? static_cast<int>(parent - k.axes.begin())
                                    : declare_axis(k, {axis.of}, loc, config);
      a.per = axis.per;
      a.times = axis.times;
    }
    auto bound = config.dims.find(axis.name);
    if (bound != config.dims.end()) a.bound = bound->second;
    if (a.bound && (*a.bound < 1 || *a.bound % a.multiple != 0))
      ir::fail(Diag::BadDim, loc, fmt::format("axis '{}' bound to {}", a.name, *a.bound),
               fmt::format("bind it to a positive multiple of {}", a.multiple));
    k.axes.push_back(a);
    k.axis_sizes.push_back(ir::no_value);
    at = std::prev(k.axes.end());
  }
  bool derived = !axis.of.empty();
  bool same =
      at->of < 0 ? !derived
                 : k.axes[at->of].name == axis.of && at->per == axis.per && at->times == axis.times;
  if (!same)
    ir::fail(
        Diag::BadName, loc,
        fmt::format("axis '{}' is also what the compiler calls an axis that it derives", axis.name),
        "rename it");
  if (at->multiple != axis.multiple && !derived)
    ir::fail(Diag::BadDim, loc,
             fmt::format("axis '{}' as a multiple of {} and of {}", axis.name, at->multiple,
                         axis.multiple),
             "promise the same wherever the axis is named");
  return static_cast<int>(at - k.axes.begin());
}

/// A listed parameter as the kernel takes it: one tensor or scalar a segment, a quantised weight as
/// the schedule's stream has it.
class ParamExpander {
 public:
  ParamExpander(ir::Kernel& k, const Config& config) : k_(k), config_(config) {}

  void operator()(const Tensor& t) {
    std::size_t parts = 1;
    for (const Axis& a : t.axes) parts = std::max(parts, a.segments.size());
    for (std::size_t i = 0; i < parts; ++i) {
      ir::Param p{
          t.name,   ir::pointer(t.elem, ir::Space::Global), t.access, {}, ir::no_value, t.loc,
          t.scratch};
      for (const Axis& a : t.axes) {
        bool segmented = !a.segments.empty();
        if (segmented) p.name = t.name + "_" + a.segments[i];
        p.axes.push_back(declare_axis(k_, segmented ? a.segment(i) : a, t.loc, config_));
      }
      add(std::move(p));
    }
  }

  void operator()(const Arg& a) {
    if (a.segments.empty()) return scalar(a.name, a);
    for (const std::string& segment : a.segments) scalar(a.name + "_" + segment, a);
  }

  void operator()(const Quantised& w) {
    bool packed = std::any_of(config_.schedule.streams.begin(), config_.schedule.streams.end(),
                              [&](const ir::Stream& s) { return s.of == w.name && s.packed; });
    for (const Axis& a : w.axes) {
      if (a.segments.empty()) declare_axis(k_, a, w.loc, config_);
      for (std::size_t i = 0; i < a.segments.size(); ++i)
        declare_axis(k_, a.segment(i), w.loc, config_);
    }
    (*this)(w.codes(packed));
    if (w.has_scales()) (*this)(w.scales());
  }

 private:
  void scalar(std::string name, const Arg& a) {
    add({std::move(name), ir::scalar(a.elem), ir::Access::In, {}, ir::no_value, a.loc});
  }
  void add(ir::Param p) {
    p.value = k_.new_value(p.type, p.name);
    k_.params.push_back(std::move(p));
  }

  ir::Kernel& k_;
  const Config& config_;
};

/// Gives the rows of the stream's operand the multiple that the schedule promises.
void promise_multiple(ir::Kernel& k, const ir::Stream& s, const ir::Loc& loc) {
  for (const ir::Param& p : k.params) {
    bool of = p.name == s.of || p.name.starts_with(std::string(s.of) + "_");
    if (!of || p.axes.size() < 2 || s.multiple <= 1)
      continue;  // one axis: no rows, a scale of them
    ir::Axis& a = k.axes[p.axes.back()];
    if (a.of >= 0 || p.access != ir::Access::In) continue;
    a.multiple = std::lcm(a.multiple, std::int64_t{s.multiple});
    if (a.bound && *a.bound % a.multiple != 0)
      ir::fail(Diag::BadDim, loc,
               fmt::format("axis '{}' bound to {}, of which stream '{}' promises multiples of {}",
                           a.name, *a.bound, s.of, s.multiple),
               "bind another size, or take a schedule without the promise");
  }
}

void declare_params(ir::Kernel& k, const KernelSource& source, const Config& config) {
  ParamExpander expand(k, config);
  for (const ParamRef& ref : source.params) std::visit(expand, ref);
  for (const ir::Stream& s : config.schedule.streams) promise_multiple(k, s, source.loc);
  for (std::size_t i = 0; i < k.axes.size(); ++i)
    if (ir::is_dynamic(k.axes[i])) k.axis_sizes[i] = k.new_value(ir::scalar(s32), k.axes[i].name);
  for (const auto& [name, size] : config.dims) {
    bool known = std::any_of(k.axes.begin(), k.axes.end(),
                             [&](const ir::Axis& a) { return a.name == name; });
    if (!known)
      ir::fail(Diag::BadDim, source.loc, fmt::format("dimension '{}' = {}", name, size),
               "bind an axis of the kernel's tensors");
  }
}

void check_schedule(const ir::Schedule& s, const ir::Loc& loc) {
  bool power = s.vec && !(s.vec & (s.vec - 1)) && s.vec <= 16;
  if (!power || s.threads < 1 || s.threads > 1024 || s.chunks < 1 || s.unroll < 1 ||
      s.stripe_cap < s.vec)
    ir::fail(Diag::BadSchedule, loc,
             fmt::format("schedule '{}': threads {}, vec {}, chunks {}, unroll {}, stripe_cap {}",
                         s.name, s.threads, s.vec, s.chunks, s.unroll, s.stripe_cap),
             "threads 1..1024, vec a power of two up to 16, chunks and unroll at least 1, "
             "stripe_cap at least vec");
  constexpr int default_threads = ir::Schedule{}.threads;
  if (s.tile.m && s.threads != default_threads && s.threads != ir::block_threads(s))
    ir::fail(Diag::BadSchedule, loc,
             fmt::format("schedule '{}': {} threads, and a tile of {} warps", s.name, s.threads,
                         s.tile.warps_m * s.tile.warps_n),
             "leave .threads out: a tile's warps are the block");
}

/// That the stream's fields say something that is done.
void check_stream(const ir::Schedule& s, const ir::Stream& stream, const ir::Loc& loc) {
  auto refuse = [&](std::string what, std::string fix) {
    ir::fail(Diag::BadSchedule, loc,
             fmt::format("schedule '{}': stream '{}' {}", s.name, stream.of, what), std::move(fix));
  };
  if (std::count_if(s.streams.begin(), s.streams.end(),
                    [&](const ir::Stream& other) { return other.of == stream.of; }) > 1)
    refuse("is listed twice", "list it once");
  if (stream.slots < 1 || stream.ahead > stream.slots)
    refuse(fmt::format("of {} slots is filled {} uses ahead", stream.slots, stream.ahead),
           "at least one slot, and at most as many uses ahead as slots");
  if (stream.multiple < 1) refuse("promises rows of a multiple of 0", "set .multiple to 1 or more");
  const bool gated = stream.by == ir::Agent::Tma;
  if (stream.by != ir::Agent::Lane && stream.by != ir::Agent::CpAsync && !gated)
    refuse("is moved by an agent that no pass lowers",
           "set .by to Agent::Lane, Agent::CpAsync or Agent::Tma");
  if (gated && (s.roles.count != 2 || stream.ahead != stream.slots))
    refuse("is filled by tma without a role for it, or not as far ahead as it has slots",
           "give .roles, one that fills and one that computes, and .ahead = .slots");
  if (stream.owner != ir::Team::Cta || stream.step != 0)
    refuse("sets .owner or .step",
           "leave them out: the block owns a stream and takes its tile's step");
  if (stream.guard && stream.by != ir::Agent::CpAsync)
    refuse("guards copies that are not asynchronous", "set .by = Agent::CpAsync, or no .guard");
  // In registers a slot is free when its value is used: as many as uses ahead.
  bool unlike = stream.slots > 1 || stream.ahead > 0 ? stream.slots != stream.ahead : false;
  if (stream.store != ir::Store::Smem && (unlike || stream.by != ir::Agent::Lane))
    refuse("stays in registers, but has a copying agent or not as many slots as uses ahead",
           "set .store = Store::Smem, or .slots = .ahead");
}

/// A thread-level kernel moves its operands itself; how far ahead its lanes load is all that a
/// schedule says.
void check_thread_level(const KernelSource& source, const ir::Schedule& s) {
  const bool own = std::any_of(s.streams.begin(), s.streams.end(), [](const ir::Stream& stream) {
    return stream.store != ir::Store::Reg;
  });
  if (s.tile.m || own)
    ir::fail(Diag::BadSchedule, source.loc,
             fmt::format("schedule '{}': a tile, or a stream through shared memory, for a "
                         "thread-level kernel",
                         s.name),
             "leave them out: the kernel itself says how it moves its operands; a stream of "
             "registers says how far .ahead they are loaded");
}

/// That every stream names an operand of a sum, and only weights in codes are packed.
void check_streams(const KernelSource& source, const ir::Schedule& s) {
  if (source.tile_body == nullptr) check_thread_level(source, s);
  for (const ir::Stream& stream : s.streams) {
    check_stream(s, stream, source.loc);
    bool known = false, codes = false;
    for (const ParamRef& ref : source.params) {
      if (const auto* t = std::get_if<Tensor>(&ref)) known = known || t->name == stream.of;
      if (const auto* w = std::get_if<Quantised>(&ref)) {
        codes = codes || w->name == stream.of;
        known = known || codes || (w->has_scales() && w->scales().name == stream.of);
      }
    }
    if (!known)
      ir::fail(Diag::BadSchedule, source.loc,
               fmt::format("schedule '{}' streams '{}', which is no tensor of the kernel", s.name,
                           stream.of),
               "name a listed tensor (a quantised weight's scales are 'name_scale')");
    if (stream.packed && !codes)
      ir::fail(
          Diag::BadSchedule, source.loc,
          fmt::format("schedule '{}' packs '{}', which is no quantised weight", s.name, stream.of),
          "leave .packed out: only codes of 4 or 8 bits have a register image");
  }
}

void set_launch(ir::Kernel& k, const KernelSource& source, const ir::Schedule& s, Body& body) {
  k.launch.threads[0] = ir::block_threads(s);
  k.launch.min_ctas_per_sm = s.budget.ctas_per_sm;
  k.launch.max_registers = s.budget.regs;
  if (!source.launch) return;
  const LaunchShape& shape = *source.launch;
  if (shape.threads.size() > 3 || shape.grid.size() > 3)
    ir::fail(Diag::BadLaunch, source.loc, "a launch of more than three dimensions", "use 1 to 3");
  for (std::size_t i = 0; i < shape.threads.size(); ++i) k.launch.threads[i] = shape.threads[i];
  for (std::size_t i = 0; i < shape.grid.size(); ++i) {
    const Blocks& b = shape.grid[i];
    k.launch.grid[i] = {.axis = b.axis ? body.axis_index(*b.axis, source.loc) : -1,
                        .per_block = b.per_block,
                        .count = b.count};
  }
  k.launch.cooperative = shape.cooperative;
}

/// An axis of as many elements as the grid has blocks along a dimension.
int blocks_axis(ir::Kernel& k, int dim, const ir::Loc& loc) {
  const ir::GridDim& g = k.launch.grid[dim];
  if (!g.also.empty())
    ir::fail(Diag::BadLaunch, loc,
             "timing of a kernel whose blocks are shared out over several segments",
             "time a kernel of one grid over one axis a dimension, or build it without timing");
  ir::Axis a;
  a.name = std::string("region_blocks_") + "xyz"[dim];
  if (g.axis < 0)
    a.bound = g.count;
  else
    a.of = g.axis, a.per = g.per_block;
  k.axes.push_back(a);
  k.axis_sizes.push_back(ir::no_value);
  return static_cast<int>(k.axes.size()) - 1;
}

/// The parameter that blocks write the samples of their regions to.
void add_region_buffer(ir::Kernel& k, const ir::Loc& loc) {
  k.timed = true;
  ir::Param p{std::string(regions::parameter),
              ir::pointer(u64, ir::Space::Global),
              ir::Access::InOut,
              {},
              ir::no_value,
              loc};
  for (int dim : {2, 1, 0}) p.axes.push_back(blocks_axis(k, dim, loc));
  const auto words = static_cast<std::int64_t>(regions::words_a_block(k.region_table.size()));
  ir::Axis row;
  row.name = "region_words";
  row.bound = words;
  k.axes.push_back(row);
  k.axis_sizes.push_back(ir::no_value);
  p.axes.push_back(static_cast<int>(k.axes.size()) - 1);
  p.value = k.new_value(p.type, p.name);
  k.params.push_back(std::move(p));
}

/// Every listed parameter is used by some op.
void check_used(const ir::Kernel& k) {
  std::set<ir::ValueId> used;
  ir::walk(k.body, [&](const ir::Operation& op) { used.insert(op.in.begin(), op.in.end()); });
  for (const ir::Param& p : k.params)
    if (!used.contains(p.value) && k.param_of(p.value) != ir::region_buffer(k))
      ir::fail(Diag::UnusedParam, p.loc,
               fmt::format("parameter '{}' is listed but not used", p.name),
               "use it, or drop it from the list");
}

ir::Kernel build(const KernelSource& source, const Config& config) {
  ir::Kernel k;
  k.name = entry_name(source, config);
  k.config = config.label.empty() ? source.name : config.label;
  k.debug = config.debug;
  check_schedule(config.schedule, source.loc);
  check_streams(source, config.schedule);
  declare_params(k, source, config);
  if (source.tile_body) {
    Tiles body(k, source, config.schedule);
    set_launch(k, source, config.schedule, body);
    source.tile_body(body);
    body.finish(source.loc);
  } else {
    Thread body(k, source, config.schedule);
    set_launch(k, source, config.schedule, body);
    source.thread_body(body);
  }
  if (config.timing) add_region_buffer(k, source.loc);
  k.body.ops.push_back(
      {.op = ir::Op::Yield, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = source.loc});
  ir::check(k);
  check_used(k);
  return k;
}

}  // namespace

KernelSource kernel(std::string name, ParamList params, std::function<void(Tiles&)> body,
                    Here here) {
  return {std::move(name), std::move(params.items), std::nullopt, std::move(body), {}, here};
}

KernelSource kernel(std::string name, ParamList params, LaunchShape launch,
                    std::function<void(Thread&)> body, Here here) {
  return {std::move(name), std::move(params.items), std::move(launch), {}, std::move(body), here};
}

ir::Kernel instantiate(const KernelSource& source, const Config& config) {
  try {
    return build(source, config);
  } catch (const ir::Error& e) {
    // What concerns the kernel as a whole (its name, its launch) is said where it was declared.
    ir::Diagnostic d = e.diagnostic();
    if (d.loc) throw;
    d.loc = source.loc;
    throw ir::Error(std::move(d));
  }
}

}  // namespace barline::dsl
