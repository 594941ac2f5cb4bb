// SPDX-License-Identifier: Apache-2.0
// Vectors: an elementwise op on vectors gives what it gives on their elements; bitcasts, packs and
// extracts move bits and nothing else.
#include <catch2/catch.hpp>
#include <random>

#include "interp_run.h"
#include "ir/builder.h"
#include "ir/diagnostic.h"

using namespace barline;
using namespace barline::verify;
using namespace barline::ir;

namespace {

constexpr int threads = 32, lanes = 4, count = threads * lanes;

/// A kernel of 32 threads over tensors of some 8-byte groups a thread.
struct Maker {
  Kernel k;
  Builder b{k};
  ValueId at;

  explicit Maker(std::int64_t elements = count) {
    k.name = "k";
    k.axes.push_back({.name = "n", .bound = elements, .multiple = 1});
    k.axis_sizes.push_back(no_value);
    k.launch.threads[0] = threads;
    at = b.emit(Op::ThreadRank, {});
  }
  ValueId tensor(Elem e, Access access) {
    ValueId v = k.new_value(pointer(e, Space::Global));
    k.params.push_back({"p" + std::to_string(k.params.size()), k.type(v), access, {0}, v, {}});
    return v;
  }
  ValueId index(int each) { return b.binary(Op::Mul, at, b.constant(Elem::S32, each)); }
  ValueId load(Type t) { return b.emit(Op::Load, t, {tensor(t.elem, Access::In), index(t.lanes)}); }
  void store(ValueId v) {
    const Type t = k.type(v);
    b.emit(Op::Store, {tensor(t.elem, Access::Out), index(t.lanes), v});
  }
  ValueId element(ValueId v, int i) {
    return b.emit(Op::Extract, scalar(k.type(v).elem), {v}, {{Key::Index, i, {}}});
  }
  const Kernel& done() {
    b.emit(Op::Yield, {});
    check(k);
    return k;
  }
};

std::vector<Tensor> random_inputs(const Kernel& k, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Tensor> tensors;
  for (const Param& p : k.params) {
    Tensor t(p.type.elem, {*k.axes[0].bound});
    if (p.access == Access::In)
      for (std::byte& byte : t.data) {
        byte = static_cast<std::byte>(random());
        if (p.type.elem == Elem::I1) byte &= std::byte{1};
        if (is_int(p.type.elem)) byte |= std::byte{1};  // divisors
      }
    tensors.push_back(std::move(t));
  }
  return tensors;
}

/// The outputs, last parameters first.
std::vector<Tensor> outputs(const Kernel& k, std::vector<Tensor> tensors) {
  std::vector<SimArgument> arguments(tensors.begin(), tensors.end());
  SimReport r = simulate(k, arguments, {});
  if (r.finding) FAIL(to_string(*r.finding));
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (k.params[i].access == Access::Out) out.push_back(tensors[i]);
  return out;
}

/// r = make(inputs) on vectors; then the same on each of their elements, packed.
template <class Make>
void check_same(const std::vector<Elem>& in, Make make) {
  Maker m;
  std::vector<ValueId> operands;
  for (Elem e : in) operands.push_back(m.load(vector(e, lanes)));
  m.store(make(m, operands));
  std::vector<ValueId> results;
  for (int i = 0; i < lanes; ++i) {
    std::vector<ValueId> elements;
    for (ValueId v : operands) elements.push_back(m.element(v, i));
    results.push_back(make(m, elements));
  }
  m.store(m.b.emit(Op::Pack, vector(m.k.type(results[0]).elem, lanes), results));
  const Kernel& k = m.done();
  std::vector<Tensor> out = outputs(k, random_inputs(k, 7));
  REQUIRE(out.size() == 2);
  CHECK(out[0].data == out[1].data);
}

/// False if the row refuses this element type.
bool accepts(Op op, Elem e) {
  if (!(info(e).klass & def(op).in[0].classes)) return false;
  bool wide = op == Op::MulHi || op == Op::Popc || op == Op::Clz || op == Op::Brev;
  if (wide && bits(e) < 32) return false;
  if (op == Op::BytePermute) return e == Elem::U32;
  return !(def(op).has(ir::Approx) && e == Elem::F64);
}

}  // namespace

