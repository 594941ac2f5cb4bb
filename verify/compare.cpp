// SPDX-License-Identifier: Apache-2.0
// Distances are taken on an ordered integer scale: a float's bits, mirrored below zero, so that
// neighbouring values differ by 1 and both zeros meet.
#include "verify/compare.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <cstring>

#include "ir/half.h"

namespace barline::verify {
namespace {

using namespace ir;

std::uint64_t raw_bits(const Tensor& t, std::int64_t i) {
  if (bits(t.elem) == 4)
    return static_cast<std::uint64_t>(t.data[static_cast<std::size_t>(i / 2)] >> (i % 2 * 4)) & 15;
  std::uint64_t raw = 0;
  auto width = static_cast<std::size_t>(bytes(t.elem));
  std::memcpy(&raw, t.data.data() + static_cast<std::size_t>(i) * width, width);
  return raw;
}

double float_value(Elem e, std::uint64_t raw) {
  switch (e) {
    case Elem::F16: return num::to_f64(f16_t{static_cast<std::uint16_t>(raw)});
    case Elem::BF16: return num::to_f64(bf16_t{static_cast<std::uint16_t>(raw)});
    case Elem::F32: return std::bit_cast<float>(static_cast<std::uint32_t>(raw));
    case Elem::F64: return std::bit_cast<double>(raw);
    case Elem::E4M3: return num::to_f64(e4m3_t{static_cast<std::uint8_t>(raw)});
    case Elem::E5M2: return num::to_f64(e5m2_t{static_cast<std::uint8_t>(raw)});
    default: return num::to_f64(e2m1_t{static_cast<std::uint8_t>(raw)});
  }
}

bool float_like(Elem e) { return is_float(e) || (info(e).klass == Storage && e < Elem::S4); }
bool signed_like(Elem e) { return is_signed(e) || e == Elem::S4; }

std::string shape_text(const Tensor& t) {
  std::string text;
  for (std::int64_t extent : t.shape) text += (text.empty() ? "[" : ", ") + std::to_string(extent);
  return text + "]";
}

/// An element: its bits, its value and its place on the ordered scale.
struct Item {
  std::uint64_t raw = 0;
  double value = 0;
  std::int64_t place = 0;
};

Item item_at(const Tensor& t, std::int64_t i) {
  Item item{raw_bits(t, i)};
  int width = t.elem == Elem::I1 ? 8 : bits(t.elem);
  auto extended = static_cast<std::int64_t>(item.raw << (64 - width)) >> (64 - width);
  if (float_like(t.elem)) {
    item.value = float_value(t.elem, item.raw);
    std::uint64_t magnitude = item.raw & ~(std::uint64_t{1} << (width - 1));
    item.place = static_cast<std::int64_t>(extended < 0 ? -magnitude : magnitude);
  } else {
    item.value =
        signed_like(t.elem) ? static_cast<double>(extended) : static_cast<double>(item.raw);
    item.place = signed_like(t.elem) ? extended : static_cast<std::int64_t>(item.raw);
  }
  return item;
}

std::int64_t distance(const Item& a, const Item& b) {
  if (std::isnan(a.value) || std::isnan(b.value))
    return std::isnan(a.value) && std::isnan(b.value) ? 0 : INT64_MAX;
  std::int64_t d;
  if (__builtin_sub_overflow(std::max(a.place, b.place), std::min(a.place, b.place), &d))
    return INT64_MAX;
  return d;
}

bool passes(const Item& got, const Item& want, std::int64_t ulp, const Tolerance& t) {
  bool same = got.raw == want.raw || (std::isnan(got.value) && std::isnan(want.value));
  if (same) return true;
  if (t.exact() || std::isnan(got.value) || std::isnan(want.value)) return false;
  if (t.ulp > 0 && ulp <= t.ulp) return true;
  double error = std::abs(got.value - want.value);
  if (std::isinf(got.value) || std::isinf(want.value)) return got.value == want.value;
  return (t.absolute > 0 && error <= t.absolute) ||
         (t.relative > 0 && error <= t.relative * std::abs(want.value)) ||
         (error == 0 && got.value == 0);
}

void note_error(Comparison& c, const Item& got, const Item& want, std::int64_t ulp) {
  if (c.equal && ulp > c.max_ulp) {
    c.got = got.value;
    c.want = want.value;
    c.got_bits = got.raw;
    c.want_bits = want.raw;
  }
  c.max_ulp = std::max(c.max_ulp, ulp);
  double error = std::abs(got.value - want.value);
  if (!std::isfinite(error)) return;
  c.max_absolute = std::max(c.max_absolute, error);
  if (want.value != 0) c.max_relative = std::max(c.max_relative, error / std::abs(want.value));
}

}  // namespace

Comparison compare(const Tensor& got, const Tensor& want, const Tolerance& t,
                   std::span<const std::int64_t> places) {
  Comparison c;
  auto bytes_needed = static_cast<std::size_t>(want.byte_size());
  if (got.elem != want.elem)
    c.problem = fmt::format("{} against {}", name(got.elem), name(want.elem));
  else if (got.shape != want.shape)
    c.problem = "shape " + shape_text(got) + " against " + shape_text(want);
  else if (got.data.size() < bytes_needed || want.data.size() < bytes_needed)
    c.problem =
        fmt::format("{} and {} bytes for {}", got.data.size(), want.data.size(), bytes_needed);
  c.equal = c.problem.empty();
  if (!c.equal) return c;
  if (std::memcmp(got.data.data(), want.data.data(), bytes_needed) == 0) return c;
  const std::int64_t count = places.empty() ? want.count() : std::ssize(places);
  for (std::int64_t at = 0; at < count; ++at) {
    const std::int64_t i = places.empty() ? at : places[at];
    Item g = item_at(got, i), w = item_at(want, i);
    if (g.raw == w.raw) continue;
    std::int64_t ulp = distance(g, w);
    note_error(c, g, w, ulp);
    if (passes(g, w, ulp, t)) continue;
    ++c.bad;
    if (c.first_bad >= 0) continue;
    c.equal = false;
    c.first_bad = i;
    c.got = g.value;
    c.want = w.value;
    c.got_bits = g.raw;
    c.want_bits = w.raw;
  }
  return c;
}

Comparison compare_within(const Tensor& got, std::span<const std::int64_t> places,
                          std::span<const double> value, std::span<const double> slack) {
  Comparison c;
  for (std::size_t at = 0; at < places.size(); ++at) {
    Item g = item_at(got, places[at]);
    const double want = value[at], error = std::abs(g.value - want);
    const bool number = std::isfinite(want) && std::isfinite(slack[at]);
    bool inside;
    if (std::isnan(want))
      inside = std::isnan(g.value);
    else if (std::isinf(want))
      inside = g.value == want;
    else
      inside = error <= slack[at];
    if (number && std::isfinite(error)) {
      c.max_absolute = std::max(c.max_absolute, error);
      if (want != 0) c.max_relative = std::max(c.max_relative, error / std::abs(want));
      if (slack[at] > 0) c.max_share = std::max(c.max_share, error / slack[at]);
    }
    if (inside) continue;
    ++c.bad;
    if (c.first_bad >= 0) continue;
    c.equal = false;
    c.first_bad = places[at];
    c.got = g.value;
    c.want = want;
    c.got_bits = g.raw;
  }
  return c;
}

std::string bound_text(const Comparison& c) {
  std::string share = fmt::format("at most {:.2g} of it, {:.3g} absolute, {:.3g} relative",
                                  c.max_share, c.max_absolute, c.max_relative);
  if (c.equal) return "within the declared bound: " + share;
  return fmt::format(
      "{} elements past the declared bound, first [{}]: got {:.9g} (0x{:x}), "
      "want {:.9g}; {}",
      c.bad, c.first_bad, c.got, c.got_bits, c.want, share);
}

std::string to_string(const Comparison& c) {
  if (!c.problem.empty()) return "not comparable: " + c.problem;
  std::string maxima = fmt::format("max {} ulp, {:.3g} absolute, {:.3g} relative", c.max_ulp,
                                   c.max_absolute, c.max_relative);
  if (c.equal) return c.max_absolute > 0 || c.max_ulp > 0 ? "within bounds: " + maxima : "equal";
  return fmt::format(
      "{} elements differ, first [{}]: got {:.9g} (0x{:x}), want {:.9g} (0x{:x}); {}", c.bad,
      c.first_bad, c.got, c.got_bits, c.want, c.want_bits, maxima);
}

}  // namespace barline::verify
