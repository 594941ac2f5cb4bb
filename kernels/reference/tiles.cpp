// SPDX-License-Identifier: Apache-2.0
#include "kernels/reference/tiles.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "ir/half.h"
#include "ir/tensor_core.h"

namespace barline::kernels::reference {
namespace {

constexpr std::int64_t tile_m = 16, tile_n = 8;

double wide(ir::Elem e, std::uint16_t bits) {
  return e == ir::Elem::F16 ? ir::num::to_f64(ir::f16_t{bits}) : ir::num::to_f64(ir::bf16_t{bits});
}

double least_normal(ir::Elem e) { return e == ir::Elem::F16 ? 0x1p-14 : 0x1p-126; }

/// Rows first .. of the operand at step s, one after another.
template <std::int64_t count>
void gather(const Operand& o, std::int64_t first, std::int64_t s,
            std::array<std::uint16_t, count * Operand::step>& to) {
  for (std::int64_t r = 0; r < count; ++r)
    std::copy_n(o.row(first + r) + s * Operand::step, Operand::step, &to[r * Operand::step]);
}

/// The steps of 16 that part p of the sum takes, ascending.
std::vector<std::int64_t> steps_of_part(const Operand& a, KParts shared, int p) {
  const std::int64_t of_part = std::max(shared.step / shared.parts, Operand::step);
  std::vector<std::int64_t> steps;
  if (shared.ranges) {
    const std::int64_t all = (a.k() + shared.step - 1) / shared.step;
    auto start = [&](int part) {
      return std::min(part * all / shared.parts * (shared.step / Operand::step), a.steps());
    };
    for (std::int64_t s = start(p); s < start(p + 1); ++s) steps.push_back(s);
    return steps;
  }
  for (std::int64_t s = 0; s < a.steps(); ++s)
    if (s * Operand::step / of_part % shared.parts == p) steps.push_back(s);
  return steps;
}

/// The sums of the parts, added in ascending order.
template <class PartSums>
std::vector<float> added(KParts shared, PartSums sums_of) {
  std::vector<float> sums = sums_of(0);
  for (int p = 1; p < shared.parts; ++p) {
    const std::vector<float> part = sums_of(p);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += part[i];
  }
  return sums;
}

/// Every sum over these steps, by tiles of the mma's shape.
std::vector<float> all_mma_sums(const Operand& a, const Operand& b,
                                std::span<const std::int64_t> steps) {
  std::vector<float> sums(a.rows() * b.rows());
  std::array<std::uint16_t, tile_m * Operand::step> x;
  std::array<std::uint16_t, tile_n * Operand::step> y;
  for (std::int64_t m = 0; m < a.rows(); m += tile_m)
    for (std::int64_t n = 0; n < b.rows(); n += tile_n) {
      std::array<float, tile_m * tile_n> c{};
      for (std::int64_t s : steps) {
        gather<tile_m>(a, m, s, x);
        gather<tile_n>(b, n, s, y);
        ir::mma_tile(a.elem(), x.data(), y.data(), Operand::step, c.data(), c.data());
      }
      for (std::int64_t i = 0; i < std::min(tile_m, a.rows() - m); ++i)
        for (std::int64_t j = 0; j < std::min(tile_n, b.rows() - n); ++j)
          sums[(m + i) * b.rows() + n + j] = c[i * tile_n + j];
    }
  return sums;
}

void need_match(const Operand& a, const Operand& b) {
  if (a.elem() != b.elem() || a.k() != b.k())
    throw std::invalid_argument("operands of a product differ in type or in k");
}

}  // namespace

Operand::Operand(ir::Elem elem, std::int64_t rows, std::int64_t k)
    : elem_(elem), rows_(rows), k_(k), pitch_((k + step - 1) / step * step) {
  if (elem != ir::Elem::F16 && elem != ir::Elem::BF16)
    throw std::invalid_argument("an operand is f16 or bf16");
  bits_.resize((rows + tile_m - 1) / tile_m * tile_m * pitch_);
}

std::vector<double> Operand::widened(std::int64_t r, bool floored) const {
  std::vector<double> out(k_);
  const std::uint16_t* from = row(r);
  const double least = least_normal(elem_);
  for (std::int64_t i = 0; i < k_; ++i) {
    double v = wide(elem_, from[i]);
    out[i] = !floored || v == 0 ? v : std::max(std::abs(v), least);
  }
  return out;
}

Operand operand(const ir::Tensor& t) {
  Operand o(t.elem, t.shape.at(0), t.shape.at(1));
  for (std::int64_t r = 0; r < o.rows(); ++r)
    std::copy_n(t.as<std::uint16_t>() + r * o.k(), o.k(), o.row(r));
  return o;
}

Operand transposed(const ir::Tensor& t) {
  const auto* bits = t.as<std::uint16_t>();
  std::int64_t rows = t.shape.at(1);
  return {t.elem, rows, t.shape.at(0),
          [=](std::int64_t r, std::int64_t k) { return bits[k * rows + r]; }};
}

std::vector<float> mma_sums(const Operand& a, const Operand& b,
                            std::span<const std::int64_t> places, KParts shared) {
  need_match(a, b);
  return added(shared, [&](int p) {
    const std::vector<std::int64_t> steps = steps_of_part(a, shared, p);
    if (std::ssize(places) == a.rows() * b.rows()) return all_mma_sums(a, b, steps);
    std::vector<float> sums;
    for (std::int64_t at : places) {
      const std::uint16_t *x = a.row(at / b.rows()), *y = b.row(at % b.rows());
      float c = 0;
      for (std::int64_t s : steps)
        c = ir::mma_dot(a.elem(), x + s * Operand::step, y + s * Operand::step, Operand::step, c);
      sums.push_back(c);
    }
    return sums;
  });
}

double chain_error(std::int64_t k, Adder adder) {
  double steps = std::ceil(static_cast<double>(k) / adder.products);
  double step = (adder.products + 1) * std::exp2(-adder.fraction) + 0x1p-23;
  return steps * step + static_cast<double>(k) * 0x1p-53;
}

dsl::ErrorBound exact_sums(const Operand& a, const Operand& b, std::span<const std::int64_t> places,
                           Adder adder) {
  need_match(a, b);
  const std::int64_t k = a.k();
  std::vector<double> y(b.rows() * k), y_floor(b.rows() * k), x, x_floor;
  for (std::int64_t n = 0; n < b.rows(); ++n) {
    std::ranges::copy(b.widened(n, false), &y[n * k]);
    std::ranges::copy(b.widened(n, true), &y_floor[n * k]);
  }
  const double relative = chain_error(k, adder);
  const double subnormal = std::ceil(static_cast<double>(k) / adder.products) * 0x1p-149;
  dsl::ErrorBound out;
  std::int64_t row = -1;
  for (std::int64_t at : places) {
    if (at / b.rows() != row) {
      row = at / b.rows();
      x = a.widened(row, false);
      x_floor = a.widened(row, true);
    }
    const double *w = &y[at % b.rows() * k], *w_floor = &y_floor[at % b.rows() * k];
    double sum = 0, magnitude = 0;
    for (std::int64_t i = 0; i < k; ++i) {
      sum += x[i] * w[i];
      magnitude += x_floor[i] * w_floor[i];
    }
    out.value.push_back(sum);
    out.slack.push_back(relative * magnitude + subnormal);
  }
  return out;
}

void scale_bound(double& value, double& slack, double scale) {
  value *= scale;
  slack *= std::abs(scale);
  slack += (std::abs(value) + slack) * 0x1p-24 + 0x1p-150;
}

void round_bound(double& value, double& slack, ir::Elem e) {
  struct Rounding {
    double relative, least,
        overflow;  ///< half a unit of 1 and of a subnormal; first to be infinite
  };
  Rounding r{0x1p-24, 0x1p-150, 0x1p128 - 0x1p103};
  if (e == ir::Elem::F16) r = {0x1p-11, 0x1p-25, 65520};
  if (e == ir::Elem::BF16) r = {0x1p-8, 0x1p-134, 0x1p128 - 0x1p119};
  const double magnitude = std::abs(value), infinity = std::numeric_limits<double>::infinity();
  if (magnitude - slack >= r.overflow) {
    value = std::copysign(infinity, value);
    slack = 0;
  } else if (magnitude + slack >= r.overflow) {
    slack = infinity;
  } else {
    slack += std::max((magnitude + slack) * r.relative, r.least);
  }
}

}  // namespace barline::kernels::reference
