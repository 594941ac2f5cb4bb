// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ir/passes/stripe_access_p.h"

namespace barline::ir {
namespace {

constexpr int max_access_bytes = 16;

/// Elements of one access: a vector of at most 16 bytes, or one element at a ragged edge.
int access_lanes(const StripeStep& step, Elem e) {
  if (step.edge == Edge::Element) return 1;
  return std::min(step.frame->shape.vec, max_access_bytes / bytes(e));
}

/// base + first (+ shift), as s64; the step's offset goes into the access' immediate.
ValueId memory_index(Builder& b, const StripeStep& step, ValueId base) {
  ValueId index = b.binary(Op::Add, b.cast(Elem::S64, base), step.frame->first64);
  if (step.shift != no_value) index = b.binary(Op::Add, index, b.cast(Elem::S64, step.shift));
  return index;
}

std::vector<Attr> access_attrs(const Operation& op, std::int64_t offset) {
  std::vector<Attr> attrs;
  for (const Attr& a : op.attrs)
    if (a.key == Key::Order || a.key == Key::Cache) attrs.push_back(a);
  if (offset) attrs.push_back({Key::Offset, offset, {}});
  return attrs;
}

}  // namespace

ValueId step_position(Builder& b, const StripeStep& step, int j) {
  ValueId at = step.frame->first;
  if (step.shift != no_value) at = b.binary(Op::Add, at, step.shift);
  std::int64_t offset = step.offset + j;
  return offset ? b.binary(Op::Add, at, b.constant(Elem::S32, offset)) : at;
}

void open_step(Builder& b, StripeStep& step) {
  int tests = step.edge == Edge::None ? 0 : step.edge == Edge::Vector ? 1 : step.frame->shape.vec;
  for (int j = 0; j < tests; ++j)
    step.active.push_back(b.compare(Compare::Lt, step_position(b, step, j), step.frame->size));
}

std::vector<ValueId> load_step(Builder& b, const StripeStep& step, const Operation& op) {
  Elem e = b.kernel().type(op.out[0]).elem;
  ValueId index = memory_index(b, step, op.in[1]);
  std::vector<ValueId> elements;
  int lanes = access_lanes(step, e);
  for (int j = 0; j < step.frame->shape.vec; j += lanes) {
    std::vector<ValueId> in{op.in[0], index};
    if (step.active_at(j) != no_value) in.push_back(step.active_at(j));
    ValueId v = b.emit(Op::Load, lanes == 1 ? scalar(e) : vector(e, lanes), in,
                       access_attrs(op, step.offset + j));
    if (lanes == 1) elements.push_back(v);
    for (int i = 0; lanes > 1 && i < lanes; ++i)
      elements.push_back(b.emit(Op::Extract, scalar(e), {v}, {{Key::Index, i, {}}}));
  }
  return elements;
}

void store_step(Builder& b, const StripeStep& step, const Operation& op,
                const std::vector<ValueId>& elements) {
  Elem e = b.kernel().type(op.in[2]).elem;
  ValueId index = memory_index(b, step, op.in[1]);
  int lanes = access_lanes(step, e);
  for (int j = 0; j < step.frame->shape.vec; j += lanes) {
    std::vector<ValueId> part(elements.begin() + j, elements.begin() + j + lanes);
    ValueId v = lanes == 1 ? part[0] : b.emit(Op::Pack, vector(e, lanes), part);
    std::vector<ValueId> in{op.in[0], index, v};
    if (step.active_at(j) != no_value) in.push_back(step.active_at(j));
    Operation store{.op = Op::Store,
                    .in = in,
                    .out = {},
                    .attrs = access_attrs(op, step.offset + j),
                    .regions = {},
                    .loc = op.loc};
    b.append(std::move(store));
  }
}

}  // namespace barline::ir
