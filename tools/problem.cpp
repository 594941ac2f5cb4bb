// SPDX-License-Identifier: Apache-2.0
#include "tools/problem.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "dsl/sample.h"
#include "ir/extents.h"
#include "ir/half.h"
#include "tools/compile_job.h"
#include "tools/error.h"
#include "tools/generate.h"
#include "tools/npy.h"
#include "verify/gate/suggest.h"

namespace barline::tools {
namespace {

constexpr unsigned char poison = 0xa5;
/// Operations that a reference does in about a second; of larger problems it does a sample.
constexpr double reference_flops = 4e8;

std::vector<std::string> settable(const ir::Kernel& k) {
  std::vector<std::string> names;
  for (const ir::Axis& a : k.axes)
    if (a.of < 0) names.push_back(a.name);
  for (const ir::Param& p : k.params)
    if (p.type.is_scalar()) names.push_back(p.name);
  return names;
}

std::string known_shapes(const verify::KernelEntry& kernel, const std::string& instead_of) {
  std::vector<std::string> names;
  for (const verify::Shape& s : kernel.shapes) names.push_back(s.name);
  return verify::did_you_mean(instead_of, names);
}

/// Dims for instantiate(): those of the shape and of --set that bind an axis of the config.
verify::Dims chosen_dims(const Job& job, const ProblemOptions& options) {
  verify::Dims dims;
  if (const verify::Shape* shape = job.kernel->shape(options.shape))
    dims = shape->dims;
  else if (options.shape != "sim")
    throw UsageError(fmt::format("kernel {} has no shape '{}' in the register; {}",
                                 job.kernel->name, options.shape,
                                 known_shapes(*job.kernel, options.shape)));
  for (const auto& [name, value] : options.set)
    dims.push_back({name, static_cast<std::int64_t>(value)});
  return dims;
}

std::int64_t size_of(const Job& job, const ir::Axis& axis, const verify::Dims& dims) {
  if (axis.bound) return *axis.bound;
  for (auto d = dims.rbegin(); d != dims.rend(); ++d)
    if (d->name == axis.name) return d->value;
  throw UsageError(
      fmt::format("no size for '{}' of {}; pass --set {}=N, or give kernels.yaml a shape",
                  axis.name, job.config(), axis.name));
}

double scalar_of(const Job& job, const std::string& name, const ProblemOptions& options) {
  if (auto it = options.set.find(name); it != options.set.end()) return it->second;
  for (const verify::ScalarArg& a : job.kernel->args)
    if (a.name == name) return a.value;
  throw UsageError(fmt::format(
      "no value for scalar '{}' of {}; pass --set {}=X, or give kernels.yaml an args entry", name,
      job.config(), name));
}

std::vector<std::int64_t> shape_of(const ir::Kernel& k, const ir::Param& p,
                                   const std::map<std::string, std::int64_t>& sizes) {
  std::vector<std::int64_t> shape;
  for (int a : p.axes) shape.push_back(sizes.at(k.axes[a].name));
  return shape;
}

ir::Tensor generated(const dsl::KernelEntry& entry, const Problem& problem, const ir::Param& p,
                     std::vector<std::int64_t> shape, std::uint64_t seed) {
  ir::Tensor t(p.type.elem, shape);
  auto random = [seed](ir::Elem e, std::vector<std::int64_t> of, std::string_view name) {
    return generate(e, std::move(of), seed, name);
  };
  if (entry.input && entry.input({p.name, t, problem.sizes, problem.config, random})) return t;
  return random(p.type.elem, std::move(shape), p.name);
}

ir::Tensor input(const dsl::KernelEntry& entry, const Problem& problem, const ir::Param& p,
                 std::vector<std::int64_t> shape, const ProblemOptions& options) {
  auto file = options.in.find(p.name);
  if (file == options.in.end()) return generated(entry, problem, p, std::move(shape), options.seed);
  ir::Tensor t = read_npy(file->second, p.type.elem);
  if (t.shape != shape)
    throw UsageError(
        fmt::format("{}: shape ({}) for '{}' of shape ({}); pass a tensor of that shape, or set "
                    "the dimensions with --set",
                    file->second, fmt::join(t.shape, ", "), p.name, fmt::join(shape, ", ")));
  return t;
}

/// Indices of a tile are s32.
constexpr std::int64_t most_size = std::numeric_limits<std::int32_t>::max();

/// A derived axis has no size of its own.
void check_own(const ir::Kernel& k, const std::string& name, const std::string& where) {
  for (const ir::Axis& a : k.axes)
    if (a.name == name && a.of >= 0)
      throw UsageError(fmt::format("{}: the size of '{}' follows from that of '{}'; set that",
                                   where, name, k.axes[static_cast<std::size_t>(a.of)].name));
}

void check_names(const ir::Kernel& k, const ProblemOptions& options) {
  auto names = settable(k);
  for (const auto& [name, value] : options.set) check_own(k, name, fmt::format("--set {}", name));
  for (const auto& [name, value] : options.set) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw UsageError(fmt::format("--set {}: the kernel has no such dimension or scalar; {}", name,
                                   verify::did_you_mean(name, names)));
    for (const ir::Axis& a : k.axes)
      if (a.name == name && (value < 1 || value > most_size || value != std::floor(value) ||
                             (a.bound && *a.bound != static_cast<std::int64_t>(value))))
        throw UsageError(
            a.bound ? fmt::format(
                          "--set {}={}: this schedule is compiled for {}; choose another schedule",
                          name, value, *a.bound)
                    : fmt::format("--set {}={}: a dimension is a positive whole number, at most {}",
                                  name, value, most_size));
  }
  for (const auto& [name, file] : options.in) {
    bool known = std::any_of(k.params.begin(), k.params.end(), [&](const ir::Param& p) {
      return p.name == name && p.type.is_pointer() && p.access != ir::Access::Out;
    });
    if (!known)
      throw UsageError(fmt::format("--in {}: the kernel has no input tensor of that name", name));
  }
}

}  // namespace