TEST_CASE("every elementwise op on vectors is that op on their elements") {
  for (int row = 0; row < op_count; ++row) {
    Op op = static_cast<Op>(row);
    if (!def(op).has(Elementwise) || op == Op::Cast || op == Op::Bitcast || op == Op::Select)
      continue;
    for (int i = 0; i < elem_count; ++i) {
      Elem e = static_cast<Elem>(i);
      if (!accepts(op, e)) continue;
      INFO(name(op) << " of " << name(e));
      std::vector<Elem> in(static_cast<std::size_t>(def(op).in_count()), e);
      check_same(in, [&](Maker& m, std::vector<ValueId> v) {
        return m.b.emit(op, result_type(m.k, op, v, {}), v);
      });
    }
  }
}

TEST_CASE("casts of vectors are casts of their elements") {
  for (int i = 0; i < elem_count; ++i)
    for (int j = 0; j < elem_count; ++j) {
      if (i == j) continue;
      INFO(name(static_cast<Elem>(i)) << " to " << name(static_cast<Elem>(j)));
      check_same({static_cast<Elem>(i)}, [&](Maker& m, std::vector<ValueId> v) {
        return m.b.cast(static_cast<Elem>(j), v[0]);
      });
    }
}

TEST_CASE("a vector of conditions chooses elements, one condition whole vectors") {
  for (Elem e : {Elem::F16, Elem::S32, Elem::U8, Elem::F64}) {
    check_same({Elem::I1, e, e}, [](Maker& m, std::vector<ValueId> v) {
      return m.b.emit(Op::Select, {v[0], v[1], v[2]});
    });
    check_same({e, e}, [](Maker& m, std::vector<ValueId> v) {
      ValueId odd = m.b.binary(Op::And, m.at, m.b.constant(Elem::S32, 1));
      ValueId c = m.b.compare(Compare::Eq, odd, m.b.constant(Elem::S32, 1));
      return m.b.emit(Op::Select, {c, v[0], v[1]});
    });
  }
}

TEST_CASE("a bitcast keeps the bytes as memory has them") {
  const std::vector<Type> shapes = {
      scalar(Elem::F64),    scalar(Elem::U64),    vector(Elem::F32, 2),  vector(Elem::U32, 2),
      vector(Elem::F16, 4), vector(Elem::S16, 4), vector(Elem::U8, 8),   vector(Elem::E4M3, 8),
      vector(Elem::U4, 16), vector(Elem::S4, 16), vector(Elem::E2M1, 16)};
  for (const Type& from : shapes)
    for (const Type& to : shapes) {
      Maker m(16 * threads);
      m.store(m.b.emit(Op::Bitcast, to, {m.load(from)}));
      INFO(name(from.elem) << " to " << name(to.elem));
      const Kernel& k = m.done();
      std::vector<Tensor> in = random_inputs(k, 3);
      std::vector<Tensor> out = outputs(k, in);
      in[0].data.resize(8 * threads);
      out[0].data.resize(8 * threads);
      CHECK(in[0].data == out[0].data);
    }
}

TEST_CASE("pack joins scalars and vectors in order, extract takes a run of elements") {
  Maker m(8 * threads);
  ValueId v = m.load(vector(Elem::U16, 8));
  ValueId middle = m.b.emit(Op::Extract, vector(Elem::U16, 4), {v}, {{Key::Index, 3, {}}});
  ValueId ends[] = {m.element(v, 0), m.element(v, 1), m.element(v, 2), m.element(v, 7)};
  m.store(m.b.emit(Op::Pack, {ends[3], middle, ends[0], ends[1], ends[2]}));
  const Kernel& k = m.done();
  std::vector<Tensor> in = random_inputs(k, 5);
  std::vector<std::uint16_t> x = values<std::uint16_t>(in[0]);
  std::vector<std::uint16_t> y = values<std::uint16_t>(outputs(k, in)[0]);
  const std::size_t order[] = {7, 3, 4, 5, 6, 0, 1, 2};
  for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(y[i] == x[i / 8 * 8 + order[i % 8]]);
}
