// SPDX-License-Identifier: Apache-2.0
#include "tools/launch_json.h"

#include "ir/extents.h"
#include "ir/tensor_map.h"
#include "runtime/jit/signature.h"

namespace barline::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view access_names[] = {"in", "out", "inout"};

/// The size of the kernel's axis by the rules of those that it follows.
Json size_json(const ir::Kernel& k, int axis) {
  const ir::Axis& a = k.axes[static_cast<std::size_t>(axis)];
  if (a.bound) return {{"count", *a.bound}};
  if (a.of < 0) return {{"axis", a.name}};
  Json size = size_json(k, a.of);
  if (!size.contains("rules")) size["rules"] = Json::array();
  size["rules"].push_back({a.per, a.times});
  return size;
}

Json params_json(const ir::Kernel& k) {
  Json params = Json::array();
  for (const ir::Param& p : k.params) {
    bool tensor = p.type.is_pointer();
    Json row{{"name", p.name}, {"elem", ir::name(p.type.elem)}, {"tensor", tensor}};
    if (tensor) {
      row["access"] = access_names[static_cast<int>(p.access)];
      row["shape"] = Json::array();
      for (int a : p.axes) row["shape"].push_back(size_json(k, a));
    }
    params.push_back(std::move(row));
  }
  return params;
}

Json axes_json(const ir::Kernel& k) {
  Json axes = Json::array();
  for (const ir::Axis& a : k.axes)
    if (ir::is_dynamic(a)) axes.push_back({{"name", a.name}, {"multiple", a.multiple}});
  return axes;
}

Json grid_json(const ir::Kernel& k) {
  Json grid = Json::array();
  for (const ir::GridDim& g : k.launch.grid) {
    if (g.axis < 0) {
      grid.push_back({{"count", g.count}});
      continue;
    }
    Json sizes = Json::array({size_json(k, g.axis)});
    for (int axis : g.also) sizes.push_back(size_json(k, axis));
    grid.push_back({{"sizes", std::move(sizes)},
                    {"per_block", g.per_block},
                    {"abreast", g.abreast && !g.also.empty()}});
  }
  return grid;
}

Json maps_json(const ir::Kernel& k) {
  Json maps = Json::array();
  for (const ir::TensorMap& m : ir::tensor_maps(k))
    maps.push_back(
        {{"param", m.param}, {"rows", m.rows}, {"columns", m.columns}, {"swizzled", m.swizzled}});
  return maps;
}

}  // namespace

Json launch_json(const ir::Kernel& k, const runtime::Metadata& m) {
  Json dims = Json::object();
  for (const ir::Axis& a : k.axes)
    if (a.bound && a.of < 0) dims[a.name] = *a.bound;
  return {{"entry", m.entry},
          {"block", {m.threads_x, m.threads_y, m.threads_z}},
          {"cluster", k.launch.cluster},
          {"dynamic_smem", m.dynamic_smem},
          {"registers", m.registers},
          {"cooperative", m.cooperative},
          {"persistent", k.launch.persistent},
          {"awaits_previous", m.awaits_previous},
          {"dims", std::move(dims)},
          {"params", params_json(k)},
          {"axes", axes_json(k)},
          {"grid", grid_json(k)},
          {"tensor_maps", maps_json(k)}};
}

}  // namespace barline::tools