std::map<std::string, std::int64_t> Problem::own_sizes() const {
  auto out = sizes;
  for (const ir::Axis& a : kernel.axes)
    if (a.of >= 0) out.erase(a.name);
  return out;
}

std::vector<std::int64_t> Problem::axis_sizes() const {
  std::vector<std::int64_t> out;
  for (const ir::Axis& a : kernel.axes)
    if (!a.bound && a.of < 0) out.push_back(sizes.at(a.name));
  return out;
}

ir::Scalar Problem::scalar(const ir::Param& p) const {
  double v = scalars.at(p.name);
  ir::Scalar s{p.type.elem, 0};
  switch (p.type.elem) {
    case ir::Elem::F64: s.bits = std::bit_cast<std::uint64_t>(v); break;
    case ir::Elem::F32: s.bits = std::bit_cast<std::uint32_t>(static_cast<float>(v)); break;
    case ir::Elem::F16: s.bits = ir::num::to_f16(static_cast<float>(v)).bits; break;
    case ir::Elem::BF16: s.bits = ir::num::to_bf16(static_cast<float>(v)).bits; break;
    default: s.bits = static_cast<std::uint64_t>(static_cast<std::int64_t>(v)); break;
  }
  return s;
}

namespace {

void set_sizes(Problem& p, const Job& job, const ProblemOptions& options) {
  verify::Dims dims = chosen_dims(job, options);
  for (const verify::Dim& d : dims)
    check_own(p.kernel, d.name, fmt::format("shape {} of {}", options.shape, job.kernel->name));
  auto sizes = ir::axis_sizes(p.kernel, [&](const ir::Axis& a) { return size_of(job, a, dims); });
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const ir::Axis& a = p.kernel.axes[i];
    p.sizes[a.name] = sizes[i];
    if (sizes[i] % a.multiple != 0)
      throw UsageError(fmt::format("{}={}: {} takes multiples of {}; choose another size", a.name,
                                   sizes[i], job.config(), a.multiple));
  }
}

