// SPDX-License-Identifier: Apache-2.0
#include "ir/affine.h"

#include "ir/rewrite.h"

namespace barline::ir {

AffineAnalysis::AffineAnalysis(const Kernel& k)
    : k_(k), defs_(definitions(k)), uniformity_(uniformity(k)) {}

const ThreadForm* AffineAnalysis::form(ValueId v) {
  auto it = memo_.find(v);
  if (it == memo_.end()) it = memo_.emplace(v, compute(v)).first;
  return it->second ? &*it->second : nullptr;
}

AffineAnalysis::Result AffineAnalysis::compute(ValueId v) {
  Result r = defs_[v] ? of_op(*defs_[v]) : std::nullopt;
  return r ? r : symbol(v);
}

/// A block-uniform value stands for itself.
AffineAnalysis::Result AffineAnalysis::symbol(ValueId v) const {
  if (uniformity_[v] < Team::Cta) return std::nullopt;
  return ThreadForm{std::vector<std::int64_t>(k_.launch.block_threads(), 0), {{v, 1}}};
}

AffineAnalysis::Result AffineAnalysis::of_threads(const Operation& op) const {
  const auto& n = k_.launch.threads;
  ThreadForm f;
  for (std::int32_t rank = 0; rank < k_.launch.block_threads(); ++rank) {
    std::int32_t id[3] = {rank % n[0], rank / n[0] % n[1], rank / n[0] / n[1]};
    switch (op.op) {
      case Op::ThreadId: f.at.push_back(id[op.attr(Key::Dim)]); break;
      case Op::LaneId: f.at.push_back(rank % warp_size); break;
      case Op::WarpId: f.at.push_back(rank / warp_size); break;
      default: f.at.push_back(rank); break;
    }
  }
  return f;
}

AffineAnalysis::Result AffineAnalysis::of_op(const Operation& op) {
  switch (op.op) {
    case Op::ThreadId:
    case Op::ThreadRank:
    case Op::LaneId:
    case Op::WarpId: return of_threads(op);
    case Op::Const:
      if (!is_int(k_.type(op.out[0]).elem)) return std::nullopt;
      return ThreadForm{
          std::vector<std::int64_t>(k_.launch.block_threads(), constant_value(k_, op)), {}};
    case Op::Add: return sum(op, 1);
    case Op::Sub: return sum(op, -1);
    case Op::Mul: return product(op);
    case Op::Cast: {
      bool ints = is_int(k_.type(op.out[0]).elem) && is_int(k_.type(op.in[0]).elem);
      const ThreadForm* f = ints ? form(op.in[0]) : nullptr;
      return f ? Result(*f) : std::nullopt;
    }
    case Op::Div:
    case Op::Rem:
    case Op::And:
    case Op::Or:
    case Op::Xor:
    case Op::Shl:
    case Op::Shr: return pointwise(op);
    default: return std::nullopt;
  }
}

AffineAnalysis::Result AffineAnalysis::sum(const Operation& op, std::int64_t sign) {
  const ThreadForm *a = form(op.in[0]), *b = form(op.in[1]);
  if (!a || !b) return std::nullopt;
  ThreadForm r = *a;
  for (std::size_t t = 0; t < r.at.size(); ++t) r.at[t] += sign * b->at[t];
  for (auto [v, factor] : b->symbols)
    if ((r.symbols[v] += sign * factor) == 0) r.symbols.erase(v);
  return r;
}

AffineAnalysis::Result AffineAnalysis::product(const Operation& op) {
  const ThreadForm *a = form(op.in[0]), *b = form(op.in[1]);
  if (!a || !b) return std::nullopt;
  if (!a->symbols.empty()) std::swap(a, b);
  if (!a->symbols.empty()) return std::nullopt;
  bool uniform = true;
  for (std::int64_t x : a->at) uniform = uniform && x == a->at[0];
  if (!uniform && !b->symbols.empty()) return std::nullopt;
  ThreadForm r = *b;
  for (std::size_t t = 0; t < r.at.size(); ++t) r.at[t] *= a->at[t];
  for (auto& [v, factor] : r.symbols) factor *= a->at[0];
  return r;
}

AffineAnalysis::Result AffineAnalysis::pointwise(const Operation& op) {
  const ThreadForm *a = form(op.in[0]), *b = form(op.in[1]);
  if (!a || !b || !a->symbols.empty() || !b->symbols.empty()) return std::nullopt;
  ThreadForm r = *a;
  for (std::size_t t = 0; t < r.at.size(); ++t) {
    std::int64_t x = a->at[t], y = b->at[t];
    bool divides = op.is(Op::Div) || op.is(Op::Rem);
    bool shifts = op.is(Op::Shl) || op.is(Op::Shr);
    if ((divides && y == 0) || (shifts && (y < 0 || y > 31))) return std::nullopt;
    switch (op.op) {
      case Op::Div: r.at[t] = x / y; break;
      case Op::Rem: r.at[t] = x % y; break;
      case Op::And: r.at[t] = x & y; break;
      case Op::Or: r.at[t] = x | y; break;
      case Op::Xor: r.at[t] = x ^ y; break;
      case Op::Shl: r.at[t] = x << y; break;
      default: r.at[t] = x >> y; break;
    }
  }
  return r;
}

}  // namespace barline::ir
