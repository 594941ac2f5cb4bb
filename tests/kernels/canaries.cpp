// SPDX-License-Identifier: Apache-2.0
#include "canaries.h"

#include <fmt/format.h>
#include <cmath>

#include "kernels/matmul/int4.h"
#include "kernels/matmul/int8.h"
#include "kernels/reference/elements.h"

namespace barline::test {
namespace {

using ir::Elem;
using ir::Tensor;
using kernels::reference::Contraction;
using kernels::reference::Weights;

std::uint64_t mixed(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  std::uint64_t h = (a * 0x9e3779b97f4a7c15u + b) * 0xbf58476d1ce4e5b9u + c;
  h = (h ^ h >> 31) * 0x94d049bb133111ebu;
  return h ^ h >> 29;
}

/// Least and largest code; float weights take small whole numbers.
struct Range {
  int least, most;
};
Range range_of(Weights w) {
  return w == Weights::Int8 || w == Weights::Int8Rows ? Range{-128, 127} : Range{-8, 7};
}

int random_code(Weights w, std::uint64_t seed, std::int64_t n, std::int64_t k) {
  Range r = range_of(w);
  auto count = static_cast<std::uint64_t>(r.most - r.least + 1);
  return r.least +
         static_cast<int>(
             mixed(seed, static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(k)) % count);
}

double one(std::size_t, std::int64_t, std::int64_t) { return 1; }

Canary differentiation(const CanaryShape& s) {
  double k = static_cast<double>(s.k);
  return {"differentiation", [](auto, auto) { return 1; },
          [](std::size_t p, auto, auto) { return static_cast<int>(p) + 1; }, one,
          [k](std::size_t p, auto, auto) { return static_cast<double>(p + 1) * k; }};
}

Canary sign(const CanaryShape& s) {
  int least = range_of(s.weights).least;
  double want = least * static_cast<double>(s.k);
  return {"sign", [](auto, auto) { return 1; }, [least](auto, auto, auto) { return least; }, one,
          [want](auto, auto, auto) { return want; }};
}

Canary slots(const CanaryShape& s) {
  auto in_step = [step = s.step](std::int64_t k) { return static_cast<int>(k / step); };
  auto x = [in_step](std::int64_t, std::int64_t k) { return 1 + in_step(k) % 4; };
  auto code = [in_step](std::size_t p, std::int64_t, std::int64_t k) {
    return 1 + (in_step(k) + static_cast<int>(p)) % 5;
  };
  return {"slots", x, code, one, [=, k = s.k](std::size_t p, auto, auto) {
            double sum = 0;
            for (std::int64_t i = 0; i < k; ++i) sum += x(0, i) * code(p, 0, i);
            return sum;
          }};
}

Canary scales(const CanaryShape& s) {
  auto scale = [](std::size_t p, std::int64_t g, std::int64_t) {
    return std::exp2(static_cast<double>(g % 3) - 3) * static_cast<double>(p + 1);
  };
  return {"scales", [](auto, auto) { return 1; }, [](auto, auto, auto) { return 1; }, scale,
          [=](std::size_t p, auto, auto) {
            double sum = 0;
            for (std::int64_t i = 0; i < s.k; ++i) sum += scale(p, s.group ? i / s.group : 0, 0);
            return sum;
          }};
}

Canary gather(const CanaryShape& s) {
  auto code = [w = s.weights](std::size_t p, std::int64_t n, std::int64_t k) {
    return random_code(w, p + 1, n, k);
  };
  auto picked = [k = s.k](std::int64_t m) { return m * 7 % k; };
  return {"gather", [=](std::int64_t m, std::int64_t k) { return k == picked(m); }, code, one,
          [=](std::size_t p, std::int64_t m, std::int64_t n) { return code(p, n, picked(m)); }};
}

Canary hot_x(const CanaryShape& s) {
  auto code = [w = s.weights](std::size_t p, std::int64_t n, std::int64_t k) {
    return random_code(w, p + 11, n, k);
  };
  return {"hot_x",
          [s](std::int64_t m, std::int64_t k) { return m == s.m - 1 && k == s.k - 1 ? 2 : 0; },
          code, one,
          [=](std::size_t p, std::int64_t m, std::int64_t n) {
            return m == s.m - 1 ? 2 * code(p, n, s.k - 1) : 0;
          }};
}

Canary hot_w(const CanaryShape& s) {
  auto x = [](std::int64_t m, std::int64_t) { return static_cast<double>(m % 64) - 31; };
  auto code = [s](std::size_t p, std::int64_t n, std::int64_t k) {
    return n == s.n.at(p) - 1 && k == s.k - 1 ? -3 : 0;
  };
  return {"hot_w", x, code, one, [=](std::size_t p, std::int64_t m, std::int64_t n) {
            return x(m, s.k - 1) * code(p, n, s.k - 1);
          }};
}

Canary random(const CanaryShape& s) {
  return {"random",
          [](std::int64_t m, std::int64_t k) {
            auto h = mixed(99, static_cast<std::uint64_t>(m), static_cast<std::uint64_t>(k));
            return static_cast<double>(h % 4096) / 1024 - 2;
          },
          [w = s.weights](std::size_t p, std::int64_t n, std::int64_t k) {
            return random_code(w, p + 21, n, k);
          },
          [](std::size_t p, std::int64_t g, std::int64_t n) {
            auto h = mixed(p + 31, static_cast<std::uint64_t>(g), static_cast<std::uint64_t>(n));
            return (1 + static_cast<double>(h % 1000) / 1000) / 64 * (1 + 0.5 * double(p));
          }};
}

/// Writes code(n, k) in the layout that the tensor has.
template <class Code>
void fill_weights(Tensor& t, Weights weights, std::int64_t n, std::int64_t k, Code code) {
  if (weights == Weights::Float) {
    for (std::int64_t i = 0; i < k * n; ++i)
      kernels::reference::store_f32(t, i, static_cast<float>(code(i % n, i / n)));
  } else if (weights == Weights::Int8Rows) {
    for (std::int64_t i = 0; i < n * k; ++i)
      t.as<std::int8_t>()[i] = static_cast<std::int8_t>(code(i / k, i % k));
  } else if (weights == Weights::Int8) {
    Tensor codes(Elem::S8, {k, n});
    for (std::int64_t i = 0; i < k * n; ++i)
      codes.as<std::int8_t>()[i] = static_cast<std::int8_t>(code(i % n, i / n));
    t.data = t.elem == Elem::S8 ? codes.data : kernels::pack_int8(codes).data;
  } else {
    kernels::Int4Weights w(n, k, k);
    for (std::int64_t i = 0; i < n * k; ++i) w.set_code(i / k, i % k, code(i / k, i % k));
    t.data = t.shape.back() == k / 8 ? w.words.data : kernels::pack(w).data;
  }
}

}  // namespace

std::vector<Canary> canaries(const CanaryShape& s) {
  std::vector<Canary> all{differentiation(s), sign(s), slots(s), gather(s), hot_x(s), hot_w(s)};
  if (s.weights == Weights::Int4) all.push_back(scales(s));
  all.push_back(random(s));
  return all;
}

void fill(const Canary& canary, const CanaryShape& s, const Contraction& names,
          std::map<std::string, Tensor>& tensors, std::map<std::string, double>& scalars) {
  Tensor& x = tensors.at(names.x);
  // Random x of [-2, 2) would be five codes; a known product stays as it is.
  const double x_unit = x.elem == Elem::S8 && !canary.want ? 63 : 1;
  for (std::int64_t i = 0; i < s.m * s.k; ++i)
    kernels::reference::store_f32(x, i, static_cast<float>(x_unit * canary.x(i / s.k, i % s.k)));
  for (std::size_t p = 0; p < names.segments.size(); ++p) {
    const std::string weights = names.w + names.segments[p];
    const std::string scale = names.w + "_scale" + names.segments[p];
    fill_weights(tensors.at(weights), s.weights, s.n.at(p), s.k,
                 [&](std::int64_t n, std::int64_t k) { return canary.code(p, n, k); });
    if (scalars.contains(scale)) scalars[scale] = canary.scale(p, 0, 0);
    auto t = tensors.find(scale);
    if (t == tensors.end()) continue;
    const std::int64_t columns = t->second.shape.back();
    for (std::int64_t i = 0; i < t->second.count(); ++i)
      kernels::reference::store_f32(t->second, i,
                                    static_cast<float>(canary.scale(p, i / columns, i % columns)));
  }
  if (auto t = tensors.find(names.x + "_scale"); t != tensors.end())
    for (std::int64_t i = 0; i < t->second.count(); ++i)
      kernels::reference::store_f32(t->second, i, 1);
}

std::string first_unwanted(const Canary& canary, const Contraction& names,
                           const std::map<std::string, Tensor>& tensors) {
  if (!canary.want) return {};
  for (std::size_t p = 0; p < names.segments.size(); ++p) {
    const std::string name = names.y + names.segments[p];
    const Tensor& y = tensors.at(name);
    for (std::int64_t i = 0; i < y.count(); ++i) {
      double want = canary.want(p, i / y.shape[1], i % y.shape[1]);
      if (y.elem != Elem::S32)
        want = kernels::reference::round_to(y.elem, static_cast<float>(want));
      double got = ir::value_as_f64(y, i);
      if (got != want)
        return fmt::format("{}: {}[{}, {}]: got {} want {}", canary.name, name, i / y.shape[1],
                           i % y.shape[1], got, want);
    }
  }
  return {};
}

}  // namespace barline::test
