// SPDX-License-Identifier: Apache-2.0
#include "kernels/reference/contraction.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "dsl/sample.h"
#include "ir/tensor_core.h"
#include "kernels/matmul/int4.h"
#include "kernels/matmul/int8.h"
#include "kernels/reference/elements.h"
#include "kernels/reference/tiles.h"

namespace barline::kernels::reference {
namespace {

using dsl::ErrorBound;
using ir::Elem;
using ir::Tensor;

/// A tensor that is there, or nothing.
const Tensor* find(const dsl::ReferenceArgs& a, const std::string& name) {
  auto at = a.tensors.find(name);
  return at == a.tensors.end() ? nullptr : &at->second;
}

/// One segment of a contraction: its tensors and sizes.
struct Part {
  const Tensor& x;
  const Tensor& w;
  Tensor& y;
  std::string scale_name;
  std::int64_t m, n, k;
  std::vector<std::int64_t> places;

  Part(const Contraction& c, const dsl::ReferenceArgs& a, const std::string& suffix)
      : x(a.tensors.at(c.x)),
        w(a.tensors.at(c.w + suffix)),
        y(a.tensors.at(c.y + suffix)),
        scale_name(c.w + "_scale" + suffix),
        m(y.shape.at(0)),
        n(y.shape.at(1)),
        k(x.shape.at(1)),
        places(dsl::sample_places(m * n, a.stride)) {}
};

/// Words [N, K/8] of int4 weights in either layout.
Tensor plain_words(const Part& p) {
  return p.w.shape.back() == p.k / 8 ? p.w : unpack_int4_words(p.w, p.n, p.k);
}

/// s8 [K, N] of int8 weights in either layout.
Tensor plain_codes(const Part& p) {
  return p.w.elem == Elem::S8 ? p.w : unpack_int8(p.w, p.n, p.k);
}

Operand int4_operand(const Part& p, const Tensor& scales) {
  Tensor words = plain_words(p);
  const auto* word = words.as<std::uint32_t>();
  const auto* scale = scales.as<ir::f16_t>();
  std::int64_t group = group_of(p.k, scales.shape.at(0));
  return {Elem::F16, p.n, p.k, [&](std::int64_t n, std::int64_t k) {
            return dequantised(code_of(word + n * (p.k / 8), k), scale[k / group * p.n + n]).bits;
          }};
}

Operand int8_operand(const Part& p) {
  Tensor codes = plain_codes(p);
  const auto* code = codes.as<std::int8_t>();
  std::uint16_t bits[256];  // of every code in x's type: exact in f16 and bf16
  for (int c = -128; c < 128; ++c)
    bits[c + 128] =
        p.x.elem == Elem::F16 ? ir::num::to_f16(float(c)).bits : ir::num::to_bf16(float(c)).bits;
  return {p.x.elem, p.n, p.k,
          [&](std::int64_t n, std::int64_t k) { return bits[code[k * p.n + n] + 128]; }};
}

Operand weight_operand(const Contraction& c, const dsl::ReferenceArgs& a, const Part& p) {
  switch (c.weights) {
    case Weights::Int4: return int4_operand(p, a.tensors.at(p.scale_name));
    case Weights::Int8: return int8_operand(p);
    default: return transposed(p.w);
  }
}

/// Sums of s8 by s8, exact.
std::vector<std::int32_t> s8_sums(const Part& p) {
  const auto *x = p.x.as<std::int8_t>(), *w = p.w.as<std::int8_t>();
  std::vector<std::int32_t> sums;
  for (std::int64_t at : p.places)
    sums.push_back(ir::mma_dot_s8(x + at / p.n * p.k, w + at % p.n * p.k, static_cast<int>(p.k), 0));
  return sums;
}

/// The scales after the sum, in order: calls visit(scale of element (m, n)) for each.
class Scales {
 public:
  Scales(const Contraction& c, const dsl::ReferenceArgs& a, const Part& p) : n_(p.n) {
    if (const Tensor* t = find(a, c.x + "_scale")) row_ = load_f32(*t);
    if (c.weights == Weights::Int4) return;
    if (const Tensor* t = find(a, p.scale_name))
      column_ = load_f32(*t);
    else if (auto s = a.scalars.find(p.scale_name); s != a.scalars.end())
      column_ = {static_cast<float>(s->second)};
  }
  template <class Visit>
  void each(std::int64_t place, Visit visit) const {
    if (!row_.empty()) visit(row_[row_.size() == 1 ? 0 : place / n_]);
    if (!column_.empty()) visit(column_[column_.size() == 1 ? 0 : place % n_]);
  }

