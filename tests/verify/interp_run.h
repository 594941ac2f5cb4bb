// SPDX-License-Identifier: Apache-2.0
// Runs kernels written as text in the simulator's tests.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "ir/check.h"
#include "ir/parse.h"
#include "verify/interp/simulate.h"

namespace barline::verify {

inline ir::Kernel kernel(const std::string& text) {
  ir::Kernel k = ir::parse("bir 1\n" + text, "test.bir");
  ir::check(k);
  return k;
}

inline SimReport run(const std::string& text, std::vector<SimArgument> arguments,
                     std::vector<std::int64_t> sizes = {}, const SimOptions& options = {}) {
  return simulate(kernel(text), arguments, sizes, options);
}

template <class T>
ir::Tensor tensor(ir::Elem e, const std::vector<T>& values) {
  ir::Tensor t(e, {static_cast<std::int64_t>(values.size())});
  std::memcpy(t.data.data(), values.data(), values.size() * sizeof(T));
  return t;
}

template <class T>
std::vector<T> values(const ir::Tensor& t) {
  std::vector<T> v(t.data.size() / sizeof(T));
  std::memcpy(v.data(), t.data.data(), t.data.size());
  return v;
}

/// A kernel of one thread an element, y[i] = body(a = x[i], b = z[i]); `body` defines %r.
inline std::string elementwise(const std::string& in, const std::string& out,
                               const std::string& body) {
  return "kernel @k\naxis n\nparam %x: in ptr<" + in + ", global> [n]\nparam %z: in ptr<" + in +
         ", global> [n]\nparam %y: out ptr<" + out +
         ", global> [n]\nsize %n\nthreads 32 1 1\ngrid n/32 1 1\n{\n"
         "%t = thread_rank : s32\n%b = block_id {dim = 0} : s32\n%w = const {value = 32} : s32\n"
         "%bw = mul %b, %w : s32\n%i = add %bw, %t : s32\n%in = cmp %i, %n {pred = lt} : i1\n"
         "if %in () {\n%a = load %x, %i : " +
         in + "\n%c = load %z, %i : " + in + "\n" + body +
         "\nstore %y, %i, %r\nyield\n} () {\nyield\n}\nyield\n}\n";
}

/// Runs such a kernel on x and z.
template <class R, class T>
std::vector<R> apply(ir::Elem in, ir::Elem out, const std::string& body, const std::vector<T>& x,
                     const std::vector<T>& z) {
  ir::Tensor tx = tensor(in, x), tz = tensor(in, z);
  ir::Tensor ty(out, {static_cast<std::int64_t>(x.size())});
  SimReport r = run(elementwise(std::string(ir::name(in)), std::string(ir::name(out)), body),
                    {tx, tz, ty}, {static_cast<std::int64_t>(x.size())});
  if (r.finding) throw std::runtime_error(to_string(*r.finding));
  return values<R>(ty);
}

}  // namespace barline::verify
