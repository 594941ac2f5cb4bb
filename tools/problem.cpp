// SPDX-License-Identifier: Apache-2.0
#include "tools/problem.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "ir/half.h"
#include "tools/compile_job.h"
#include "tools/error.h"
#include "tools/generate.h"
#include "tools/npy.h"
#include "verify/gate/suggest.h"

namespace barline::tools {
namespace {

constexpr unsigned char poison = 0xa5;

std::vector<std::string> settable(const ir::Kernel& k) {
  std::vector<std::string> names;
  for (const ir::Axis& a : k.axes) names.push_back(a.name);
  for (const ir::Param& p : k.params)
    if (p.type.is_scalar()) names.push_back(p.name);
  return names;
}

/// Dims for instantiate(): those of the shape and of --set that bind an axis of the config.
verify::Dims chosen_dims(const Job& job, const ProblemOptions& options) {
  verify::Dims dims;
  if (const verify::Shape* shape = job.kernel->shape(options.shape))
    dims = shape->dims;
  else if (options.shape != "sim")
    throw UsageError(fmt::format("kernel {} has no shape '{}' in the register", job.kernel->name,
                                 options.shape));
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

ir::Tensor input(const ir::Param& p, std::vector<std::int64_t> shape,
                 const ProblemOptions& options) {
  auto file = options.in.find(p.name);
  if (file == options.in.end())
    return generate(p.type.elem, std::move(shape), options.seed, p.name);
  ir::Tensor t = read_npy(file->second, p.type.elem);
  if (t.shape != shape)
    throw UsageError(
        fmt::format("{}: shape ({}) for '{}' of shape ({}); pass a tensor of that shape, or set "
                    "the dimensions with --set",
                    file->second, fmt::join(t.shape, ", "), p.name, fmt::join(shape, ", ")));
  return t;
}

void check_names(const ir::Kernel& k, const ProblemOptions& options) {
  auto names = settable(k);
  for (const auto& [name, value] : options.set) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw UsageError(fmt::format("--set {}: the kernel has no such dimension or scalar; {}", name,
                                   verify::did_you_mean(name, names)));
    for (const ir::Axis& a : k.axes)
      if (a.name == name && (value < 1 || value != std::floor(value) ||
                             (a.bound && *a.bound != static_cast<std::int64_t>(value))))
        throw UsageError(
            a.bound
                ? fmt::format(
                      "--set {}={}: this schedule is compiled for {}; choose another schedule",
                      name, value, *a.bound)
                : fmt::format("--set {}={}: a dimension is a positive whole number", name, value));
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

std::vector<std::int64_t> Problem::axis_sizes() const {
  std::vector<std::int64_t> out;
  for (const ir::Axis& a : kernel.axes)
    if (!a.bound) out.push_back(sizes.at(a.name));
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

Problem make_problem(const Session& session, const Job& job, const ProblemOptions& options) {
  Problem p;
  p.config = session.config(job);
  p.kernel = instantiate(session, job);
  check_names(p.kernel, options);
  verify::Dims dims = chosen_dims(job, options);
  for (const ir::Axis& a : p.kernel.axes) {
    std::int64_t size = p.sizes[a.name] = size_of(job, a, dims);
    if (size % a.multiple != 0)
      throw UsageError(fmt::format("{}={}: {} takes multiples of {}; choose another size", a.name,
                                   size, job.config(), a.multiple));
  }
  for (const ir::Param& param : p.kernel.params) {
    if (param.type.is_scalar()) {
      p.scalars[param.name] = scalar_of(job, param.name, options);
      continue;
    }
    auto shape = shape_of(p.kernel, param, p.sizes);
    if (param.access == ir::Access::Out) {
      ir::Tensor t(param.type.elem, shape);
      std::memset(t.data.data(), poison, t.data.size());
      p.tensors[param.name] = std::move(t);
    } else {
      p.tensors[param.name] = input(param, shape, options);
    }
  }
  const dsl::KernelEntry& entry = session.entry(job);
  if (entry.reference) {
    auto tensors = p.tensors;
    entry.reference({tensors, p.scalars, p.sizes, p.config});
    for (const ir::Param& param : p.kernel.params)
      if (param.type.is_pointer() && param.access != ir::Access::In)
        p.expected[param.name] = std::move(tensors[param.name]);
  }
  return p;
}

verify::Tolerance tolerance(const verify::CompareRule& rule) {
  switch (rule.kind) {
    case verify::CompareKind::Ulp: return {.ulp = static_cast<std::int64_t>(rule.max)};
    case verify::CompareKind::Abs: return {.absolute = rule.max};
    case verify::CompareKind::Rel: return {.relative = rule.max};
    default: return {};
  }
}

Judgement judge(const Problem& p, const std::map<std::string, ir::Tensor>& got,
                const verify::CompareRule& rule) {
  Judgement j;
  if (p.expected.empty()) j.text = "no reference";
  for (const auto& [name, want] : p.expected) {
    verify::Comparison c = verify::compare(got.at(name), want, tolerance(rule));
    if (j.ok) j.text = fmt::format("{}: {}", name, verify::to_string(c));
    if (c.equal || !j.ok) continue;
    j = {false, fmt::format("{}: {}", name, verify::to_string(c)), name, c.first_bad};
  }
  return j;
}

}  // namespace barline::tools
