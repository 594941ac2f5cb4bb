// SPDX-License-Identifier: Apache-2.0
#include "problem.h"

#include <fmt/format.h>
#include <bit>
#include <catch2/catch.hpp>
#include <random>

#include "ir/extents.h"
#include "ir/numerics.h"
#include "ir/passes/bind_order.h"
#include "ir/pipeline.h"
#include "kernels/kernels.h"
#include "kernels/reference/elements.h"
#include "verify/interp/simulate.h"

namespace barline::test {
namespace {

using ir::Elem;
namespace reference = kernels::reference;

bool binds(const ir::Schedule& s, const std::string& axis) {
  return s.name.find("_" + axis) != std::string_view::npos;
}

void randomize(ir::Tensor& t, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  if (!ir::is_float(t.elem) && t.elem != Elem::S8) {
    for (std::byte& b : t.data) b = std::byte(engine());
    return;
  }
  std::normal_distribution<float> normal;
  std::uniform_int_distribution<int> byte(-128, 127);
  std::vector<float> v(t.count());
  for (float& x : v) x = t.elem == Elem::S8 ? static_cast<float>(byte(engine)) : normal(engine);
  reference::store_f32(t, 0, v);
}

void fill_input(const Problem& p, const std::string& name, ir::Tensor& t, std::uint64_t seed) {
  auto random = [seed](Elem e, std::vector<std::int64_t> shape, std::string_view) {
    ir::Tensor of(e, std::move(shape));
    randomize(of, seed);
    return of;
  };
  if (!p.kernel->input || !p.kernel->input({name, t, p.sizes, p.config, random}))
    randomize(t, seed);
}

/// The element's bits with every NaN as one.
std::uint64_t canonical_bits(const ir::Tensor& t, std::int64_t i) {
  std::uint64_t raw = 0;
  std::memcpy(&raw, &t.data[i * ir::bytes(t.elem)], ir::bytes(t.elem));
  bool nan = ir::is_float(t.elem) && std::isnan(reference::load_f32(t, i, 1)[0]);
  return nan ? ~0ull : raw;
}

}  // namespace

const std::vector<dsl::KernelEntry>& all_entries() {
  static const dsl::Registry registry = [] {
    dsl::Registry r;
    kernels::register_all(r);
    return r;
  }();
  return registry.entries();
}

const dsl::KernelEntry& entry(const std::string& name) {
  for (const dsl::KernelEntry& e : all_entries())
    if (e.name == name) return e;
  throw std::invalid_argument("no kernel " + name);
}

Sizes rounded_up(const std::string& name, Elem type, const ir::Schedule& schedule, Sizes sizes) {
  const ir::Kernel k =
      dsl::instantiate(entry(name).make(type), {.schedule = schedule, .dims = {}, .label = {}});
  for (const ir::Axis& a : k.axes)
    if (a.of < 0) sizes[a.name] = (sizes.at(a.name) + a.multiple - 1) / a.multiple * a.multiple;
  return sizes;
}

Problem::Problem(const std::string& name, Elem type, const ir::Schedule& schedule, Sizes of)
    : kernel(&entry(name)),
      config{.schedule = schedule},
      source(kernel->make(type)),
      sizes(std::move(of)) {
  config.label = fmt::format("{}.{}@{}", name, ir::name(type), schedule.name);
  for (const auto& [axis, size] : sizes)
    if (binds(schedule, axis)) config.dims[axis] = size;
  const ir::Kernel k = dsl::instantiate(source, config);
  auto all = ir::axis_sizes(k, [&](const ir::Axis& a) { return sizes.at(a.name); });
  for (std::size_t i = 0; i < all.size(); ++i) sizes[k.axes[i].name] = all[i];
  std::uint64_t seed = 1;
  for (const ir::Param& p : k.params) {
    if (p.type.is_scalar()) {
      scalars[p.name] = 1e-6;
      continue;
    }
    std::vector<std::int64_t> shape;
    for (int axis : p.axes) shape.push_back(all[axis]);
    ir::Tensor& tensor = tensors[p.name] = ir::Tensor(p.type.elem, shape);
    if (p.access != ir::Access::Out) fill_input(*this, p.name, tensor, seed++);
  }
}

std::vector<float> Problem::get(const std::string& name) const {
  return reference::load_f32(tensors.at(name));
}

void Problem::set(const std::string& name, std::int64_t i, double value) {
  reference::store_f32(tensors.at(name), i, static_cast<float>(value));
}

void Problem::fill(const std::string& name, const std::function<double(std::int64_t)>& value) {
  for (std::int64_t i = 0; i < tensors.at(name).count(); ++i) set(name, i, value(i));
}

void Problem::refer() { kernel->reference({tensors, scalars, sizes, config}); }

Tensors Problem::simulated(bool lowered) const {
  ir::Kernel k = dsl::instantiate(source, config);
  if (lowered)
    ir::run_pipeline(k);
  else
    ir::bind_order(k);
  verify::SimOptions options;
  options.syncs_placed = lowered;
  return run(k, options);
}

Tensors Problem::run(const ir::Kernel& k, const verify::SimOptions& options) const {
  Tensors result = tensors;
  std::vector<verify::SimArgument> arguments;
  for (const ir::Param& p : k.params) {
    if (p.type.is_pointer())
      arguments.emplace_back(result.at(p.name));
    else
      arguments.emplace_back(
          ir::Scalar{p.type.elem, std::bit_cast<std::uint32_t>(float(scalars.at(p.name)))});
  }
  std::vector<std::int64_t> dynamic;
  for (const ir::Axis& axis : k.axes)
    if (!axis.bound && axis.of < 0) dynamic.push_back(sizes.at(axis.name));
  verify::SimReport report = verify::simulate(k, arguments, dynamic, options);
  if (report.finding) FAIL(config.label << ": " << verify::to_string(*report.finding));
  return result;
}

std::string first_difference(const Tensors& got, const Tensors& want) {
  for (const auto& [name, w] : want) {
    const ir::Tensor& g = got.at(name);
    if (g.data == w.data) continue;
    for (std::int64_t i = 0; i < w.count(); ++i)
      if (canonical_bits(g, i) != canonical_bits(w, i))
        return fmt::format("{}[{}]: got {} want {}", name, i, ir::value_as_f64(g, i),
                           ir::value_as_f64(w, i));
  }
  return "";
}

}  // namespace barline::test
