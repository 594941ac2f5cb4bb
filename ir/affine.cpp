// SPDX-License-Identifier: Apache-2.0
// Without symbols a form is exact: its numbers wrap to their type, as the device's do, and any op
// may look at them. Beside symbols only the residue modulo 2^32 is kept, through types of at least
// 32 bits and ops that respect it. That tells indices into a slot apart, which has fewer elements.
#include "ir/affine.h"

#include "ir/rewrite.h"

namespace barline::ir {
namespace {

/// The number as a value of the type.
std::int64_t wrap(std::uint64_t x, Elem e) {
  int shift = 64 - bits(e);
  auto top = static_cast<std::int64_t>(x << shift);
  return is_signed(e) ? top >> shift : static_cast<std::int64_t>((x << shift) >> shift);
}

std::uint64_t u64(std::int64_t x) { return static_cast<std::uint64_t>(x); }

}  // namespace

AffineAnalysis::AffineAnalysis(const Kernel& k)
    : k_(k), defs_(definitions(k)), uniformity_(uniformity(k)) {}

const ThreadForm* AffineAnalysis::form(ValueId v) {
  auto it = memo_.find(v);
  if (it == memo_.end()) it = memo_.emplace(v, compute(v)).first;
  return it->second ? &*it->second : nullptr;
}

AffineAnalysis::Result AffineAnalysis::compute(ValueId v) {
  if (!is_int(k_.type(v).elem)) return std::nullopt;
  Result r = defs_[v] ? of_op(*defs_[v]) : std::nullopt;
  if (r && !settle(*r, k_.type(v).elem)) r.reset();
  return r ? r : symbol(v);
}

/// Brings the form into its canonical shape for a value of that type; false where it is lost.
bool AffineAnalysis::settle(ThreadForm& f, Elem e) const {
  for (auto& [v, factor] : f.symbols) factor = wrap(u64(factor), Elem::S32);
  // A residue of 0 is the number 0 only where the type has no more bits than the residue.
  if (bits(e) <= 32)
    std::erase_if(f.symbols, [](const auto& symbol) { return symbol.second == 0; });
  if (!f.symbols.empty() && bits(e) < 32) return false;
  for (std::int64_t& x : f.at) x = wrap(u64(x), f.symbols.empty() ? e : Elem::S32);
  return true;
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
      // A saturating cast is no congruence; without symbols it could be followed, but is not.
      const ThreadForm* f = op.attr(Key::Saturate) ? nullptr : form(op.in[0]);
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
  for (std::size_t t = 0; t < r.at.size(); ++t)
    r.at[t] = static_cast<std::int64_t>(u64(r.at[t]) + u64(sign) * u64(b->at[t]));
  for (auto [v, factor] : b->symbols) {
    std::int64_t& sum = r.symbols[v];
    sum = static_cast<std::int64_t>(u64(sum) + u64(sign) * u64(factor));
  }
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
  auto times = [](std::int64_t x, std::int64_t y) {
    return static_cast<std::int64_t>(u64(x) * u64(y));
  };
  for (std::size_t t = 0; t < r.at.size(); ++t) r.at[t] = times(r.at[t], a->at[t]);
  for (auto& [v, factor] : r.symbols) factor = times(factor, a->at[0]);
  return r;
}

AffineAnalysis::Result AffineAnalysis::pointwise(const Operation& op) {
  const ThreadForm *a = form(op.in[0]), *b = form(op.in[1]);
  if (!a || !b || !a->symbols.empty() || !b->symbols.empty()) return std::nullopt;
  bool unsigned_64 = k_.type(op.in[0]).elem == Elem::U64;
  ThreadForm r = *a;
  for (std::size_t t = 0; t < r.at.size(); ++t) {
    std::int64_t x = a->at[t], y = b->at[t];
    bool divides = op.is(Op::Div) || op.is(Op::Rem);
    bool shifts = op.is(Op::Shl) || op.is(Op::Shr);
    if ((divides && (y == 0 || y == -1)) || (shifts && (y < 0 || y > 31))) return std::nullopt;
    if (unsigned_64 && (x < 0 || y < 0)) return std::nullopt;
    switch (op.op) {
      case Op::Div: r.at[t] = x / y; break;
      case Op::Rem: r.at[t] = x % y; break;
      case Op::And: r.at[t] = x & y; break;
      case Op::Or: r.at[t] = x | y; break;
      case Op::Xor: r.at[t] = x ^ y; break;
      case Op::Shl: r.at[t] = static_cast<std::int64_t>(u64(x) << y); break;
      default: r.at[t] = x >> y; break;
    }
  }
  return r;
}

}  // namespace barline::ir
