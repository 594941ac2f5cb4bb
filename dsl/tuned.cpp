// SPDX-License-Identifier: Apache-2.0
#include "dsl/tuned.h"

#include <cmath>
#include <optional>

namespace barline::dsl {
namespace {

/// Nothing where the axes are not the same.
std::optional<double> distance(const Sizes& a, const Sizes& b) {
  if (a.size() != b.size()) return {};
  double sum = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j) {
    if (i->first != j->first) return {};
    sum += std::abs(std::log2(static_cast<double>(i->second) / static_cast<double>(j->second)));
  }
  return sum;
}

}  // namespace

void Tuned::add(TunedRow row) {
  for (TunedRow& r : rows_) {
    if (r.kernel != row.kernel || r.type != row.type || r.target != row.target ||
        r.sizes != row.sizes)
      continue;
    r = std::move(row);
    return;
  }
  rows_.push_back(std::move(row));
}

const TunedRow* Tuned::best(std::string_view kernel, std::string_view type, std::string_view target,
                            const Sizes& sizes,
                            const std::function<bool(const TunedRow&)>& takes) const {
  const TunedRow* nearest = nullptr;
  double least = 0;
  for (const TunedRow& r : rows_) {
    if (r.kernel != kernel || r.type != type || r.target != target) continue;
    std::optional<double> d = distance(r.sizes, sizes);
    if (!d || (nearest && *d >= least) || (takes && !takes(r))) continue;
    nearest = &r;
    least = *d;
  }
  return nearest;
}

}  // namespace barline::dsl