/// Every tensor is made on the host, whatever the device.
void check_memory(const Problem& p, const Job& job) {
  constexpr double gib = 1 << 30;
  const double most = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                      static_cast<double>(::sysconf(_SC_PAGESIZE)) / gib;
  double all = 0;
  for (const ir::Param& param : p.kernel.params) {
    if (!param.type.is_pointer()) continue;
    const auto shape = shape_of(p.kernel, param, p.sizes);
    double bits = ir::bits(param.type.elem);
    for (const std::int64_t extent : shape) bits *= static_cast<double>(extent);
    all += bits / 8 / gib;
    if (all > most)
      throw UsageError(fmt::format(
          "{} with {} of [{}]: its tensors take {:.1f} GiB and more, this machine has {:.1f}; "
          "choose smaller sizes with --set",
          job.config(), param.name, fmt::join(shape, ", "), all, most));
  }
}

void set_arguments(Problem& p, const dsl::KernelEntry& entry, const ProblemOptions& options) {
  const int samples = ir::region_buffer(p.kernel);
  for (const ir::Param& param : p.kernel.params) {
    if (p.kernel.param_of(param.value) == samples) {
      p.tensors[param.name] = ir::Tensor(param.type.elem, shape_of(p.kernel, param, p.sizes));
      continue;
    }
    if (param.type.is_scalar()) continue;
    auto shape = shape_of(p.kernel, param, p.sizes);
    if (param.access == ir::Access::Out) {
      ir::Tensor t(param.type.elem, shape);
      std::memset(t.data.data(), poison, t.data.size());
      p.tensors[param.name] = std::move(t);
    } else {
      p.tensors[param.name] = input(entry, p, param, shape, options);
    }
  }
}

/// One in how many elements the reference is asked for: all where it does them in about a second,
/// and where it knows no sample. A reference that samples says what an element costs, or has bounds
/// that are sampled with it; any other computes every element whatever it is asked for.
std::int64_t reference_stride(const Problem& p, const dsl::KernelEntry& entry, ir::Elem type) {
  if (!entry.sample_flops && !entry.bound) return 1;
  double all = entry.flops ? entry.flops(type, p.sizes) : 0;
  if (all <= reference_flops) return 1;
  double elements = 0;
  for (const ir::Param& param : p.kernel.params)
    if (param.type.is_pointer() && param.access != ir::Access::In)
      elements += static_cast<double>(p.tensors.at(param.name).count());
  if (entry.sample_flops) all = std::max(all, elements * entry.sample_flops(type, p.sizes));
  return static_cast<std::int64_t>(std::ceil(all / reference_flops));
}

/// The reference's outputs, and their bounds where the register asks for these.
void set_expected(Problem& p, const dsl::KernelEntry& entry, const Job& job, ir::Elem type) {
  p.stride = reference_stride(p, entry, type);
  if (!job.kernel->compare.exact_at(p.where) && entry.bound)
    p.bounds = entry.bound({p.tensors, p.scalars, p.sizes, p.config, p.stride});
  if (!entry.reference) return;
  auto tensors = p.tensors;
  entry.reference({tensors, p.scalars, p.sizes, p.config, p.stride});
  for (const ir::Param& param : p.kernel.params)
    if (param.type.is_pointer() && param.access != ir::Access::In)
      p.expected[param.name] = std::move(tensors[param.name]);
  p.expected.erase(std::string(regions::parameter));
}

