// SPDX-License-Identifier: Apache-2.0
// Reductions of a row in the order that a schedule declares (ir/order.h): how a stripe's elements
// fall to threads and chains, chains fold in a thread, lanes in a warp, warps in a block.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "dsl/kernel.h"
#include "ir/layout.h"
#include "ir/order.h"
#include "ir/team.h"

namespace barline::kernels::reference {

/// The stripe of a whole row along the axis under a config, where some tensor over the axis has
/// more than one dimension. `extent` is the row's length.
inline ir::StripeShape row_stripe(const dsl::Config& config, const dsl::Axis& axis) {
  ir::Axis a;
  a.name = axis.name;
  a.multiple = axis.multiple;
  if (auto at = config.dims.find(axis.name); at != config.dims.end()) a.bound = at->second;
  return dsl::legalize_stripe(config.schedule, a, 0, false, false);
}

/// A thread's elements, element(position) each, in order: chain e mod vec, then chains pairwise.
template <class T, class Element, class Combine>
T fold_thread(const ir::StripeShape& stripe, std::int64_t extent, int thread, const T& identity,
              Element element, Combine combine) {
  std::array<T, 16> chains;
  chains.fill(identity);
  std::int64_t pitch = std::int64_t{stripe.vec} * stripe.threads;
  for (std::int64_t at = std::int64_t{thread} * stripe.vec; at < extent; at += pitch)
    for (int j = 0; j < stripe.vec && at + j < extent; ++j)
      chains[j] = combine(chains[j], element(at + j));
  return ir::fold_pairwise(chains.data(), stripe.vec, combine);
}

/// One value a thread: a butterfly over the lanes of each warp, then the warps pairwise.
template <class T, class Combine>
T fold_block(std::vector<T> values, Combine combine) {
  if (values.size() % ir::warp_size != 0) throw std::invalid_argument("a block of part warps");
  std::vector<T> warps;
  for (std::size_t first = 0; first < values.size(); first += ir::warp_size) {
    T* lane = &values[first];
    for (int step = ir::warp_size / 2; step > 0; step /= 2)
      for (int l = 0; l < step; ++l) lane[l] = combine(lane[l], lane[l + step]);
    warps.push_back(lane[0]);
  }
  return ir::fold_pairwise(warps.data(), static_cast<int>(warps.size()), combine);
}

/// block_reduce(reduce(element)) of a row: every thread's fold, then the block's.
template <class T, class Element, class Combine>
T fold_row(const ir::StripeShape& stripe, std::int64_t extent, const T& identity, Element element,
           Combine combine) {
  std::vector<T> values;
  for (int t = 0; t < stripe.threads; ++t)
    values.push_back(fold_thread(stripe, extent, t, identity, element, combine));
  return fold_block(std::move(values), combine);
}

/// The float sum of a row.
template <class Element>
float sum_row(const ir::StripeShape& stripe, std::int64_t extent, Element element) {
  return fold_row(stripe, extent, 0.0f, element, [](float a, float b) { return a + b; });
}

}  // namespace barline::kernels::reference
