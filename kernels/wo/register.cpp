// SPDX-License-Identifier: Apache-2.0
// The registered configs of wo_nvfp4, their inputs and what they are compared with.
#include <algorithm>

#include "ir/meeting.h"
#include "kernels/kernels.h"
#include "kernels/reference/wo.h"
#include "kernels/wo/inputs_p.h"
#include "kernels/wo/wo.h"

namespace barline::kernels {
namespace {

using namespace dsl;
using formats::nvfp4_group;
using formats::Nvfp4Matrix;
using formats::ScaleOrder;

/// Named for the block and the split that kernels.yaml binds. Four blocks fit on an SM, so that the
/// grid of 16 rows of x is resident.
constexpr ir::Schedule cta128(std::string_view name) {
  return {.name = name, .threads = 128, .budget = {.ctas_per_sm = 4}};
}
const std::vector<ir::Schedule> schedules{cta128("cta128_wo_split1"), cta128("cta128_wo_split2"),
                                          cta128("cta128_wo_split4"), cta128("cta128_wo_split8")};

/// True for what random elements would not do for: scales, and workspace, which starts as zeros.
bool wo_input(const InputArgs& a) {
  if (a.name == "w_scale") a.tensor = random_scales(a).tensor();
  if (a.name == "w_scale_swizzled") a.tensor = formats::swizzle(random_scales(a)).tensor();
  return a.name != "x" && a.name != "attention" && a.name != "w";
}

template <ScaleOrder Order>
reference::WoSums sums_of(const ReferenceArgs& a, const ir::Tensor& x, const char* scales,
                          const reference::WoSplit& how) {
  const std::int64_t n = a.sizes.at("N"), groups = a.sizes.at("K") / nvfp4_group;
  const Nvfp4Matrix<Order> w{a.tensors.at("w"),
                             {a.tensors.at(scales), n, groups},
                             static_cast<float>(a.scalars.at("global_scale"))};
  return reference::wo_split_order(x, w, how);
}

/// The counters after the launch that the reference stands for (dsl/generations.h).
void count_launch(const WoConfig& c, ReferenceArgs& a, const reference::WoSplit& how) {
  ir::Tensor &launches = a.tensors.at("launches"), &counters = a.tensors.at("counters");
  auto* started = launches.as<std::uint64_t>();
  // A config without parts to wait signals nothing.
  const auto bound = a.config.dims.find("wo_split");
  const bool released = c.producer_wait && (bound == a.config.dims.end() || bound->second > 1);
  for (std::int64_t i = 0; i < launches.count(); ++i) ++started[i];
  const std::int64_t batch = launches.shape[0], words = counters.count() / batch;
  for (std::int64_t b = 0; b < batch; ++b) {
    const std::uint64_t generation = started[b * launches.shape[1]];
    auto* word = counters.as<std::uint64_t>() + b * words;
    for (std::int64_t g = 0; g < c.gather_groups; ++g)
      word[g] = std::max(word[g], generation << ir::arrival_bits) +
                static_cast<std::uint64_t>(how.slots());
    if (released) std::fill_n(word + c.gather_groups, how.kv_heads, generation);
  }
}

void wo_reference(const WoConfig& c, ReferenceArgs a) {
  const reference::WoSplit how{c.kv_heads, a.sizes.at("wo_split")};
  if (c.producer_wait) a.tensors.at("x") = a.tensors.at("attention");
  const ir::Tensor& x = a.tensors.at("x");
  reference::WoSums sums = c.scales == ScaleOrder::Linear
                               ? sums_of<ScaleOrder::Linear>(a, x, "w_scale", how)
                               : sums_of<ScaleOrder::Swizzled>(a, x, "w_scale_swizzled", how);
  a.tensors.at("y") = std::move(sums.y);
  a.tensors.at("partial") = std::move(sums.partial);
  count_launch(c, a, how);
}

/// What a run must move: x, codes, scales as they are stored, the global scale and y.
double payload(const WoConfig& c, const std::map<std::string, std::int64_t>& n) {
  const auto rows = n.at("N"), k = n.at("K"), batch = n.at("B");
  const auto scales = formats::scale_shape(c.scales, rows, k / nvfp4_group);
  return static_cast<double>(batch * k * 2 + rows * k / 2 + scales[0] * scales[1] + 4 +
                             batch * rows * 4);
}

void add(Registry& registry, const char* name, const char* doc, const WoConfig& c) {
  registry.add({.name = name,
                .doc = doc,
                .types = {bf16},
                .schedules = schedules,
                .make = [c](Elem) { return wo_nvfp4(c); },
                .reference = [c](ReferenceArgs a) { wo_reference(c, a); },
                .bytes = [c](Elem, const auto& n) { return payload(c, n); },
                .flops = [](Elem, const auto& n) { return projection_flops(n); },
                .input = wo_input});
}

}  // namespace

void add_wo_nvfp4(Registry& registry) {
  add(registry, "wo_nvfp4", "y = x w of NVFP4 weights, K split over blocks, in reference order",
      {});
  add(registry, "wo_nvfp4_swizzled", "wo_nvfp4 with swizzled block scales",
      {.scales = ScaleOrder::Swizzled});
  add(registry, "wo_nvfp4_producer", "wo_nvfp4 whose x one block a head writes in the same launch",
      {.producer_wait = true});
  add(registry, "wo_nvfp4_parallel_gather", "wo_nvfp4 whose y is gathered in five runs of N",
      {.gather_groups = 5});
}

}  // namespace barline::kernels