 private:
  std::int64_t n_;
  std::vector<float> row_, column_;
};

/// How the schedule shares the summed axis out over warps or over a cluster's blocks.
KParts parts_of(const ir::Schedule& schedule, const std::string& k_axis) {
  KParts shared{.step = std::max<std::int64_t>(schedule.tile.k, Operand::step)};
  for (const ir::Split& split : schedule.splits)
    if (split.axis == k_axis) {
      shared.parts *= split.parts;
      shared.ranges = split.over == ir::Team::Cluster;
    }
  return shared;
}

void contract_part(const Contraction& c, const dsl::ReferenceArgs& a, Part p) {
  std::vector<float> sums;
  if (p.x.elem == Elem::S8) {
    std::vector<std::int32_t> exact = s8_sums(p);
    if (p.y.elem == Elem::S32) {
      for (std::size_t i = 0; i < exact.size(); ++i) p.y.as<std::int32_t>()[p.places[i]] = exact[i];
      return;
    }
    sums.assign(exact.begin(), exact.end());
  } else {
    sums = mma_sums(operand(p.x), weight_operand(c, a, p), p.places,
                    parts_of(a.config.schedule, c.k_axis));
  }
  Scales scales(c, a, p);
  for (std::size_t i = 0; i < sums.size(); ++i)
    scales.each(p.places[i], [&](float s) { sums[i] *= s; });
  if (a.stride == 1) return store_f32(p.y, 0, sums);
  for (std::size_t i = 0; i < sums.size(); ++i) store_f32(p.y, p.places[i], sums[i]);
}

ErrorBound part_bounds(const Contraction& c, const dsl::ReferenceArgs& a, const Part& p) {
  ErrorBound out;
  if (p.x.elem == Elem::S8) {
    std::vector<std::int32_t> exact = s8_sums(p);
    out.value.assign(exact.begin(), exact.end());
    for (std::int32_t v : exact)
      out.slack.push_back(p.y.elem == Elem::S32 ? 0 : std::abs(double(v)) * 0x1p-24);
  } else {
    out = exact_sums(operand(p.x), weight_operand(c, a, p), p.places);
  }
  if (p.y.elem == Elem::S32) return out;  // the sums themselves
  Scales scales(c, a, p);
  for (std::size_t i = 0; i < out.value.size(); ++i) {
    scales.each(p.places[i], [&](float s) { scale_bound(out.value[i], out.slack[i], s); });
    round_bound(out.value[i], out.slack[i], p.y.elem);
  }
  return out;
}

/// Above 0 and of about one octave: random numbers of [-2, 2) as 1 .. 3 times `unit`.
void positive(Tensor& t, const Tensor& random, float unit) {
  std::vector<float> v = load_f32(random);
  for (float& s : v) s = (std::abs(s) + 1) * unit;
  store_f32(t, 0, v);
}

void random_weights(const Contraction& c, const dsl::InputArgs& a, std::int64_t n, std::int64_t k) {
  if (c.weights == Weights::Int8) {
    a.tensor = pack_int8(a.random(Elem::S8, {k, n}, a.name));
    return;
  }
  Tensor words(Elem::U32, {n, k / 8});
  words.data = a.random(Elem::S4, {n, k}, a.name).data;  // nibbles in order are words in order
  a.tensor.data =
      a.tensor.shape.back() == k / 8 ? std::move(words.data) : pack_int4_words(words).data;
}

}  // namespace

std::int64_t group_of(std::int64_t k, std::int64_t groups) {
  for (std::int64_t group :
       {std::int64_t{32}, std::int64_t{64}, std::int64_t{128}, std::int64_t{256}, k})
    if ((k + group - 1) / group == groups) return group;
  throw std::invalid_argument(fmt::format(
      "{} rows of scales over K = {}; groups are of 32, 64, 128, 256 or K elements", groups, k));
}

void contract(const Contraction& c, const dsl::ReferenceArgs& args) {
  for (const std::string& suffix : c.segments) contract_part(c, args, Part(c, args, suffix));
}

std::map<std::string, ErrorBound> contract_bounds(const Contraction& c,
                                                  const dsl::ReferenceArgs& args) {
  std::map<std::string, ErrorBound> out;
  for (const std::string& suffix : c.segments)
    out[c.y + suffix] = part_bounds(c, args, Part(c, args, suffix));
  return out;
}

bool contraction_input(const Contraction& c, const dsl::InputArgs& a) {
  auto random = [&] { return a.random(a.tensor.elem, a.tensor.shape, a.name); };
  // Sums of 2^12 products come out at a few hundred, inside f16.
  if (a.name == c.x + "_scale") return positive(a.tensor, random(), 0x1p-6f), true;
  for (const std::string& suffix : c.segments) {
    if (a.name == c.w + "_scale" + suffix) {
      float unit = c.weights == Weights::Int4 ? 0x1p-6f : 0x1p-10f;
      return positive(a.tensor, random(), unit), true;
    }
    if (a.name == c.w + suffix && a.tensor.elem == Elem::U32)
      return random_weights(c, a, a.sizes.at(c.n_axis + suffix), a.sizes.at(c.k_axis)), true;
  }
  return false;
}

double contraction_flops(const Contraction& c, const std::map<std::string, std::int64_t>& sizes) {
  double columns = 0;
  for (const std::string& suffix : c.segments)
    columns += static_cast<double>(sizes.at(c.n_axis + suffix));
  return 2.0 * columns * static_cast<double>(sizes.at(c.m_axis)) *
         static_cast<double>(sizes.at(c.k_axis));
}

}  // namespace barline::kernels::reference
