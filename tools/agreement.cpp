// SPDX-License-Identifier: Apache-2.0
#include "tools/agreement.h"

#include <algorithm>
#include <cmath>

#include "dsl/sample.h"

namespace barline::tools {

void add_distances(Agreement& a, const ir::Tensor& got, const ir::Tensor& want) {
  double sum = a.mean_abs * static_cast<double>(a.elements);
  for (std::int64_t i : dsl::sample_places(got.count(), a.stride)) {
    ++a.elements;
    const double g = ir::value_as_f64(got, i), w = ir::value_as_f64(want, i);
    if (std::isnan(g) && std::isnan(w)) continue;
    const double off = g == w ? 0 : std::abs(g - w);
    sum += off;
    // A NaN against a number is the largest distance there is.
    a.max_abs = std::isnan(off) ? HUGE_VAL : std::max(a.max_abs, off);
    if (w != 0) a.max_rel = std::max(a.max_rel, off / std::abs(w));
  }
  if (a.elements) a.mean_abs = sum / static_cast<double>(a.elements);
}

nlohmann::ordered_json to_json(const Agreement& a) {
  using Json = nlohmann::ordered_json;
  auto measured = [&](double v) { return a.elements ? Json(v) : Json(); };
  return {{"reference", a.reference},
          {"gate", a.gate},
          {"ok", a.ok},
          {"max_abs", measured(a.max_abs)},
          {"mean_abs", measured(a.mean_abs)},
          {"max_rel", measured(a.max_rel)},
          {"elements", a.elements},
          {"stride", a.stride},
          {"text", a.text}};
}

Agreement parse_agreement(const nlohmann::ordered_json& json) {
  Agreement a{.reference = json.at("reference"), .gate = json.at("gate"), .ok = json.at("ok")};
  a.elements = json.at("elements");
  a.stride = json.at("stride");
  a.text = json.at("text");
  // JSON has no infinity: a distance that is missing of elements that are there was one.
  auto measured = [&](const char* name) {
    const auto& v = json.at(name);
    return v.is_null() ? (a.elements ? HUGE_VAL : 0) : v.get<double>();
  };
  a.max_abs = measured("max_abs");
  a.mean_abs = measured("mean_abs");
  a.max_rel = measured("max_rel");
  return a;
}

}  // namespace barline::tools