/// The problem without its tensors.
Problem sized_problem(const Session& session, const dsl::KernelEntry& entry, const Job& job,
                      const ProblemOptions& options) {
  Problem p;
  p.config = session.config(job);
  if (options.schedule) p.config.schedule = *options.schedule;
  p.config.timing = options.timing;
  p.kernel = dsl::instantiate(entry.make(session.elem(job)), p.config);
  p.where = options.where;
  check_names(p.kernel, options);
  set_sizes(p, job, options);
  check_memory(p, job);
  for (const ir::Param& param : p.kernel.params)
    if (param.type.is_scalar()) p.scalars[param.name] = scalar_of(job, param.name, options);
  return p;
}

}  // namespace

void check_sizes(const Session& session, const Job& job, const ProblemOptions& options) {
  sized_problem(session, session.entry(job), job, options);
}

Problem make_problem(const Session& session, const Job& job, const ProblemOptions& options) {
  const dsl::KernelEntry& entry = session.entry(job);
  Problem p = sized_problem(session, entry, job, options);
  set_arguments(p, entry, options);
  set_expected(p, entry, job, session.elem(job));
  return p;
}

bool fits_multiples(const Session& session, const Job& job, const verify::Shape& shape) {
  return fits_multiples(instantiate(session, job), shape);
}

bool fits_shape(const Session& session, const Job& job, const verify::Shape& shape) {
  for (const verify::Dim& bound : job.schedule->dims)
    for (const verify::Dim& d : shape.dims)
      if (d.name == bound.name && d.value != bound.value) return false;
  return fits_multiples(session, job, shape);
}

bool fits_multiples(const ir::Kernel& k, const verify::Shape& shape) {
  return std::all_of(k.axes.begin(), k.axes.end(), [&](const ir::Axis& a) {
    auto d = std::find_if(shape.dims.begin(), shape.dims.end(),
                          [&](const verify::Dim& dim) { return dim.name == a.name; });
    return a.bound || d == shape.dims.end() || d->value % a.multiple == 0;
  });
}

verify::Tolerance tolerance(const verify::CompareRule& rule) {
  switch (rule.kind) {
    case verify::CompareKind::Ulp: return {.ulp = static_cast<std::int64_t>(rule.max)};
    case verify::CompareKind::Abs: return {.absolute = rule.max};
    case verify::CompareKind::Rel: return {.relative = rule.max};
    default: return {};
  }
}

namespace {

struct Compared {
  bool ok;
  std::string text;
  std::int64_t first_bad;
};

/// One output: with the reference's bits where the register asks for them, else within its rule;
/// with bounds, equal bits pass too.
Compared compared(const Problem& p, const std::string& name, const ir::Tensor& got,
                  const verify::CompareRule& rule) {
  const ir::Tensor& want = p.expected.at(name);
  std::vector<std::int64_t> places;
  auto bound = p.bounds.find(name);
  if (p.stride > 1 || bound != p.bounds.end()) places = dsl::sample_places(want.count(), p.stride);
  verify::Comparison c = verify::compare(got, want, tolerance(rule), places);
  Compared out{c.equal, verify::to_string(c), c.first_bad};
  if (!c.equal && c.problem.empty() && bound != p.bounds.end()) {
    const auto& [value, slack] = bound->second;
    c = verify::compare_within(got, places, value, slack);
    out = {c.equal, verify::bound_text(c), c.first_bad};
  }
  if (p.stride > 1) out.text += fmt::format(", of {} elements one in {}", want.count(), p.stride);
  return out;
}

}  // namespace

Judgement judge(const Problem& p, const std::map<std::string, ir::Tensor>& got,
                const verify::CompareRule& rule) {
  Judgement j;
  if (p.expected.empty()) j.text = "no reference";
  for (const auto& [name, want] : p.expected) {
    Compared c = compared(p, name, got.at(name), rule);
    if (j.ok) j.text = fmt::format("{}: {}", name, c.text);
    if (c.ok || !j.ok) continue;
    j = {false, fmt::format("{}: {}", name, c.text), name, c.first_bad};
  }
  return j;
}

}  // namespace barline::tools
