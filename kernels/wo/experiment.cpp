// SPDX-License-Identifier: Apache-2.0
#include "kernels/wo/experiment.h"

#include "kernels/reference/wo.h"
#include "kernels/wo/wo.h"

namespace barline::kernels {
namespace {

using formats::Nvfp4Matrix;
using formats::ScaleOrder;

template <ScaleOrder Order>
WoDiagnostics diagnostics_of(const std::map<std::string, ir::Tensor>& tensors, const char* scales,
                             float global_scale) {
  const bool made = tensors.contains("attention");  // then x is an output
  const ir::Tensor& x = tensors.at(made ? "attention" : "x");
  const ir::Tensor& codes = tensors.at("w");
  const std::int64_t n = codes.shape[0], groups = codes.shape[1] / formats::nvfp4_group;
  const Nvfp4Matrix<Order> w{codes, {tensors.at(scales), n, groups}, global_scale};
  return {reference::wo_chained(x, w), reference::wo_matmul(x, w)};
}

}  // namespace

std::optional<WoBlocks> wo_blocks(const std::map<std::string, std::int64_t>& sizes,
                                  const std::map<std::string, ir::Tensor>& tensors) {
  for (const char* axis : {"B", "N", "wo_split", "slice_ctas"})
    if (!sizes.contains(axis)) return {};
  WoBlocks b;
  b.slots = b.active = b.kv_heads * sizes.at("wo_split");
  b.grid = b.kv_heads * sizes.at("slice_ctas");
  const WoConfig words{
      .kv_heads = b.kv_heads, .producer_wait = tensors.contains("attention"), .gather_groups = 0};
  if (auto counters = tensors.find("counters"); counters != tensors.end())
    b.gather = counters->second.count() / sizes.at("B") - words.counters();
  b.scratch_bytes = static_cast<double>(2 * sizes.at("B") * b.slots * sizes.at("N") * 4);
  return b;
}

WoDiagnostics wo_diagnostics(const std::map<std::string, ir::Tensor>& tensors,
                             const std::map<std::string, double>& scalars) {
  const auto scale = static_cast<float>(scalars.at("global_scale"));
  return tensors.contains("w_scale")
             ? diagnostics_of<ScaleOrder::Linear>(tensors, "w_scale", scale)
             : diagnostics_of<ScaleOrder::Swizzled>(tensors, "w_scale_swizzled", scale);
}

}  // namespace barline::kernels
