// SPDX-License-Identifier: Apache-2.0
// Register copies: whole (all lanes) or under the mask, for values that joins and loops carry.
#include <cstring>

#include "verify/interp/compile.h"
#include "verify/interp/machine.h"
#include "verify/interp/value_types.h"

namespace barline::verify::sim {
namespace {

template <class T>
void run_copy(Warp& w, const Inst& i) {
  for (std::uint32_t e = 0; e < i.n; ++e)
    std::memcpy(w.at<T>(i.out, e), w.at<T>(i.a, e), lanes * sizeof(T));
}

template <class T>
void run_masked_copy(Warp& w, const Inst& i) {
  if (w.mask == ~Mask{0}) return run_copy<T>(w, i);
  for (std::uint32_t e = 0; e < i.n; ++e) {
    T* r = w.at<T>(i.out, e);
    const T* a = w.at<T>(i.a, e);
    for (int l = 0; l < lanes; ++l) r[l] = w.mask >> l & 1 ? a[l] : r[l];
  }
}

}  // namespace

void Compiler::copy(Operand from, Operand to, ir::Elem e, std::uint32_t n, bool masked) {
  if (from.at == to.at) return;
  with_width(e, [&](auto as) {
    using T = typename decltype(as)::type;
    emit({.run = masked ? &run_masked_copy<T> : &run_copy<T>, .out = to, .a = from, .n = n});
  });
}

void Compiler::copy_to(std::span<const ir::ValueId> values, std::span<const Operand> to,
                       bool masked) {
  // A source that an earlier copy overwrites (a loop that swaps what it carries) goes by a
  // temporary.
  std::vector<Operand> from;
  std::vector<Operand> temporaries;
  for (std::size_t i = 0; i < values.size(); ++i) {
    Operand source = in(values[i]);
    bool overwritten = false;
    for (std::size_t j = 0; j < i; ++j) overwritten |= to[j].at == source.at;
    if (overwritten) {
      Operand t = temporary(elem(values[i]), count(type(values[i])));
      copy(source, t, elem(values[i]), count(type(values[i])), false);
      temporaries.push_back(source = t);
    }
    from.push_back(source);
  }
  for (std::size_t i = 0; i < values.size(); ++i)
    copy(from[i], to[i], elem(values[i]), count(type(values[i])), masked);
  for (Operand t : temporaries) release(t);
}

}  // namespace barline::verify::sim
