// SPDX-License-Identifier: Apache-2.0
#include "runtime/jit/signature.h"

#include <algorithm>

#include "ir/extents.h"
#include "ir/tensor_map.h"

namespace barline::jit {

using runtime::Signature;
using runtime::SignatureGrid;
using runtime::SignatureMap;
using runtime::SignatureParam;
using runtime::SignatureSize;

namespace {

/// The size of a kernel's axis; `dynamic` numbers those that a launch gives.
SignatureSize size_of(const ir::Kernel& k, const std::vector<int>& dynamic, int axis) {
  const ir::Axis& a = k.axes[axis];
  SignatureSize s;
  if (a.bound) {
    s.count = *a.bound;
  } else if (a.of < 0) {
    s.axis = dynamic[axis];
  } else {
    s = size_of(k, dynamic, a.of);
    s.rules.emplace_back(a.per, a.times);
    if (s.axis < 0) s = {-1, s.of({}), {}};
  }
  return s;
}

SignatureMap map_of(const ir::Kernel& k, const std::vector<int>& dynamic, const ir::TensorMap& m) {
  const std::vector<int>& axes = k.params[m.param].axes;
  SignatureMap map{m.param, m.rows, m.columns, m.swizzled, {}, {}, {}};
  if (!axes.empty()) map.width = size_of(k, dynamic, axes.back());
  if (axes.size() > 1) map.height = size_of(k, dynamic, axes[axes.size() - 2]);
  for (std::size_t i = 0; i + 2 < axes.size(); ++i)
    map.planes.push_back(size_of(k, dynamic, axes[i]));
  return map;
}

}  // namespace

// Both sides name types as PTX does, so the name leads from one to the other.
runtime::Element element_of(ir::Elem elem) {
  return runtime::parse_element(ir::name(elem)).value();
}

Signature signature_of(const ir::Kernel& k) {
  Signature s;
  std::vector<int> dynamic(k.axes.size(), -1);
  for (std::size_t i = 0; i < k.axes.size(); ++i) {
    if (!ir::is_dynamic(k.axes[i])) continue;
    dynamic[i] = static_cast<int>(s.axes.size());
    s.axes.push_back({k.axes[i].name, k.axes[i].multiple});
  }
  for (const ir::Param& p : k.params) {
    SignatureParam q{.name = p.name,
                     .elem = element_of(p.type.elem),
                     .tensor = p.type.is_pointer(),
                     .read = p.access != ir::Access::Out,
                     .written = p.type.is_pointer() && p.access != ir::Access::In,
                     .scratch = p.scratch,
                     .axes = {}};
    for (int a : p.axes) q.axes.push_back({k.axes[a].name, size_of(k, dynamic, a)});
    s.params.push_back(std::move(q));
  }
  for (int d = 0; d < 3; ++d) {
    const ir::GridDim& g = k.launch.grid[d];
    SignatureGrid& to = s.grid[d];
    to.count = g.axis < 0 ? g.count : 1;
    if (g.axis < 0) continue;
    to.per_block = g.per_block;
    to.abreast = g.abreast && !g.also.empty();
    to.axes.push_back(size_of(k, dynamic, g.axis));
    for (int axis : g.also) to.axes.push_back(size_of(k, dynamic, axis));
    bool known = std::all_of(to.axes.begin(), to.axes.end(),
                             [](const SignatureSize& size) { return size.axis < 0; });
    if (known) to = {.axes = {}, .abreast = false, .per_block = 1, .count = to.blocks({})};
  }
  for (const ir::TensorMap& m : ir::tensor_maps(k)) s.maps.push_back(map_of(k, dynamic, m));
  return s;
}

}  // namespace barline::jit
